"""A PostgreSQL for a lesson where it is installed; where it is not, the lesson's apps are told to use SQLite."""

from __future__ import annotations

import atexit
import importlib.util
from contextlib import ExitStack
from dataclasses import dataclass

from labkit.drive.postgresql import binaries, running
from labkit.errors import CaptureError

_WITHOUT = "which changes nothing that follows: the small pools of the lesson behave as the large ones do"
_stack = ExitStack()
_started: dict[str, LessonDatabase] = {}


@dataclass(frozen=True)
class LessonDatabase:
    """What the apps of a lesson are given, and what to tell the learner about it."""

    where: str
    words: str

    @property
    def environment(self) -> dict[str, str]:
        """For the server."""
        return {"LESSON_DATABASE": self.where}

    def __repr__(self) -> str:
        return self.words


def database(kind: str = "postgresql") -> LessonDatabase:
    """Started at the first call; it ends with the kernel. ``"sqlite"`` where PostgreSQL is not wanted."""
    if kind not in _started:
        _started[kind] = LessonDatabase("", f"SQLite, {_WITHOUT}") if kind == "sqlite" else _start()
    return _started[kind]


def _start() -> LessonDatabase:
    programs = binaries()
    if programs is None or not all(importlib.util.find_spec(name) for name in ("psycopg", "psycopg_pool")):
        return LessonDatabase("", f"SQLite, since PostgreSQL or psycopg is not here, {_WITHOUT}")
    try:
        where = _stack.enter_context(running(programs)).where
    except (CaptureError, OSError) as error:
        return LessonDatabase("", f"SQLite, {_WITHOUT}. ({error})")
    return LessonDatabase(where, f"PostgreSQL {programs.parent.name} in a temporary folder; it ends with this notebook")


atexit.register(_stack.close)
