"""The files that prometheus_client's multi-process mode keeps for each worker, and what becomes of them.

Each worker writes ``counter_PID.db``, ``gauge_liveall_PID.db`` and so on into one folder; whoever is scraped reads them
all. The library itself removes few of a dead worker's files, so that the folder grows with every restart. Removing
counters would be wrong too: their sum would fall, which reads as a restart. So a dead worker's counts are first added
to one file per kind, ``counter_gone.db``, and then all its files go.

In Gunicorn's configuration file: ``from labkit_aboard.worker_files import child_exit``. Other servers have no such
hook: there each scrape looks for workers that are gone (``sweep``).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_OF_A_WORKER = re.compile(r"(?P<kind>[a-z]+(?:_[a-z]+)?)_(?P<pid>\d+)\.db")
_GONE = "gone"
_NEW_S = 10.0

# How the values of two processes become one. What is not here says something about a living process only.
_Value = tuple[float, float]
_FOLDED: dict[str, Callable[[_Value, _Value], _Value]] = {
    "counter": lambda one, other: (one[0] + other[0], 0.0),
    "histogram": lambda one, other: (one[0] + other[0], 0.0),
    "summary": lambda one, other: (one[0] + other[0], 0.0),
    "gauge_sum": lambda one, other: (one[0] + other[0], 0.0),
    "gauge_min": min,
    "gauge_max": max,
    "gauge_mostrecent": lambda one, other: one if one[1] > other[1] else other,
}


def folder() -> str | None:
    """Where the workers write; None outside multi-process mode."""
    return os.environ.get(_FOLDER_VARIABLE) or None


def child_exit(server: Any, worker: Any) -> None:
    """Gunicorn's hook, called in the arbiter whenever a worker has ended, however it ended.

    It waits for nobody: when a scrape is reading just now, the next one clears up.
    """
    path = folder()
    if path is None:
        return
    with contextlib.suppress(OSError), locked(path, patience_s=0.2) as have:
        if have:
            fold(path, worker.pid)


@contextlib.contextmanager
def locked(path: str, *, patience_s: float) -> Iterator[bool]:
    """One at a time, among all processes: nobody may read while counts move from one file to another."""
    with open(os.path.join(path, "labkit.lock"), "ab") as file:
        give_up = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= give_up:
                    yield False
                    return
                time.sleep(0.01)
            else:
                yield True
                return


def fold(path: str, pid: int) -> None:
    """Keep what this process counted, and remove all its files. Under ``locked`` only."""
    for name, kind, owner in _worker_files(path):
        if owner != pid:
            continue
        file = os.path.join(path, name)
        if kind in _FOLDED:
            _add(file, os.path.join(path, f"{kind}_{_GONE}.db"), _FOLDED[kind])
        with contextlib.suppress(FileNotFoundError):
            os.remove(file)


def sweep(path: str, *, thoroughly: bool = False) -> None:
    """Fold the files of all processes that are gone. Under ``locked`` only.

    ``thoroughly`` also finds those whose number another program has got meanwhile. Nothing is done where numbers in
    file names are not process ids: prometheus_client can be told to use others.
    """
    pids = {owner for _, _, owner in _worker_files(path)}
    if os.getpid() not in pids:
        return
    for pid in pids - {os.getpid()}:
        if not _runs(pid) or (thoroughly and _is_somebody_else(path, pid)):
            fold(path, pid)


def _worker_files(path: str) -> list[tuple[str, str, int]]:
    matches = [match for name in os.listdir(path) if (match := _OF_A_WORKER.fullmatch(name))]
    return [(match[0], match["kind"], int(match["pid"])) for match in matches]


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except (FileNotFoundError, ProcessLookupError):
        return False
    except (OSError, IndexError):
        return True


def _is_somebody_else(path: str, pid: int) -> bool:
    """Whether a running process has none of its files open: a worker keeps them mapped."""
    names = [name for name, _, owner in _worker_files(path) if owner == pid]
    try:
        youngest = max(os.stat(os.path.join(path, name)).st_mtime for name in names)
        with open(f"/proc/{pid}/maps", "rb") as file:
            mapped = file.read()
    except (OSError, ValueError):
        return False
    aged_s = abs(time.time() - youngest)  # a clock set back makes files of the future
    return aged_s > _NEW_S and not any(os.fsencode(f"/{name}") in mapped for name in names)


def _add(source: str, target: str, combine: Callable[[_Value, _Value], _Value]) -> None:
    """Add one file's values to another's. A file cut short by the end of its process is given up."""
    from prometheus_client.mmap_dict import MmapedDict

    values: dict[str, _Value] = {}
    with contextlib.suppress(Exception):
        for key, value, timestamp, _ in MmapedDict.read_all_values_from_file(source):
            values[key] = (value, timestamp)
    if not values:
        return
    kept = MmapedDict(target)
    try:
        before = {key: (value, timestamp) for key, value, timestamp in kept.read_all_values()}
        for key, value in values.items():
            kept.write_value(key, *(combine(before[key], value) if key in before else value))
    finally:
        kept.close()
