"""The commands for services that already run: ``agent``, ``workers``, ``capture``. They print; no logic lives here."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from labkit.arguments import PROGRAM
from labkit.drive.attach import RISKS, candidate
from labkit.drive.attach import attach as put_into
from labkit.drive.beside_heap import checked_tools
from labkit.drive.collect import collect_series, collect_snapshot
from labkit.drive.ship import ship_agent
from labkit.drive.workers import LiveWorker, live_workers, worker_at, worker_with
from labkit.errors import CannotAttach, CannotWrite, CaptureError, Interrupted
from labkit.store.bundle import pack
from labkit.store.capture import Capture, open_capture
from labkit.views.units import bytes_text
from labkit.views.wording import VALUES_WARNING

BUNDLE = ".capture"  # a whole capture in one file
USES = """
  Gunicorn   gunicorn -c {folder}/labkit_gunicorn.py ...      or  GUNICORN_CMD_ARGS="-c {folder}/labkit_gunicorn.py"
  uWSGI      uwsgi --import {folder}/labkit_uwsgi.py ...      or  UWSGI_IMPORT={folder}/labkit_uwsgi.py
  any other  PYTHONPATH={folder}, and in the app:  import labkit_agent; labkit_agent.start()
"""


def agent(options: argparse.Namespace) -> int:
    """Write the agent to a folder and say how servers load it."""
    shipped = ship_agent(Path(options.folder), options.python)
    print(f"The agent is in {shipped.folder}; each worker that loads it can be asked for snapshots:")
    print(USES.format(folder=shipped.folder))
    if shipped.why_no_walker:
        print(f"It walks in plain Python, several times slower: {shipped.why_no_walker}.")
    print(f"Then: {PROGRAM} workers, {PROGRAM} capture --pid PID -o FILE. More in docs/production.md.")
    return 0


def workers(options: argparse.Namespace) -> int:
    """List the live workers, or print them as JSON."""
    rows = []
    for worker in live_workers(Path(options.dir) if options.dir else None):
        try:
            rows.append(_facts(worker))
        except psutil.Error:  # it ended meanwhile
            continue
    if options.json:
        print(json.dumps(rows, indent=1))
        return 0
    if not rows:
        print("No worker with an agent was found.", file=sys.stderr)
        print(f"  try:  {PROGRAM} agent DIR, which says how a server loads one", file=sys.stderr)
        return 0
    print(f"{'pid':>8}  {'age':>8}  {'RSS':>8}  {'USS':>8}  {'fds':>5}  {'threads':>7}  {'python':<7}  walker  program")
    for row in rows:
        print(
            f"{row['pid']:>8}  {_age(row['age_s']):>8}  {bytes_text(row['rss_bytes']):>8}"
            f"  {bytes_text(row['uss_bytes']):>8}  {row['descriptors']:>5}  {row['threads']:>7}  {row['python']:<7}"
            f"  {row['walker']:<6}  {row['program']}"
        )
    return 0


def _facts(worker: LiveWorker) -> dict[str, Any]:
    look = worker.look(time.monotonic())
    return {
        "pid": worker.pid,
        "age_s": round(worker.age_s()),
        "rss_bytes": look.rss_bytes,
        "uss_bytes": look.uss_bytes,
        "descriptors": look.descriptors,
        "threads": look.threads,
        "python": worker.python,
        "walker": worker.walker,
        "socket": str(worker.socket_path),
        "program": worker.process.name(),  # no arguments: they can hold secrets
    }


def _age(seconds: int) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def attach(options: argparse.Namespace) -> int:
    """Put the agent into a process that was started without it; the risks are told, and nothing is done unasked."""
    found = candidate(options.pid)
    for line in RISKS:
        print(line, file=sys.stderr)
    if not options.yes and not _agreed():
        raise CannotAttach(f"Nothing was done to process {options.pid}.", hint="--yes, if that is acceptable")
    attached = put_into(found, options.wait, _report(options))
    print(f"Stopped for less than {attached.stopped_s:.1f} s. The agent is in {attached.folder}; leave it there.")
    if attached.worker is None:
        raise CannotAttach(
            f"The agent is in process {options.pid} and does not answer yet.",
            seen="its main thread has run no Python since, or it lets no thread run (uWSGI without enable-threads)",
            hint=f"send it a request; {PROGRAM} workers shows it once it answers",
        )
    print(f"Then: {PROGRAM} capture --pid {options.pid} -o FILE")
    return 0


def _agreed() -> bool:
    if not sys.stdin.isatty():
        return False
    print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def capture(options: argparse.Namespace) -> int:
    """One snapshot into a file, or a series into a folder."""
    if bool(options.pid) == bool(options.socket):
        raise CaptureError("Say which worker.", hint=f"--pid PID, or --socket PATH; {PROGRAM} workers lists them")
    options.tools = checked_tools(options.record)
    if options.with_values:
        print(VALUES_WARNING, file=sys.stderr)
    if options.snapshots < 1 or options.every < 0:
        seen = f"--snapshots {options.snapshots}, --every {options.every:g}"
        raise CaptureError(
            "A series needs snapshots, and time between them.", seen=seen, hint="--snapshots 6 --every 60"
        )
    if options.native and "memray" not in options.tools:
        raise CaptureError("--native goes with memray.", seen="no --record memray", hint="--record memray --native")
    pids = list(dict.fromkeys(options.pid or []))  # one worker twice would count twice
    found = [worker_at(Path(options.socket))] if options.socket else [worker_with(pid) for pid in pids]
    output = Path(options.output)
    if not output.absolute().parent.is_dir():
        raise CaptureError(f"There is no folder {output.parent}.", hint="choose another -o, or make the folder")
    if options.snapshots > 1 or options.tools or output.suffix == BUNDLE:
        return _series(options, found, output)
    if len(found) > 1:
        raise CaptureError("One snapshot is of one worker.", hint="--snapshots 6 for a series of several workers")
    if output.exists():
        raise CaptureError(f"{output} exists already; nothing is written over.", hint="choose another -o")
    cost = collect_snapshot(found[0], output, options.deadline, with_values=options.with_values)
    _say_cost(cost)
    print(f"Snapshot: {output}")
    return 0


def _series(options: argparse.Namespace, found: list[LiveWorker], output: Path) -> int:
    try:
        taken = _collected(options, found, output)
    except KeyboardInterrupt:
        if not output.exists():
            raise
        raise Interrupted(
            f"what was taken by then is in {output}; {PROGRAM} triage {output} says what it shows"
        ) from None
    for recording in taken.recordings:
        if recording.why_not:
            print(f"{recording.tool} did not record process {recording.pid}: {recording.why_not}", file=sys.stderr)
    _say_cost(max((entry.cost for entry in taken.snapshots), key=lambda cost: float(cost["pause_ms"])))
    print(f"Capture: {output}\nThen: {PROGRAM} triage {output}, or {PROGRAM} report {output} -o report.html")
    return 0


def _collected(options: argparse.Namespace, found: list[LiveWorker], output: Path) -> Capture:
    """Into the folder ``output``, or a bundle; what was taken before an interruption is there all the same."""
    if output.suffix != BUNDLE:
        return _collected_in(options, found, output, output)
    if output.exists():
        raise CaptureError(f"{output} exists already; nothing is written over.", hint="choose another -o")
    with tempfile.TemporaryDirectory(prefix=".labkit-", dir=output.absolute().parent) as place:
        folder = Path(place) / "capture"
        try:
            return _collected_in(options, found, folder, output)
        finally:
            if folder.is_dir():
                _report(options)("packing")
                _packed(folder, output)


def _packed(folder: Path, output: Path) -> None:
    """The capture in one file; where there is no room for that, the folder stays."""
    try:
        pack(open_capture(folder), output)
    except OSError as error:
        kept = output.with_suffix(".folder")
        folder.rename(kept)
        raise CannotWrite(
            f"{output} could not be packed.", seen=str(error.strerror or error), hint=f"all that was taken is in {kept}"
        ) from None


def _collected_in(options: argparse.Namespace, found: list[LiveWorker], folder: Path, output: Path) -> Capture:
    return collect_series(
        found,
        folder,
        snapshots=options.snapshots,
        every_s=options.every,
        deadline_s=options.deadline,
        command=options.command,
        report=_report(options),
        tools=options.tools,
        window_s=options.record_for,
        native=options.native,
        told_as=output,
        with_values=options.with_values,
    )


def _report(options: argparse.Namespace) -> Callable[[str], None]:
    def report(line: str) -> None:
        if not options.quiet:
            print(f"{line} ...", file=sys.stderr, flush=True)

    return report


def _say_cost(cost: dict[str, float]) -> None:
    print(
        f"{cost['nodes']:,} objects; the worker stood still for {cost['pause_ms']:.1f} ms, "
        f"its child took {cost['duration_s']:.2f} s and {bytes_text(cost['child_peak_bytes'])}"
    )
