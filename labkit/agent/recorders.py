"""Recorders that work inside this process for a while: memray and tracemalloc, each with an end it cannot outlive.

Whoever starts one says for how long at most. Should the caller be gone by then, the agent's own thread ends it.
"""

import _tracemalloc
import os
import sys
import time

LOOK_AGAIN_MS = 1000
MOST_BYTES = 1 << 30  # of memray's file


class Lease:
    """A recorder at work: ``end`` ends it, ``path`` is the file that must not grow without bound."""

    def __init__(self, end, limit_s, path=None):
        self.end = end
        self.path = path
        self.until = time.monotonic() + limit_s

    def is_over(self):
        """Past its time, or its file is too large."""
        try:
            full = self.path is not None and os.stat(self.path).st_size > MOST_BYTES
        except OSError:
            full = False
        return full or time.monotonic() > self.until


_leases: dict[str, Lease] = {}
_ended_early: dict[str, str] = {}
_imported_here: list[str] = []


def start_memray(path, limit_s, native=False, small=False):
    """Have memray write every allocation from now on to the new file ``path``; return its version.

    ``native``: with the stacks of C code; ``small``: with each thing that Python's own allocator hands out.
    Raises RuntimeError when memray is not installed for this interpreter, or
    records already.
    """
    if is_memray_at_work():
        raise RuntimeError("memray records in this process already")
    found_loaded = "memray" in sys.modules
    try:
        import memray
    except ImportError:
        raise RuntimeError("memray is not installed for the worker's interpreter; try: pip install memray") from None
    if not found_loaded:
        _imported_here.append("memray")
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    os.close(handle)
    tracker = memray.Tracker(
        destination=memray.FileDestination(path, overwrite=True, compress_on_exit=True),
        native_traces=native,
        trace_python_allocators=small,
        memory_interval_ms=LOOK_AGAIN_MS,
    )
    tracker.__enter__()
    _leases["memray"] = Lease(lambda: tracker.__exit__(None, None, None), limit_s, path)
    return memray.__version__


def start_tracemalloc(frames, limit_s):
    """Switch tracemalloc on; an app that did so itself keeps its own."""
    if _tracemalloc.is_tracing():
        return
    _tracemalloc.start(frames)
    _leases["tracemalloc"] = Lease(_tracemalloc.stop, limit_s)


def end(name):
    """End a recorder that was started here. RuntimeError when it ended by itself; nothing when it is the app's."""
    lease = _leases.pop(name, None)
    if lease is not None:
        lease.end()
    elif name in _ended_early:
        raise RuntimeError(_ended_early.pop(name))


def end_overdue():
    """End those whose time is over: their callers have gone, or their file has grown too large."""
    for name, lease in list(_leases.items()):
        if lease.is_over():
            _ended_early[name] = f"{name} was ended before: its time was over, or its file had {MOST_BYTES >> 20} MB"
            del _leases[name]
            lease.end()


def are_at_work():
    """Whether anything has to be looked at again."""
    return bool(_leases)


def put_away():
    """In a process forked from this one: what records there is not its own."""
    _leases.clear()


def is_memray_at_work():
    """Whether memray records, as far as can be told: one who imported it without us may have started it."""
    return "memray" in _leases or ("memray._memray" in sys.modules and "memray" not in _imported_here)


def require_no_memray():
    """Raise RuntimeError while memray records: a forked Python child would write into its file, which is shared."""
    if is_memray_at_work():
        raise RuntimeError("memray is at work in this process, and a child in Python would write into its recording")
