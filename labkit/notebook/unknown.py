"""A service nobody has seen: its ticket, what labkit finds in it, what holds its memory, whether it is cured."""

from __future__ import annotations

from pathlib import Path

from IPython.display import HTML

from labkit.course.classroom import Classroom, new_class
from labkit.course.workspace import Workspace
from labkit.notebook.running import record
from labkit.store.capture import Capture
from labkit.views import course


class UnknownService:
    """The service of one team of a class; a cell that ends with it shows the ticket."""

    def __init__(self, room: Classroom, team: str) -> None:
        self._room, self._team = room, room.team(team)
        self.file = room.service_file(self._team)

    def _repr_html_(self) -> str:
        title, _, rest = self.file.with_name("TICKET.md").read_text(encoding="utf-8").partition("\n")
        symptom = rest.partition("\n## ")[0].strip()
        return course.ticket_card(title.lstrip("# "), symptom, self.file)

    def record(self) -> Capture:
        """Run it under its load."""
        return record(str(self.file.with_name("load.toml")))

    def answer(self, name: str) -> HTML:
        """Say what holds the memory, as ``"service.NAME"``: right, near or wrong, and never what is right."""
        verdict = self._room.answer(self._team, name)
        self._room.board.note_answer(self._team, verdict)
        return HTML(course.answer_card(name, verdict))

    def check(self) -> HTML:
        """Measure ``service.py`` as it is now: its users are answered as before, and nothing grows any more."""
        graded = self._room.check(self._team)
        self._room.board.note_check(self._team, graded.passed)
        return HTML(course.grade_card(graded.passed, graded.reason, graded.lesson, "You are done.", 0))


def unknown(which: int | str) -> UnknownService:
    """The service of a number, made in your working folder the first time; or that of a team, ``"../class/team-2"``."""
    if isinstance(which, str):
        return UnknownService(Classroom(Path(which).parent), Path(which).name)
    folder = Workspace().folder / f"unknown-{which}"
    room = Classroom(folder) if folder.exists() else new_class(folder, 1, which)[0]
    return UnknownService(room, "team-1")
