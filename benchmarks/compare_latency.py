"""What captures cost the requests of a busy worker: without any, by the compiled walker, and by the plain one.

    .venv/bin/python benchmarks/compare_latency.py [--objects 1000000] [--seconds 10] [--turns 3]

A real Gunicorn with one gthread worker of 8 threads serves ``peers/latency_app.py``, which holds so many objects; every
request reads and changes 20 of them, wherever they lie. Four clients ask and rest for --rest-ms after each answer;
with 0 they and the worker take two cores between them, and the walker's child, which is nice, gets what is left. There
are two such servers, one whose agent has the compiled walker; they take turns, and the one whose turn it is not has
nothing to do. In a turn each way is measured for so many seconds; captures follow one another without a rest, so that
hardly any request meets none. Milliseconds are the clients', who are on the same machine.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from labkit.agent.compiled import FORCED
from labkit.cases import Load, Step, Target
from labkit.drive.answers import Expectations
from labkit.drive.exchange import Answer
from labkit.drive.load import Players, Tally
from labkit.drive.options import RecordOptions
from labkit.drive.server import Server
from labkit.drive.visits import Request, Script

APP = Path(__file__).resolve().parent / "peers" / "latency_app.py"
WAYS = ("no capture", "compiled walker", "plain walker")
LOAD = Load(steps=(Step(request="GET /orders/{i}"),))
OPTIONS = RecordOptions(worker_class="gthread", threads=8, request_timeout_s=60, start_timeout_s=120)
WARM_UP_S = 1.0


@dataclass
class Durations(Tally):
    """Keeps how long each answer took, in seconds."""

    durations_s: list[float] = field(default_factory=list)

    def add(self, request: Request, answer: Answer | None) -> None:
        """Count one request."""
        super().add(request, answer)
        if answer is not None:
            self.durations_s.append(answer.duration_s)


@dataclass
class Seen:
    """What was seen of one way, all turns together."""

    durations_s: list[float] = field(default_factory=list)
    pauses_ms: list[float] = field(default_factory=list)
    captures_s: list[float] = field(default_factory=list)
    played_s: float = 0.0
    lost: int = 0


class Clients:
    """Four clients of one server; the visits of all turns are numbered on."""

    def __init__(self, server: Server, rest_s: float) -> None:
        self._server = server
        self._rest_s = rest_s
        self._visits = 0

    @contextmanager
    def asking(self) -> Iterator[Durations]:
        """They ask for the time of the block; at its end each has its last answer."""
        players = Players(
            self._server.address,
            Script(LOAD),
            first_visit=self._visits,
            visits=None,
            concurrency=LOAD.concurrency,
            timeout_s=OPTIONS.request_timeout_s,
            pause_s=self._rest_s,
        )
        players.tally = tally = Durations()
        with players:
            yield tally
            players.enough()
            players.drain(self._server.check)
        self._visits += players.visits_begun
        Expectations(LOAD, ()).require_some_normal(tally, self._server.last_exception(), self._server.app_name)


def play(server: Server, clients: Clients, seen: Seen, seconds: float, heap: Path | None) -> None:
    """Ask for so long, with captures into ``heap`` one after the other if there is one."""
    begun_s = time.monotonic()
    with clients.asking() as tally:
        if heap is None:
            time.sleep(seconds)
        while heap is not None and time.monotonic() - begun_s < seconds:
            cost = server.workers[0].agent.snapshot(str(heap), OPTIONS.snapshot_deadline_s)
            seen.pauses_ms.append(cost["pause_ms"])
            seen.captures_s.append(cost["duration_s"])
            heap.unlink()
    seen.played_s += time.monotonic() - begun_s
    seen.durations_s += tally.durations_s
    seen.lost += tally.lost


@contextmanager
def serving(folder: Path, walker: str) -> Iterator[Server]:
    """A server whose agent has the compiled walker, or with ``python`` the plain one."""
    os.environ[FORCED] = walker
    target = Target(label=walker or "compiled", app_file=APP, app_name="app", load=LOAD)
    try:
        server = Server(target, OPTIONS, folder / f"{walker or 'compiled'}.log")
        with server:
            yield server
    finally:
        os.environ.pop(FORCED, None)


def compare(folder: Path, seconds: float, turns: int, rest_s: float) -> dict[str, Seen]:
    """Play all turns."""
    found = {way: Seen() for way in WAYS}
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(folder, walker)) for walker in ("", "python")]
        if servers[0].why_no_walker:
            raise SystemExit(f"There is no compiled walker to compare: {servers[0].why_no_walker}")
        clients = [Clients(server, rest_s) for server in servers]
        for turn in range(turns):
            for way, place in zip(WAYS, (turn % 2, 0, 1), strict=True):
                play(servers[place], clients[place], Seen(), WARM_UP_S, None)
                heap = None if way == WAYS[0] else folder / "latency.heap"
                play(servers[place], clients[place], found[way], seconds, heap)
    return found


def show(found: dict[str, Seen]) -> None:
    """One row for each way, and how many times the figures without a capture they are."""
    print("                  requests      /s  captures  each s  pause ms    p50 ms    p99 ms    max ms   lost")
    bare = _figures(found[WAYS[0]])
    for way, seen in found.items():
        captures = f"{'-':>7} {'-':>9}"
        if seen.captures_s:
            captures = f"{np.median(seen.captures_s):>7.2f} {np.median(seen.pauses_ms):>9.1f}"
        rate, *times = figures = _figures(seen)
        cells = " ".join(f"{each:>9.1f}" for each in times)
        counted = f"{len(seen.durations_s):>9,} {rate:>7.0f} {len(seen.captures_s):>9}"
        print(f"{way:<16} {counted} {captures} {cells} {seen.lost:>6}")
        if way != WAYS[0]:
            rate, *times = (one / other for one, other in zip(figures, bare, strict=True))
            cells = " ".join(f"{f'x {each:.1f}':>9}" for each in times)
            print(f"{'':<26} {f'x {rate:.2f}':>7} {'':>9} {'':>17} {cells}")


def _figures(seen: Seen) -> list[float]:
    """Requests per second; then p50, p99 and the worst, in ms."""
    times = [float(1000 * np.percentile(seen.durations_s, share)) for share in (50, 99, 100)]
    return [len(seen.durations_s) / seen.played_s, *times]


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--rest-ms", type=float, default=2)
    options = parser.parse_args()
    os.environ["LABKIT_BENCHMARK_OBJECTS"] = str(options.objects)
    with tempfile.TemporaryDirectory() as temporary:
        found = compare(Path(temporary), options.seconds, options.turns, options.rest_ms / 1000)
    clients = f"{LOAD.concurrency} clients resting {options.rest_ms:g} ms"
    print(f"{options.objects:,} objects, {OPTIONS.threads} threads, {clients}, {options.turns} turns")
    show(found)


if __name__ == "__main__":
    main()
