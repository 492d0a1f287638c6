"""Take snapshots of a live worker: one, or a series over time that can be judged like a recording under load."""

from __future__ import annotations

import dataclasses
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from labkit import __version__
from labkit.agent.client import AgentError
from labkit.drive.beside_heap import Recorders, sleeping_window
from labkit.drive.mappings import resident_kinds
from labkit.drive.processes import is_alive, wait_until
from labkit.drive.workers import LiveWorker
from labkit.errors import AgentFailed, WorkerDied
from labkit.store.beside import beside
from labkit.store.capture import Capture, CaptureWriter, Sample
from labkit.store.pack import pack_snapshot

Report = Callable[[str], None]
PRIVATE = 0o600
SHORTEST_S = 1.001  # between two looks at one worker: their whole seconds then differ, rounded as they are noted


def collect_snapshot(
    worker: LiveWorker, output: Path, deadline_s: float, *, with_values: bool = False
) -> dict[str, Any]:
    """Have ``worker`` write its heap to ``output``, readable by its owner alone; return what it cost.

    ``with_values``: with the beginnings of texts and numbers, which must be asked for.

    Raises AgentFailed with the agent's words, WorkerDied when the worker is gone; then there is no file.
    """
    try:
        process = worker.process
    except psutil.NoSuchProcess:
        raise WorkerDied(f"Worker {worker.pid} has ended.") from None
    try:
        with beside(output.absolute()) as partial:
            cost = worker.files.through(
                partial, lambda seen: worker.agent.snapshot(seen, deadline_s, with_values=with_values)
            )
            partial.chmod(PRIVATE)
            with suppress(OSError):  # no room for a second file beside it: a large snapshot is as good
                pack_snapshot(partial)
    except (AgentError, psutil.Error) as error:
        wait_until(lambda: not is_alive(process), limit_s=1)  # its sockets close before it is gone
        if not is_alive(process):
            raise WorkerDied(f"Worker {worker.pid} ended while its heap was taken.", seen=str(error)) from None
        raise AgentFailed(f"Worker {worker.pid} could not write its heap.", seen=str(error)) from None
    except OSError as error:
        raise AgentFailed(f"{output} could not be written.", seen=str(error.strerror or error)) from None
    return {name: value for name, value in cost.items() if name != "ok"}


def collect_series(
    workers: Sequence[LiveWorker],
    out_dir: Path,
    *,
    snapshots: int,
    every_s: float,
    deadline_s: float,
    command: str,
    report: Report,
    tools: Sequence[str] = (),
    window_s: float = 60,
    native: bool = False,
    told_as: Path | None = None,
    with_values: bool = False,
) -> Capture:
    """A capture of ``snapshots`` snapshots of each worker, ``every_s`` apart; its ``requests`` are seconds.

    Then other ``tools`` record, each over a window of ``window_s``; ``native``: memray with the stacks of C code.
    Each worker is looked at again a second later at the earliest. When a worker ends or the user interrupts, the
    snapshots taken of all workers by then are published all the same, and WorkerDied or KeyboardInterrupt raised.
    Raises NotACapture when ``out_dir`` exists. ``told_as``: what a hint calls it, if that is not where it stays.
    """
    ended: BaseException | None = None
    taken = 0
    looked_s: dict[int, float] = {}
    used_s = {worker.pid: cpu_s(worker) for worker in workers}
    with CaptureWriter(out_dir) as writer:
        writer.folder.chmod(0o700)
        if with_values:
            writer.note(values=True)
        start = time.monotonic()
        try:
            for rung in range(snapshots):
                _wait_until(start + rung * every_s)
                report(f"snapshot {rung + 1} of {snapshots}")
                _look_and_take(workers, writer, rung, start, deadline_s, looked_s, with_values)
                taken += 1
            writer.note(cpu_s=round(sum(cpu_s(worker) - used_s[worker.pid] for worker in workers), 3))
            if tools:
                window = sleeping_window(window_s, report)
                Recorders(workers, tools, writer, window, window_s, native=native).run()
        except (WorkerDied, AgentFailed, KeyboardInterrupt) as error:
            if taken == 0:
                raise
            ended = error
            if taken < snapshots and not isinstance(error, KeyboardInterrupt):
                writer.note(ended_early=f"after {taken} of {snapshots} snapshots. {_first_line(error)}")
        names = ", ".join(str(worker.pid) for worker in workers)
        capture = writer.publish(
            label=f"process {names}" if len(workers) == 1 else f"processes {names}",
            command=command,
            versions={
                "labkit": __version__,
                "python": workers[0].python,
                "platform": f"{platform.system()} {platform.machine()}",
            },
            load={"unit": "second", "every_s": every_s},
            server={},
        )
    if isinstance(ended, KeyboardInterrupt):
        raise ended
    if ended is not None:
        after = f"{taken} of {snapshots} snapshots" if taken < snapshots else "its snapshots, before all had recorded"
        raise WorkerDied(
            f"The series ended after {after}.",
            seen=_first_line(ended),
            hint=f"what was taken by then is in {told_as or out_dir}: labkit triage {told_as or out_dir}",
        )
    return capture


def _look_and_take(
    workers: Sequence[LiveWorker],
    writer: CaptureWriter,
    rung: int,
    start: float,
    deadline_s: float,
    looked_s: dict[int, float],
    with_values: bool,
) -> None:
    taken = []
    try:
        for worker in workers:
            if worker.pid in looked_s:  # one that was late must not fall into the same second as the next
                _wait_until(start + looked_s[worker.pid] + SHORTEST_S)
            before = _look(worker, start, rung)
            looked_s[worker.pid] = before.time_s
            path = writer.heap_path(rung, worker.pid)
            cost = collect_snapshot(worker, path, deadline_s, with_values=with_values)
            # Its second is that of the rung, as everywhere: a heap that takes long must not reach into the next.
            after = dataclasses.replace(_look(worker, start, rung), requests=before.requests)
            cost |= {"uss_before_bytes": before.uss_bytes, "uss_after_bytes": after.uss_bytes}
            kinds = resident_kinds(worker.process.pid)
            cost["memory"] = {"rss_bytes": before.rss_bytes, **kinds, **cost.get("memory", {})}
            taken.append((before, after, path, cost))
    except BaseException:  # a rung without all workers is none: sums over workers would fall
        for *_, path, _ in taken:
            path.unlink(missing_ok=True)
        writer.heap_path(rung, worker.pid).unlink(missing_ok=True)
        raise
    for before, after, path, cost in taken:
        writer.add_snapshot(rung, before.pid, before.requests, path, cost)
        writer.add_sample(before)
        writer.add_sample(after)


def cpu_s(worker: LiveWorker) -> float:
    """CPU time the worker has used, without its children's; 0 when it is gone."""
    try:
        times = worker.process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _look(worker: LiveWorker, start: float, rung: int) -> Sample:
    try:
        return worker.look(start, rung)
    except psutil.Error:
        raise WorkerDied(f"Worker {worker.pid} has ended.") from None


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]


def _wait_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))
