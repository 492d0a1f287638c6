"""How far the teams of a class are: ``board.json``, and a page of it that renews itself."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from datetime import datetime
from pathlib import Path

from labkit.errors import CannotWrite, CourseError
from labkit.store.beside import written_beside
from labkit.views.board import Row, board_page

FILE, PAGE = "board.json", "board.html"


class Board:
    """The state of all teams; several teams may write at the same time."""

    def __init__(self, folder: Path, teams: tuple[str, ...]) -> None:
        self.folder = folder
        self.teams = teams

    @property
    def page(self) -> Path:
        """The page for the wall."""
        return self.folder / PAGE

    def rows(self) -> list[Row]:
        """All teams in their order; who has done nothing has an empty row. Raises CourseError."""
        file = self.folder / FILE
        known = {field.name for field in fields(Row)} - {"team"}
        try:
            said = json.loads(file.read_text(encoding="utf-8"))
            told = {
                str(team): {key: value for key, value in row.items() if key in known}
                for team, row in said["teams"].items()
            }
            return [Row(team, **told.get(team, {})) for team in self.teams]
        except FileNotFoundError:
            return [Row(team) for team in self.teams]
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as fault:
            hint = f"delete {file} to begin anew; the services stay"
            raise CourseError("The board cannot be read.", seen=repr(fault), hint=hint) from None

    def note_answer(self, team: str, verdict: str) -> None:
        """An answer was handed in; once it was right, it stays so."""

        def noted(row: Row) -> Row:
            found_at = row.found_at or (_now() if verdict == "right" else "")
            return replace(row, answers=row.answers + 1, answer=verdict, found_at=found_at)

        self._change(team, noted)

    def note_check(self, team: str, passed: bool) -> None:
        """The service was measured; once it has passed, it stays so."""

        def noted(row: Row) -> Row:
            passed_at = row.passed_at or (_now() if passed else "")
            return replace(row, checks=row.checks + 1, check="passed" if passed else "refused", passed_at=passed_at)

        self._change(team, noted)

    def forget(self, team: str) -> None:
        """As if the team had done nothing."""
        self._change(team, lambda row: Row(row.team))

    def write_page(self) -> None:
        """Write the page anew from the file."""
        self._write(self.rows())

    def _change(self, team: str, change: Callable[[Row], Row]) -> None:
        with self._locked():
            self._write([change(row) if row.team == team else row for row in self.rows()])

    def _write(self, rows: list[Row]) -> None:
        teams = {row.team: {key: value for key, value in asdict(row).items() if key != "team"} for row in rows}
        with written_beside(self.folder / FILE) as stream:
            json.dump({"teams": teams}, stream, indent=1)
        with written_beside(self.page) as stream:
            stream.write(board_page(rows))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time; the lock goes with its process."""
        try:
            stream = (self.folder / ".board.lock").open("w")
        except OSError as error:
            raise CannotWrite(f"The board in {self.folder} cannot be written.", seen=str(error.strerror)) from None
        with stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
