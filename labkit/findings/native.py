"""What C code keeps, from memray's recording with native stacks: by whom it was asked for, and from which line.

memray says what was allocated in its window and still there at the end. One window is no trend: this is looked at only
where private memory grows with the requests, and no Python object explains it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from labkit.findings.allocation import NOT_THE_APP
from labkit.findings.model import AllocationSite
from labkit.store.capture import Capture
from labkit.store.recordings import Row, read_rows

#: Memory that Python's own allocator asks for is Python's: its objects are in the heap.
PYTHONS_OWN = re.compile(r"_?Py(Object|Mem)_(Raw)?(Malloc|Calloc|Realloc)|_PyObject_Arena\w+|new_arena|pymalloc_alloc")
#: Source files of CPython's core (Objects/, Python/), as debug information names them.
INTERPRETERS_FILES = re.compile(
    r"(.*/)?(\w*object|abstract|bltinmodule|bytecodes|call|ceval\w*|compile|context|errors|gc|gcmodule|generated_cases.c|"
    r"getargs|hamt|import|modsupport|obmalloc|pycore_\w+|structseq|\w*allocators)\.[ch]"
)
#: Its functions, where there is no such information: what it exports, and by what calls go on.
INTERPRETERS_NAMES = re.compile(
    r"_?Py[A-Z_]|<unknown>$|\?$|\w*vectorcall|cfunction_|(type|method)_(call|new)|slot_tp_|\w*call_trace|trace_"
)
UNKNOWN = "<unknown>"

Key = tuple[str, str, str, int]


@dataclass(frozen=True)
class NativeGrowth:
    """``function`` of C code asked for it, called from the Python ``caller``; ``site`` is the app's own line.

    Where seconds were counted, the rates are per second.
    """

    function: str
    caller: str
    site: AllocationSite | None
    allocations_per_request: float
    bytes_per_request: float


def was_recorded(capture: Capture) -> bool:
    """Whether there is a recording with the stacks of C code, and the number of its requests or seconds."""
    return bool(_windows(capture))


def native_growth(capture: Capture) -> NativeGrowth | None:
    """The caller of C code that left most bytes behind, over all workers; None when none did, or none was recorded.

    What Python's own allocator handed out is what live objects are made of, too: it is looked at by
    ``small_growth`` alone.
    """
    return _most(capture, lambda row: None if row.is_small else _key(row))


def small_growth(capture: Capture) -> NativeGrowth | None:
    """Whose calls left most bytes of Python's own allocator behind: objects counted once too often, say.

    ``function`` is the extension's, empty where the interpreter itself made the objects for ``caller``.
    """
    return _most(capture, lambda row: _small_key(row) if row.is_small else None)


def _most(capture: Capture, key_of: Callable[[Row], Key | None]) -> NativeGrowth | None:
    sizes: Counter[Key] = Counter()
    counts: Counter[Key] = Counter()
    windows = _windows(capture)
    units = max((number for number, _ in windows), default=0)
    for _, rows in windows:
        for row in rows:
            key = key_of(row)
            if key is not None:
                sizes[key] += row.size_bytes or 0
                counts[key] += row.count
    if not sizes:
        return None
    most = max(sizes, key=lambda key: (sizes[key], key))
    function, caller, file, line = most
    site = AllocationSite(file=file, line=line, function=caller) if line else None
    return NativeGrowth(function, caller, site, counts[most] / units, sizes[most] / units)


def _windows(capture: Capture) -> list[tuple[float, tuple[Row, ...]]]:
    """Each recording's rows, and how many of what the series counts fell into its window."""
    load = capture.manifest.get("load")
    in_seconds = isinstance(load, dict) and load.get("unit") == "second"
    found = []
    for entry in capture.recordings:
        units = entry.window_s if in_seconds else entry.requests
        if entry.tool == "memray" and units and "over" in entry.files and not entry.why_not:
            try:
                rows = read_rows(capture.folder, entry, "over")
            except (OSError, ValueError):  # told beside what the tool saw
                continue
            if any(row.places and not _is_python(row.places[0][0]) for row in rows):
                found.append((units, rows))
    return found


def _key(row: Row) -> Key | None:
    """The outermost C function above Python, the Python function that called it, and the app's own line if any."""
    python = next((place for place, (file, _) in enumerate(row.places) if _is_python(file)), len(row.places))
    if python == 0 or any(PYTHONS_OWN.fullmatch(name) for name in row.functions[:python]):
        return None
    named = [name for name in row.functions[:python] if name not in (UNKNOWN, "?")]
    return named[0] if named else "", *_caller(row, python)


def _small_key(row: Row) -> Key | None:
    """By the first C function on the way from Python that is not the interpreter's own."""
    python = next((place for place, (file, _) in enumerate(row.places) if _is_python(file)), len(row.places))
    if python == len(row.places):
        return None
    names = (row.functions[place] for place in range(python - 1, -1, -1) if not _is_interpreters(row, place))
    return next(names, ""), *_caller(row, python)


def _is_interpreters(row: Row, place: int) -> bool:
    name, file = row.functions[place], row.places[place][0]
    return bool(INTERPRETERS_FILES.fullmatch(file) or INTERPRETERS_NAMES.match(name))


def _caller(row: Row, python: int) -> tuple[str, str, int]:
    """The Python function at ``python``, and the file and line of the app's own nearest to it."""
    caller = row.functions[python] if python < len(row.places) else ""
    own = (place for place in row.places[python:] if _is_python(place[0]) and not _is_library(place[0]))
    file, line = next(own, ("", 0))
    return caller, file, line


def _is_python(file: str) -> bool:
    return file.endswith(".py")


def _is_library(file: str) -> bool:
    return any(part in file for part in NOT_THE_APP)
