"""Take many captures of workers that are as awkward as they come, and count which hang, fail or lose a request.

    python benchmarks/stress_captures.py --captures 100                      by the compiled walker
    python benchmarks/stress_captures.py --captures 100 --walker python      by the plain one

Each scene is a Gunicorn worker of its own. ``numpy``: threads multiply matrices all the time, so that
OpenBLAS's pool is always busy, and a request is asked before and after each capture. ``malloc``: the same with
threads that allocate and free in C all the time, without the interpreter's lock. ``gthread``: eight threads
serve requests all the time. A capture that is not back by ``--deadline`` seconds, or a worker that
does not answer afterwards, hangs; one that raises, or was left to the other walker, failed. Exit status 1
when any hung or failed, or a request was lost.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import statistics
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from labkit.agent.client import AgentError
from labkit.agent.compiled import FORCED
from labkit.cases import Load, Step, Target
from labkit.drive.load import Players, Tally
from labkit.drive.options import RecordOptions
from labkit.drive.server import Server, Worker
from labkit.drive.visits import Script
from labkit.errors import CaptureError

THREADS = 8
REQUEST_TIMEOUT_S = 60
PAUSE_S = 0.005  # after each request of a player: two cores are shared by worker, players and the walking child

NUMPY_APP = """
import threading
import numpy
def multiply():
    matrix = numpy.random.rand(400, 400)
    while True:
        matrix @ matrix
for _ in range(2):
    threading.Thread(target=multiply, daemon=True).start()
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"multiplying"]
"""

MALLOC_APP = """
import os, threading, zlib
import numpy
def squeeze():
    text = os.urandom(3000)
    while True:
        zlib.compress(text)
def decompose():
    matrices = numpy.random.rand(50, 8, 8)
    while True:
        numpy.linalg.svd(matrices)
for work in (squeeze, squeeze, decompose):
    threading.Thread(target=work, daemon=True).start()
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"in malloc"]
"""

GTHREAD_APP = """
import json, threading
LATEST = {}
HEAP = [{"number": number, "parts": [number]} for number in range(2_000)]
def app(environ, start_response):
    body = json.dumps([HEAP[number] for number in range(200)]).encode()
    LATEST[threading.get_ident()] = environ["PATH_INFO"]
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


@dataclass
class Outcome:
    """What became of the captures of one scene."""

    counts: Counter[str] = field(default_factory=Counter)
    pauses_ms: list[float] = field(default_factory=list)
    said: Counter[str] = field(default_factory=Counter)

    def tell(self, scene: str, wanted: int, tally: Tally) -> bool:
        """Print it; return whether all was well."""
        answered, failed, hung = (self.counts[word] for word in ("answered", "failed", "hung"))
        pauses = self.pauses_ms or [0.0]
        print(
            f"{scene}: {answered} of {wanted} captures answered, {failed} failed, {hung} hung; "
            f"pause {statistics.median(pauses):.1f} ms in the middle, {max(pauses):.1f} ms at most; "
            f"{tally.requests} requests, {tally.lost} lost, slowest {1000 * tally.slowest_s:.0f} ms"
        )
        for words, count in self.said.items():
            print(f"    {count} x {words}")
        return answered == wanted and not tally.lost


def capture(worker: Worker, path: Path, walker: str, deadline_s: float, outcome: Outcome) -> bool:
    """Take one; return whether the worker can still be asked."""
    try:
        cost = worker.agent.snapshot(str(path), deadline_s)
        with zipfile.ZipFile(path) as archive:
            used = json.loads(archive.read("header.json"))["walker"]
        path.unlink()
        outcome.pauses_ms.append(float(cost["pause_ms"]))
        if used == walker:
            outcome.counts["answered"] += 1
        else:
            outcome.counts["failed"] += 1
            outcome.said[f"the {used} walker took over"] += 1
    except AgentError as error:
        outcome.said[str(error)] += 1
        try:
            worker.agent.ping()
        except AgentError:
            outcome.counts["hung"] += 1
            return False
        outcome.counts["failed"] += 1
    return True


def scene_of_threads(server: Server, take: Callable[[], bool], captures: int) -> Tally:
    """Requests one by one, a capture between two."""
    script, tally = Script(_load(1)), Tally()
    for number in range(captures):
        with _players(server, script, 1, number, visits=1) as players:
            _add(tally, players.drain(server.check))
        if not take():
            break
    with _players(server, script, 1, captures, visits=1) as players:
        _add(tally, players.drain(server.check))
    return tally


def scene_of_gthread(server: Server, take: Callable[[], bool], captures: int) -> Tally:
    """Captures while requests are played; between two of them some are answered."""
    with _players(server, Script(_load(THREADS)), THREADS, 0, visits=None) as players:
        for _ in range(captures):
            players.wait_for(2 * THREADS, server.check)
            if not take():
                break
        players.enough()
        return players.drain(server.check)


def _add(whole: Tally, part: Tally) -> None:
    whole.answers.update(part.answers)
    whole.requests += part.requests
    whole.slowest_s = max(whole.slowest_s, part.slowest_s)


def _load(concurrency: int) -> Load:
    return Load(concurrency=concurrency, steps=(Step(request="GET /{i}"),))


def _players(server: Server, script: Script, concurrency: int, first: int, *, visits: int | None) -> Players:
    return Players(
        server.address,
        script,
        first_visit=first,
        visits=visits,
        concurrency=concurrency,
        timeout_s=REQUEST_TIMEOUT_S,
        pause_s=PAUSE_S,
    )


SCENES = {
    "numpy": (NUMPY_APP, 1, scene_of_threads),
    "malloc": (MALLOC_APP, 1, scene_of_threads),
    "gthread": (GTHREAD_APP, THREADS, scene_of_gthread),
}


def play(scene: str, options: argparse.Namespace, folder: Path) -> bool:
    """One scene; whether all was well."""
    app, threads, run = SCENES[scene]
    file = folder / f"{scene}_app.py"
    file.write_text(app)
    record = RecordOptions(worker_class="gthread", threads=threads, snapshot_deadline_s=options.deadline)
    outcome = Outcome()
    target = Target(label=scene, app_file=file, app_name="app", load=_load(threads))
    with Server(target, record, folder / "server.log") as server:
        if options.walker == "c" and server.why_no_walker:
            raise SystemExit(server.why_no_walker)
        worker, path = server.workers[0], folder / "x.heap"
        tally = Tally()
        try:
            take = functools.partial(capture, worker, path, options.walker, options.deadline, outcome)
            tally = run(server, take, options.captures)
        except CaptureError as error:  # a request without an answer, or a dead worker
            outcome.counts["hung"] += 1
            outcome.said[str(error)] += 1
    return outcome.tell(f"{scene}, {options.walker}", options.captures, tally)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captures", type=int, default=100, help="per scene")
    parser.add_argument("--walker", choices=("c", "python"), default="c")
    parser.add_argument("--deadline", type=float, default=60, help="seconds for one capture")
    parser.add_argument("--scene", choices=sorted(SCENES), action="append", help="one of them, or several; all")
    options = parser.parse_args()
    os.environ[FORCED] = options.walker
    well = True
    with tempfile.TemporaryDirectory() as folder:
        for scene in options.scene or SCENES:
            well &= play(scene, options, Path(folder))
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
