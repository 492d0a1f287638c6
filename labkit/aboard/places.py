"""Where in the app a call came from: the innermost frame that is neither a library's nor the interpreter's.

Read are names of code and line numbers, never a frame's variables; no frame is kept.
"""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Final

from .records import UNKNOWN

Place = tuple[str, int, str]
NOWHERE: Final[Place] = (UNKNOWN, 0, UNKNOWN)
MOST_FRAMES = 200
MOST_FILES = 10_000
MOST_CHARACTERS = 200

# Packages of site-packages that stand between an app and its connections.
LIBRARIES = frozenset(("sqlalchemy", "psycopg", "psycopg_pool", "psycopg2", "greenlet", "labkit"))
# Beyond these frames nothing belongs to the request any more.
SERVERS = frozenset(("falcon", "gunicorn", "uvicorn", "uvloop", "hypercorn", "waitress", "starlette"))

_SKIP: Final = "skip"
_STOP: Final = "stop"
_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_STANDARD = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_LOOPS = tuple(_STANDARD + os.path.join("asyncio", name) for name in ("events.py", "base_events.py", "runners.py"))
_INSTALLED = tuple(os.sep + name + os.sep for name in ("site-packages", "dist-packages"))


class Places:
    """Knows which files are the app's. Its answers are kept by file name, whose number is bounded."""

    def __init__(self, skip: tuple[str, ...] = ()) -> None:
        self._libraries = LIBRARIES | frozenset(skip)
        self._known: dict[str, tuple[str, str]] = {}

    def of_caller(self) -> Place:
        """File, line and function of the innermost frame of the app."""
        frame: FrameType | None = sys._getframe(1)
        known = self._known
        for _ in range(MOST_FRAMES):
            if frame is None:
                frame = _beyond_greenlet()
                if frame is None:
                    break
            code = frame.f_code
            what, name = known.get(code.co_filename) or self._learn(code.co_filename)
            if not what:
                return name, frame.f_lineno or 0, code.co_qualname[:MOST_CHARACTERS]
            if what is _STOP:
                break
            frame = frame.f_back
        return NOWHERE

    def _learn(self, path: str) -> tuple[str, str]:
        """What to do with frames of a file, and its relative name if they are the app's."""
        answer = self._judge(path)
        if len(self._known) < MOST_FILES:
            self._known[path] = answer
        return answer

    def _judge(self, path: str) -> tuple[str, str]:
        if path.startswith((_HERE, "<frozen ")):
            return _SKIP, ""
        for marker in _INSTALLED:
            _, found, inside = path.rpartition(marker)
            if found:
                package = inside.partition(os.sep)[0].removesuffix(".py")
                if package in SERVERS:
                    return _STOP, ""
                return (_SKIP, "") if package in self._libraries else ("", inside[-MOST_CHARACTERS:])
        if path.startswith(_STANDARD):
            return (_STOP if path in _LOOPS else _SKIP), ""
        return "", _relative(path)[-MOST_CHARACTERS:]


def _relative(path: str) -> str:
    """The file below the longest folder of the import path that holds it; else its last name alone."""
    folders = [os.path.abspath(folder) + os.sep for folder in sys.path if isinstance(folder, str)]
    holding = [folder for folder in folders if path.startswith(folder)]
    return path[len(max(holding, key=len)) :] if holding else os.path.basename(path)


def _beyond_greenlet() -> FrameType | None:
    """Where the greenlet that runs was switched to: SQLAlchemy's asyncio engines run in one of their own."""
    greenlet = sys.modules.get("greenlet")
    if greenlet is None:
        return None
    parent = greenlet.getcurrent().parent
    frame: FrameType | None = parent.gr_frame if parent is not None else None
    return frame
