"""Looking at a worker from outside."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

import psutil

from labkit.store.capture import Sample

_POLL_S = 0.02
_QUIET_POLLS = 5  # the kernel counts CPU time in ticks of 10 ms: one unchanged look says little


def sample(process: psutil.Process, *, time_s: float, rung: int, requests: int) -> Sample:
    """Look at one worker now; raises psutil.Error when it is gone."""
    with process.oneshot():
        memory = process.memory_full_info()
        threads = process.num_threads()
    descriptors, sockets = _descriptors(process.pid)
    return Sample(
        time_s=round(time_s, 4),
        rung=rung,
        pid=process.pid,
        requests=requests,
        rss_bytes=memory.rss,
        uss_bytes=memory.uss,
        descriptors=descriptors,
        sockets=sockets,
        threads=threads,
    )


def settle(processes: Iterable[psutil.Process], limit_s: float = 1.0) -> bool:
    """Wait until the processes use no CPU time; False when they still do after ``limit_s``."""
    watched = list(processes)
    give_up = time.monotonic() + limit_s
    used, quiet = _cpu_s(watched), 0
    while quiet < _QUIET_POLLS:
        if time.monotonic() > give_up:
            return False
        time.sleep(_POLL_S)
        before, used = used, _cpu_s(watched)
        quiet = quiet + 1 if used == before else 0
    return True


def wait_for_descriptors(pid: int, count: int, limit_s: float = 0.5) -> None:
    """Wait a moment until the process has no more descriptors than ``count``.

    The agent closes its end of a conversation just after its answer has arrived.
    """
    give_up = time.monotonic() + limit_s
    while _descriptors(pid)[0] > count and time.monotonic() < give_up:
        time.sleep(0.005)


def _cpu_s(processes: list[psutil.Process]) -> float:
    return sum(times.user + times.system for times in (process.cpu_times() for process in processes))


def _descriptors(pid: int) -> tuple[int, int]:
    """All descriptors, and how many of them are sockets."""
    kinds: list[str] = []
    folder = f"/proc/{pid}/fd"
    try:
        names = os.listdir(folder)  # noqa: PTH208  kept as names: nothing here is opened
    except FileNotFoundError:
        raise psutil.NoSuchProcess(pid) from None
    for name in names:
        try:
            kinds.append(os.readlink(f"{folder}/{name}"))  # noqa: PTH115  the text of the link, no path
        except FileNotFoundError:  # closed since
            continue
    return len(kinds), sum(kind.startswith("socket:") for kind in kinds)
