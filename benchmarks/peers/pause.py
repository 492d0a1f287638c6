"""How long labkit makes a process stand still, beside a bare fork of the same process, in turns; and what it copies.

The pause is the time in the live process from before the child is made until it goes on. A bare fork is ``os.fork``
whose child leaves at once.

Pages copied: the child's last words go into a pipe that is full, so that the child, done with everything, waits.
Meanwhile this process has done nothing. A page that one of the two has written is no longer shared, so what the kernel
calls Private_Dirty of this process (proc_pid_smaps(5)) is what the child has copied, and the few pages this process
has written itself since: an upper bound. The child's own buffers are not in it.
"""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from peers import memory
from peers.steps import Steps

TURNS = 9
QUIET_LOOKS = 5


def pause(steps: Steps, folder: Path, walker: str) -> None:
    """Medians over turns of the bare fork and of the compiled walker, then the pages its child copies."""
    from labkit.agent import compiled, snapshot

    if refused := compiled.load(walker):
        raise RuntimeError(refused)
    path = str(folder / "pause.heap")
    bare, ours = [], []
    for _ in range(TURNS):
        bare.append(_bare_fork_s())
        ours.append(snapshot.take(path, 3600)["pause_ms"] / 1000)
    rss_bytes = memory.rss_bytes()
    steps.note(
        "pause",
        bare_fork_s=statistics.median(bare),
        labkit_s=statistics.median(ours),
        ratio=statistics.median(mine / other for mine, other in zip(ours, bare, strict=True)),
        rss_bytes=rss_bytes,
        copied_bytes=_copied_bytes(
            lambda write_end: compiled.start(path + ".copied", write_end, 3600, compiled.prepare())
        ),
    )


def _bare_fork_s() -> float:
    gc.disable()
    begun_s = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    taken_s = time.perf_counter() - begun_s
    gc.enable()
    os.waitpid(pid, 0)
    return taken_s


def _copied_bytes(start: Callable[[int], int]) -> int:
    """Private pages of this process while the child, at its end, waits for room in the pipe."""
    read_end, write_end = os.pipe()
    _fill(write_end)
    gc.disable()
    pid = start(write_end)
    _wait_until_asleep(pid)
    copied_bytes = memory.private_dirty_bytes()
    os.close(write_end)
    while os.read(read_end, 1 << 20):
        pass
    os.close(read_end)
    os.waitpid(pid, 0)
    gc.enable()
    return copied_bytes


def _fill(write_end: int) -> None:
    os.set_blocking(write_end, False)
    try:
        while True:
            os.write(write_end, bytes(512))
    except BlockingIOError:
        os.set_blocking(write_end, True)


def _wait_until_asleep(pid: int) -> None:
    """Until the child has slept, and used no time, for several looks."""
    quiet, before = 0, ""
    while quiet < QUIET_LOOKS:
        time.sleep(0.05)
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        now = f"{fields[11]} {fields[12]}"  # CPU ticks, of its own and of the kernel for it
        quiet = quiet + 1 if fields[0] == "S" and now == before else 0
        before = now
