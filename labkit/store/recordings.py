"""What other tools recorded beside the heap: which, of whom, over what, with which files, and at what cost.

In a capture they are listed in the manifest under ``recordings``; their files are in ``recordings/``. Those ending in
``.json`` are labkit's own small form of what the tool said, and are all that analysis reads; the tools' own files stay
beside them for their own viewers.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = "recordings"
MAX_BYTES = 64 << 20
MAX_ROWS = 100_000
_LOOKS = ("before", "after", "over")


@dataclass(frozen=True)
class Recording:
    """One tool's recording of one worker.

    ``files``: by what they are: ``before`` and ``after`` (two looks), ``over`` (the whole window), ``raw`` and
    ``picture`` (the tool's own). ``window_s`` and ``requests`` are the window's length; ``requests`` is None where
    nobody counted. ``cost``: ``pause_ms``, ``took_ms`` (to start or end it), ``uss_bytes``, ``child_peak_bytes``,
    ``file_bytes``, ``cpu_s``, ``requests_per_s`` and ``requests_per_s_without``, each where it was measured.
    ``why_not``: why there is nothing.
    """

    tool: str
    pid: int
    version: str = ""
    window_s: float = 0.0
    requests: int | None = None
    files: dict[str, str] = field(default_factory=dict)
    cost: dict[str, float] = field(default_factory=dict)
    why_not: str = ""

    def to_json(self) -> dict[str, Any]:
        """As it stands in the manifest."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Row:
    """``what``: a type's name, or a place ``file:line``; ``places`` the traceback, innermost first, where there is one,
    ``functions`` the names of its functions, where the tool knows them.

    ``size_bytes`` is None where the tool counts objects alone. ``is_small``: Python's own allocator was asked for it.
    """

    what: str
    count: int
    size_bytes: int | None
    places: tuple[tuple[str, int], ...] = ()
    functions: tuple[str, ...] = ()
    is_small: bool = False


def read_entries(rows: object, folder: Path) -> tuple[Recording, ...]:
    """The manifest's list, checked; ValueError, KeyError or TypeError for anything else."""
    if not isinstance(rows, list):
        raise TypeError("recordings is no list")
    return tuple(_entry(row, folder) for row in rows)


def _entry(row: dict[str, Any], folder: Path) -> Recording:
    entry = Recording(**row)
    texts = (entry.tool, entry.version, entry.why_not, *entry.files, *entry.files.values())
    numbers = (entry.pid, entry.window_s, entry.requests or 0, *entry.cost.values())
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("a recording's texts are none")
    if not all(type(number) in (int, float) and math.isfinite(number) and abs(number) < 2**53 for number in numbers):
        raise ValueError("a recording has a number out of range")
    inside = (folder / FOLDER).resolve()
    for name in entry.files.values():
        if inside != (folder / name).resolve().parent:
            raise ValueError(f"a recording outside the capture: {name!r}")
    return entry


def read_rows(folder: Path, entry: Recording, look: str) -> tuple[Row, ...]:
    """The rows of one look; ValueError when the file is not what labkit writes, OSError when it is not there."""
    path = folder / entry.files[look]
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path.name} is too large")
    said = json.loads(path.read_text(encoding="utf-8"))
    rows = said["rows"] if isinstance(said, dict) else None
    if not isinstance(rows, list) or len(rows) > MAX_ROWS:
        raise ValueError(f"{path.name} holds no rows")
    try:
        return tuple(_ROW_OF[entry.tool](row) for row in rows)
    except (TypeError, IndexError, KeyError) as error:
        raise ValueError(f"{path.name} has a row that is none: {error}") from None


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value < 2**53:
        raise ValueError(f"{value!r} is no count")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _places(rows: list[Any]) -> tuple[tuple[str, int], ...]:
    return tuple((_text(row[-2]), _count(row[-1])) for row in rows)


def _site(row: list[Any]) -> Row:
    places = _places(row[2])
    functions = tuple(_text(place[0]) for place in row[2] if len(place) == len(("function", "file", "line")))
    functions = functions if len(functions) == len(places) else ()
    what = "{}:{}".format(*places[0]) if places else "?"
    if functions and not places[0][1]:  # of C code whose lines nobody knows
        what = f"{functions[0]} (C code)"
    return Row(
        what,
        _count(row[1]),
        _count(row[0]),
        places,
        functions,
        len(row) > len(("bytes", "count", "places")) and row[3] is True,
    )


_ROW_OF: dict[str, Callable[[list[Any]], Row]] = {
    "objgraph": lambda row: Row(_text(row[0]), _count(row[1]), None),
    "guppy3": lambda row: Row(_text(row[0]), _count(row[1]), _count(row[2])),
    "py-spy": lambda row: Row(_text(row[1][0][0]) if row[1] else "?", _count(row[0]), None, _places(row[1])),
    "tracemalloc": _site,
    "memray": _site,
}
TOOLS = tuple(_ROW_OF)
