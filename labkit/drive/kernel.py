"""What the kernel says about a process, and will do to it: what it has open, its limits, the most memory it had."""

from __future__ import annotations

import os
import re
import resource
import tempfile
from collections import Counter
from pathlib import Path

_RANDOM = re.compile(r"(?<=[-_/])[a-z0-9_]{8}(?=[/. ]|$)")


def open_things(pid: int) -> Counter[str]:
    """How many of what: ``socket``, ``pipe``, or the path; the random part of a temporary file's name is ``*``."""
    folder = Path(f"/proc/{pid}/fd")
    return Counter(_named(link) for link in map(_link, folder.iterdir()) if link)


def limit_descriptors(pid: int, count: int) -> None:
    """From now on it may have so many descriptors open, as after ``prlimit --nofile``."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (count, hard))


def forget_peak(pid: int) -> int:
    """Begin to watch for the most memory anew; resident memory now, in bytes (proc(5), clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return _status_bytes(pid, "VmRSS")


def peak_bytes(pid: int) -> int:
    """The most resident memory it had since ``forget_peak``."""
    return _status_bytes(pid, "VmHWM")


def _status_bytes(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _link(entry: Path) -> str:
    try:
        return os.readlink(entry)  # noqa: PTH115  the text of the link, no path
    except FileNotFoundError:  # closed since
        return ""


def _named(link: str) -> str:
    kind, colon, _ = link.partition(":[")
    if colon or link.startswith("anon_inode:"):
        return kind
    return _RANDOM.sub("*", link) if link.startswith(tempfile.gettempdir()) else link
