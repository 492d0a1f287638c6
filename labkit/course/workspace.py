"""The learner's side: a working copy of each app, and what was done so far; on disk, so that it outlives kernels."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from labkit.course.exercise import Exercise
from labkit.errors import CourseError
from labkit.store.beside import written_beside

#: Where working copies and progress are, unless LABKIT_WORK names another folder. Git ignores it.
WORK = Path(__file__).resolve().parents[2] / "notebooks" / "work"


@dataclass(frozen=True)
class State:
    """How far one exercise is: hints asked for, checks made, whether it was passed or revealed."""

    hints: int = 0
    checks: int = 0
    passed: bool = False
    revealed: bool = False


class Workspace:
    """The folder of one learner."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(os.environ.get("LABKIT_WORK") or WORK)

    def app_file(self, exercise: Exercise) -> Path:
        """The working copy; it is made when it is not there."""
        file = self.folder / exercise.name / "app.py"
        if not file.exists():
            self._copy(exercise, file)
        return file

    def reset(self, exercise: Exercise) -> Path:
        """The untouched app again, nothing done; what the learner had is kept beside it as ``app.before-reset.py``."""
        file = self.folder / exercise.name / "app.py"
        if file.exists():
            file.replace(file.with_name("app.before-reset.py"))
        self._copy(exercise, file)
        self._write({**self._read(), exercise.name: State()})
        return file

    def state(self, name: str) -> State:
        """How far the exercise is."""
        return self._read().get(name, State())

    def note(self, name: str, state: State) -> None:
        """Remember how far an exercise is."""
        self._write({**self._read(), name: state})

    def _copy(self, exercise: Exercise, file: Path) -> None:
        source = exercise.case.app_file("leaky").read_text(encoding="utf-8")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CourseError(
                f"{file.parent} cannot be made.",
                seen=str(error.strerror),
                hint="set LABKIT_WORK to a folder you may write to",
            ) from None
        with written_beside(file) as stream:
            stream.write(without_marker(source))

    @property
    def _file(self) -> Path:
        return self.folder / "progress.json"

    def _read(self) -> dict[str, State]:
        try:
            told = json.loads(self._file.read_text(encoding="utf-8"))
            known = {field.name for field in fields(State)}
            return {
                str(name): State(**{key: value for key, value in row.items() if key in known})
                for name, row in told.items()
            }
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError, TypeError) as fault:
            hint = f"delete {self._file} to begin anew; working copies stay"
            raise CourseError("The progress cannot be read.", seen=str(fault), hint=hint) from None

    def _write(self, states: dict[str, State]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with written_beside(self._file) as stream:
            json.dump({name: asdict(state) for name, state in states.items()}, stream, indent=1)


def without_marker(source: str) -> str:
    """An app without the comment that marks its guilty statement."""
    lines = [line.partition("# leak:")[0].rstrip() if "# leak:" in line else line for line in source.split("\n")]
    return "\n".join(lines)
