"""What the kernel says of a process's memory, in bytes. Standard library only: it runs beside every contestant."""

from __future__ import annotations

from pathlib import Path


def rss_bytes() -> int:
    """Resident memory of this process now."""
    return _status("VmRSS")


def peak_bytes() -> int:
    """The most resident memory this process has had since ``begin_peak``."""
    return _status("VmHWM")


def begin_peak() -> None:
    """The peak begins anew (proc_pid_clear_refs(5)); where the kernel refuses, it is that of the whole process."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def private_dirty_bytes() -> int:
    """Written pages that no other process shares with this one."""
    return _number("/proc/self/smaps_rollup", "Private_Dirty:")


def _status(name: str) -> int:
    return _number("/proc/self/status", f"{name}:")


def _number(path: str, word: str) -> int:
    for line in Path(path).read_text().splitlines():
        if line.startswith(word):
            return int(line.split()[1]) * 1024
    return 0
