"""What Linux says of this very process: one small file each, None where it says nothing."""

from __future__ import annotations

import os
import resource

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

# Of /proc/self/stat, counted behind the name of the program, which may contain anything.
_THREADS, _RESIDENT_PAGES = 17, 21


def resident_bytes_and_threads() -> tuple[int, int] | None:
    """Resident memory, shared pages included, and the number of threads."""
    try:
        with open("/proc/self/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return int(fields[_RESIDENT_PAGES]) * _PAGE_BYTES, int(fields[_THREADS])
    except (OSError, ValueError, IndexError):
        return None


def unique_and_anonymous_bytes() -> tuple[int, int] | None:
    """Memory no other process has (USS): what would be free if this process ended. And memory that is no file's.

    Of what a forked worker shares with its master, a page becomes unique when either writes to it; it was anonymous
    before and after. Swapped pages are in both. The kernel visits every page for it: some milliseconds for a GB.
    """
    unique = anonymous = 0
    try:
        with open("/proc/self/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith((b"Private_", b"SwapPss:")):
                    unique += int(line.split()[1]) * 1024
                if line.startswith((b"Anonymous:", b"SwapPss:")):
                    anonymous += int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        return None
    return unique, anonymous


def open_descriptors() -> int | None:
    """Open files, sockets and pipes."""
    try:
        return len(os.listdir("/proc/self/fd")) - 1  # one was open to list them
    except OSError:
        return None


def descriptors_limit() -> int | None:
    """How many descriptors this process may have open; None when there is no limit."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if soft == resource.RLIM_INFINITY else soft
