"""What each tool costs a busy Gunicorn worker while it is at work, as ratios to the same worker without any.

    .venv/bin/python benchmarks/compare_overheads.py [--seconds 5] [--turns 5]

Three servers with one sync worker each serve the same small Falcon app, whose requests build, change and dump 300 rows:
one as it is, one with labkit's agent aboard, one whose agent has tools record. In a turn each way is measured for so
many seconds, one after the other in an order that changes; the servers whose turn it is not have nothing to do. Two
clients ask without a rest. What is compared is the worker's CPU time for a request, which other programs on the machine
disturb least, then requests per second and the 99th percentile of the clients' waiting. Ratios are of neighbours within
a turn; shown is their median, and the smallest and largest.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from labkit.agent.client import AgentClient
from labkit.cases import Load, Step
from labkit.drive.load import Players, Tally
from labkit.drive.py_spy import Profile
from labkit.drive.ship import ship_agent
from labkit.drive.visits import Request, Script

APP = """
import falcon
class Rows:
    def on_get(self, req, resp, number):
        rows = [{"id": i, "name": f"row {i} of {number}", "tags": [i, number]} for i in range(300)]
        resp.media = [row for row in rows if row["id"] % 3]
app = falcon.App()
app.add_route("/rows/{number:int}", Rows())
"""
LOAD = Load(steps=(Step(request="GET /rows/{i}"),))
BARE, IDLE = "no tool", "agent, idle"
LIMIT_S = 600.0


@dataclass
class Served:
    """One server with one worker."""

    port: int
    worker: psutil.Process
    agent: AgentClient | None
    visits: int = 0


class Timed(Tally):
    """Keeps how long each answer took."""

    def __init__(self) -> None:
        super().__init__()
        self.durations_s: list[float] = []

    def add(self, request: Request, answer: object) -> None:
        """Count one request."""
        super().add(request, answer)  # type: ignore[arg-type]
        if answer is not None:
            self.durations_s.append(answer.duration_s)  # type: ignore[attr-defined]


@contextmanager
def serving(folder: Path, doors: Path | None) -> Iterator[Served]:
    """Gunicorn, with the agent if there is a folder that holds it."""
    folder.mkdir()
    (folder / "app.py").write_text(APP)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    aboard = ["-c", str(doors / "labkit_gunicorn.py")] if doors else []
    command = [sys.executable, "-m", "gunicorn", *aboard, "-b", f"127.0.0.1:{port}", "--no-control-socket", "app:app"]
    environment = {"LABKIT_AGENT_DIR": str(folder / "agents"), "PATH": "/usr/bin:/bin"}
    with (folder / "log").open("wb") as log:
        master = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        while not _answers(port):
            if master.poll() is not None:
                raise SystemExit((folder / "log").read_text())
            time.sleep(0.05)
        (worker,) = psutil.Process(master.pid).children()
        path = folder / "agents" / f"worker-{worker.pid}.sock"
        yield Served(port, worker, AgentClient(str(path)) if doors else None)
    finally:
        master.terminate()
        master.wait()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/rows/1")
        return connection.getresponse().status == 200
    return False


def measure(served: Served, seconds: float) -> tuple[float, float, float]:
    """CPU seconds for a request, seconds between requests, and the 99th percentile of waiting."""
    players = Players(
        ("127.0.0.1", served.port),
        Script(LOAD),
        first_visit=served.visits,
        visits=None,
        concurrency=2,
        timeout_s=60,
    )
    players.tally = tally = Timed()
    before, began = served.worker.cpu_times(), time.monotonic()
    with players:
        time.sleep(seconds)
        players.enough()
        players.drain(lambda: None)
    after, took_s = served.worker.cpu_times(), time.monotonic() - began
    served.visits += players.visits_begun
    if tally.lost or not tally.durations_s:
        raise SystemExit(f"{tally.lost} requests were lost")
    cpu_s = after.user + after.system - before.user - before.system
    return cpu_s / tally.requests, took_s / tally.requests, float(np.percentile(tally.durations_s, 99))


def at_work(served: Served, folder: Path) -> dict[str, Callable[[], AbstractContextManager[None]]]:
    """The ways to measure the server that has the agent: what is at work in the block."""
    agent = served.agent
    assert agent is not None

    @contextmanager
    def recorder(tool: str, **more: object) -> Iterator[None]:
        path = folder / f"{time.monotonic_ns()}.bin"
        facts = {"path": str(path)} if tool == "memray" else {}
        agent.record_start(tool, LIMIT_S, **facts, **more)
        try:
            yield
        finally:
            agent.record_end(tool)
            path.unlink(missing_ok=True)

    @contextmanager
    def profile() -> Iterator[None]:
        path = folder / f"{time.monotonic_ns()}.txt"
        spying = Profile(served.worker.pid, path)
        try:
            time.sleep(0.5)  # it looks for the interpreter first
            yield
        finally:
            spying.end()

    return {
        "py-spy, 100 looks a second": profile,
        "memray": lambda: recorder("memray"),
        "memray, native stacks": lambda: recorder("memray", native=True),
        "tracemalloc, 1 frame": lambda: recorder("tracemalloc", frames=1),
        "tracemalloc, 8 frames": lambda: recorder("tracemalloc", frames=8),
    }


def compare(folder: Path, seconds: float, turns: int) -> dict[str, list[tuple[float, ...]]]:
    """Ratios to no tool, per way and turn; ``no tool`` is set against itself."""
    ratios: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    doors = ship_agent(folder / "doors", sys.executable).folder
    with ExitStack() as stack:
        bare = stack.enter_context(serving(folder / "bare", None))
        aboard = stack.enter_context(serving(folder / "aboard", doors))
        recorded = stack.enter_context(serving(folder / "recorded", doors))
        ways = at_work(recorded, folder)
        for served in (bare, aboard, recorded):
            measure(served, 2.0)
        for turn in range(turns):
            names = [BARE, IDLE, *ways]
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                first = measure(bare, seconds)
                if name in (BARE, IDLE):
                    found = measure(bare if name == BARE else aboard, seconds)
                else:
                    with ways[name]():
                        found = measure(recorded, seconds)
                last = measure(bare, seconds)
                means = [(one + other) / 2 for one, other in zip(first, last, strict=True)]
                ratios[name].append(tuple(one / mean for one, mean in zip(found, means, strict=True)))
                print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return ratios


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        ratios = compare(Path(temporary), options.seconds, options.turns)
    print(f"{'':<28}{'CPU per request':>22}{'time per request':>22}{'p99':>22}")
    for name in sorted(ratios, key=lambda each: (each != BARE, np.median(ratios[each], axis=0)[0])):
        columns = np.array(ratios[name]).T
        cells = [f"{np.median(each):.2f} ({each.min():.2f} to {each.max():.2f})" for each in columns]
        print(f"{name:<28}" + "".join(f"{cell:>22}" for cell in cells))


if __name__ == "__main__":
    main()
