"""The folder of a class: a service for each team, and beside them the trainer's cases with the truth."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from labkit.cases import Case, load_case
from labkit.course.board import Board
from labkit.course.grade import Grade, grade_copy
from labkit.course.services.compose import Service, compose_class
from labkit.course.services.texts import key_text, team_files, trainer_files
from labkit.course.workspace import without_marker
from labkit.errors import CourseError
from labkit.investigation import new_folder
from labkit.store.beside import written_beside

#: Where a class is, unless another folder is named. Git ignores it.
FOLDER = "class"
TRAINER = "trainer"
MOST_TEAMS = 40
Verdict = Literal["right", "near", "wrong"]

_NOISE = re.compile(r"\[[^\]]*\]|[`\"'\s()]|\b(service|leaky|fixed)\.")


@dataclass(frozen=True)
class Classroom:
    """A class that was made; raises CourseError where there is none, or no such team."""

    folder: Path

    @property
    def teams(self) -> tuple[str, ...]:
        """All teams, in their order."""
        found = [file.parent.name for file in (self.folder / TRAINER).glob("*/case.toml")]
        if not found:
            hint = f"labkit class new --teams 4 --seed 7 --out {self.folder}"
            raise CourseError(f"There is no class in {self.folder}.", seen=f"no {TRAINER}/*/case.toml", hint=hint)
        return tuple(sorted(found, key=lambda name: (len(name), name)))

    @property
    def board(self) -> Board:
        """How far each team is."""
        return Board(self.folder, self.teams)

    def team(self, said: str) -> str:
        """The team of that name, number or folder."""
        name = f"team-{said}" if said.isdecimal() else Path(said).name
        if name not in self.teams:
            raise CourseError(f"There is no team {said!r}.", seen=f"there are: {', '.join(self.teams)}")
        return name

    def case(self, team: str) -> Case:
        """What the trainer knows of a team's service."""
        return load_case(self.folder / TRAINER / team)

    def service_file(self, team: str) -> Path:
        """The service a team works on."""
        return self.folder / team / "service.py"

    def check(self, team: str) -> Grade:
        """The team's service, measured: it answers as before, and grows no more."""
        file = self.service_file(team)
        if not file.is_file():
            raise CourseError(f"{team} has no service.", seen=f"no {file}", hint=f"labkit class reset {team}")
        return grade_copy(self.case(team), file, f"{team}: service.py")

    def answer(self, team: str, name: str) -> Verdict:
        """Whether ``name`` is what holds the memory, has to do with it, or has not."""
        return judged(name, self.case(team))

    def reset(self, team: str) -> Path:
        """The untouched service again, nothing done; what the team had is kept as ``service.before-reset.py``."""
        source = self.case(team).app_file("leaky").read_text(encoding="utf-8")
        file = self.service_file(team)
        file.parent.mkdir(exist_ok=True)
        if file.exists():
            file.replace(file.with_name("service.before-reset.py"))
        with written_beside(file) as stream:
            stream.write(without_marker(source))
        self.board.forget(team)
        return file


def new_class(folder: Path, teams: int, seed: int) -> tuple[Classroom, tuple[Service, ...]]:
    """Write a class to a new folder; raises LabkitError where there is something in it."""
    if not 1 <= teams <= MOST_TEAMS:
        raise CourseError(f"{teams} teams are no class.", hint=f"--teams 1 to {MOST_TEAMS}")
    services = compose_class(seed, teams)
    with new_folder(folder):
        for service in services:
            _write(folder / service.name, team_files(service, folder.name))
            _write(folder / TRAINER / service.name, trainer_files(service))
        _write(folder / TRAINER, {"key.md": key_text(services, seed, folder.name)})
        room = Classroom(folder)
        room.board.write_page()
    return room, services


def judged(said: str, case: Case) -> Verdict:
    """A name beside the truth of a case: the holder, something of the same, or another thing."""
    name = _plain(said)
    if not name:
        raise CourseError("An answer is a name.", seen="nothing", hint='labkit class answer team-1 "service.NAME"')
    holders = {_plain(one) for one in (case.truth.retainer, *case.truth.also_accept)}
    if name in holders:
        return "right"
    akin = holders | {_plain(case.truth.grows_type), *_guilty_names(case)}
    return "near" if any(_is_akin(name, one) for one in akin) else "wrong"


def _plain(name: str) -> str:
    """A name without its module, its quotes and its keys."""
    return _NOISE.sub("", name)


def _is_akin(name: str, true: str) -> bool:
    """Whether two names begin with the same: the same object, its class, or something in it."""
    first, other = name.partition(".")[0], true.partition(".")[0]
    return first.casefold() == other.casefold() or name == true


def _guilty_names(case: Case) -> set[str]:
    """Names of classes and functions around the guilty statement."""
    file, first, _ = case.guilty_span()
    lines = file.read_text(encoding="utf-8").splitlines()[:first]
    depth = len(lines[-1]) - len(lines[-1].lstrip())
    names = set()
    for line in reversed(lines):
        found = re.match(r"( *)(?:class|def) (\w+)", line)
        if found and len(found[1]) < depth:
            names.add(found[2])
            depth = len(found[1])
    return names


def _write(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        with written_beside(folder / name) as stream:
            stream.write(text)
