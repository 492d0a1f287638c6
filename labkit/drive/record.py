"""The order of a recording: start, warm up, snapshot, rungs, a second pass for the sites, publish."""

from __future__ import annotations

import platform
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from labkit import __version__
from labkit.cases import Load, Target
from labkit.drive.beside_heap import LOOKERS, Recorders, Window
from labkit.drive.judgement import Judge, Judgement, Rounds
from labkit.drive.measure import Measurement
from labkit.drive.options import RecordOptions
from labkit.drive.processes import termination_unwinds
from labkit.drive.progress import SNAPSHOT_WORK, Progress
from labkit.drive.server import Server
from labkit.store.capture import Capture, CaptureWriter

ALLOCATION_RUNGS = 2
_FEWEST_TRACED_REQUESTS = 50
_TRACED_TIMEOUT_FACTOR = 10  # tracemalloc with many frames slows an app that far
_WINDOW_RUNGS = 4  # other tools' windows; a shorter one is over too soon to say how much slower the app was
_TRACED_RUNG_S = 20.0  # an app that is slowed further is played less: its lines show all the same


def record(
    target: Target, options: RecordOptions, out_dir: Path, command: str, progress: bool, judge: Judge | None = None
) -> Capture:
    """Serve ``target``, play its load, and write a capture to ``out_dir``.

    ``judge`` looks at what was recorded and says whether to go on (as long as the budget lasts), whether there is
    anything to find allocation sites for, and whether C code is to be recorded; without it what was asked for is done.
    Raises CaptureError (its kinds are in ``labkit.errors``) when the app, its server or the agent do
    not do what is needed, NotACapture when ``out_dir`` exists. However it ends, no process is left,
    and without a finished capture no file.
    """
    bar = Progress(_work(target.load, options), show=progress)
    with termination_unwinds(), CaptureWriter(out_dir) as writer, bar:
        about = {
            "label": target.label,
            "command": command,
            "load": target.load.model_dump(mode="json"),
            "server": options.server_facts(),
        }
        settled, judged = _measure(target, options, writer, bar, about, judge)
        if options.allocation_pass and judged.has_suspects:
            settled &= _trace(target, options, writer, bar)
        if judged.asks_for_native and "memray" not in options.tools:
            options = replace(options, tools=(*options.tools, "memray"), native=True)
        if options.tools:
            _record_beside(target, options, writer, bar)
        return writer.publish(**about, settled=settled)


def _measure(
    target: Target,
    options: RecordOptions,
    writer: CaptureWriter,
    bar: Progress,
    about: dict[str, Any],
    judge: Judge | None,
) -> tuple[bool, Judgement]:
    """The pass that is measured; its last snapshot is taken under load and then discarded. Adds to ``about``."""
    load = target.load
    bar.doing("start the server")
    with Server(target, options, writer.log_path) as server:
        bar.advance()
        if server.why_no_walker:
            writer.note(why_no_compiled_walker=server.why_no_walker)
        os_name = f"{platform.system()} {platform.machine()}"
        about["versions"] = {"labkit": __version__, **server.interpreter.versions, "platform": os_name}
        measurement = Measurement(server, load, options, writer, bar)
        rounds = Rounds(measurement, load.requests_per_rung, options.budget_s, options.confirming_share)
        measurement.play("warm up", load.warmup_requests)
        measurement.snapshot(0)
        for rung in range(1, load.rungs + 1):
            measurement.play(f"rung {rung} of {load.rungs}", load.requests_per_rung)
            measurement.snapshot(rung)
        judged = Judgement()
        if judge is not None:
            judged = rounds.play(load.rungs, lambda: judge(writer.preview(**about, settled=measurement.settled)))
        measurement.snapshot_under_load(writer.folder / "discarded.heap")
        return measurement.settled, judged


def _trace(target: Target, options: RecordOptions, writer: CaptureWriter, bar: Progress) -> bool:
    """The pass that remembers allocation sites, on a server of its own: tracing disturbs what it watches."""
    load = target.load
    requests = _traced_requests(load)
    timeout_s = _TRACED_TIMEOUT_FACTOR * options.request_timeout_s
    bar.doing("start the server again")
    with Server(target, options, writer.log_path) as server:
        bar.advance()
        measurement = Measurement(server, load, options, writer, bar)
        measurement.play("warm up", load.warmup_requests)
        measurement.trace_allocations()
        for rung in range(1, ALLOCATION_RUNGS + 1):
            what = f"allocation sites, {rung} of {ALLOCATION_RUNGS}"
            measurement.play(what, requests, timeout_s, limit_s=_TRACED_RUNG_S)
        measurement.snapshot(ALLOCATION_RUNGS, sites=True)
        writer.note(allocation_frames=options.allocation_frames)
        return measurement.settled


def _record_beside(target: Target, options: RecordOptions, writer: CaptureWriter, bar: Progress) -> None:
    """The pass in which other tools record, one after the other; a window is four rungs, or what is quick of them."""
    load = target.load
    timeout_s = _TRACED_TIMEOUT_FACTOR * options.request_timeout_s
    bar.doing("start the server again")
    with Server(target, options, writer.log_path) as server:
        bar.advance()
        measurement = Measurement(server, load, options, writer, bar)
        measurement.play("warm up", load.warmup_requests)

        def window(what: str) -> Window:
            before, began = measurement.requests, time.monotonic()
            measurement.play(what, _WINDOW_RUNGS * load.requests_per_rung, timeout_s, limit_s=_TRACED_RUNG_S)
            return Window(time.monotonic() - began, measurement.requests - before)

        limit_s = _TRACED_RUNG_S + timeout_s
        native = options.native
        Recorders(server.workers, options.tools, writer, window, limit_s, native=native, small=native).run()


def _traced_requests(load: Load) -> int:
    return max(_FEWEST_TRACED_REQUESTS, load.requests_per_rung // 2)


def _work(load: Load, options: RecordOptions) -> int:
    """All that the bar counts, roughly: visits are played whole."""
    work = load.warmup_requests + load.rungs * load.requests_per_rung + SNAPSHOT_WORK * (load.rungs + 3)
    if options.allocation_pass:
        work += load.warmup_requests + ALLOCATION_RUNGS * _traced_requests(load) + SNAPSHOT_WORK * 2
    if options.tools:
        windows = 1 + len([tool for tool in options.tools if tool not in LOOKERS])
        work += load.warmup_requests + windows * _WINDOW_RUNGS * load.requests_per_rung + SNAPSHOT_WORK
    return work
