"""What kinds of memory a process is made of, as the kernel lists its mappings (proc(5), smaps)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_HEADER = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ *(.*)")
#: The C library puts one page in front of a thread's stack that nobody may touch; some systems more.
_WIDEST_GUARD = 1 << 16


def resident_kinds(pid: int) -> dict[str, int]:
    """``file_bytes`` and ``stack_bytes`` of resident memory; empty where the kernel does not say."""
    try:
        with Path(f"/proc/{pid}/smaps").open(encoding="utf-8", errors="replace") as lines:
            return count_kinds(lines)
    except OSError:
        return {}


def count_kinds(lines: Iterable[str]) -> dict[str, int]:
    """The same of the text of ``smaps``. Anonymous memory behind a guard page is a thread's stack."""
    counts = {"file_bytes": 0, "stack_bytes": 0}
    kind, guard_end = "", -1
    for line in lines:
        if header := _HEADER.match(line):
            start, end = int(header[1], 16), int(header[2], 16)
            kind = _kind(header[4].strip(), behind_guard=start == guard_end and header[3] == "rw-p")
            guard_end = end if header[3] == "---p" and end - start <= _WIDEST_GUARD else -1
        elif kind and line.startswith("Rss:"):
            counts[kind] += int(line.split()[1]) * 1024
    return counts


def _kind(name: str, *, behind_guard: bool) -> str:
    if name == "[stack]" or (behind_guard and not name):
        return "stack_bytes"
    return "file_bytes" if name and not name.startswith("[") else ""
