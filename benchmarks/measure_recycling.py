"""Measure what recycling workers hides, and what it costs: a leaky app under Gunicorn and uWSGI, by several bounds.

    python benchmarks/measure_recycling.py [--seconds 40] [--every 2] [--way 'uwsgi, 300 requests']

sample_apps/session_cache/leaky.py is asked at an even pace over new connections, scraped once a second; each worker is
looked at from outside twice a second. For each way to recycle, the table says what each kind of measurement sees of the
same leak, and what the clients noticed.

    level       memory of all workers in the last quarter over that of the second quarter
    total       slope of that sum over the last three quarters, bytes per second
    per pid     the mean slope within single workers, once warm; how many of them were scraped often enough for one
    oldest      for how long the longest-lived series with a pid lasted: an alert with that pid cannot wait longer
    a request   labkit_grown_unique_bytes_total over labkit_steady_requests_total
    restarts    labkit_worker_starts_total beyond the first two
    RSS         of single workers, seen from outside: the least and the most after the first second of a worker
    heap        one heap at the end: what the leaking reference retains, and its place among all that retain something
    series      six heaps of the worker that is youngest after a fifth of the time, spread over the time that is left
                or --every seconds apart: what is concluded from them
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import itertools
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import defaultdict
from pathlib import Path
from typing import Any

import psutil

import labkit
from labkit.drive.collect import collect_series, collect_snapshot
from labkit.drive.processes import end_group, termination_unwinds
from labkit.drive.ship import ship_agent
from labkit.drive.workers import live_workers
from labkit.errors import AgentFailed, TooFewSnapshots, WorkerDied
from labkit.pipeline import analyse
from labkit.store.capture import open_capture

REPOSITORY = Path(__file__).resolve().parents[1]
SERVED = """
from leaky import app
from labkit.aboard.metrics import measure

app = measure(app, every_s=0.2, unique_every_s=0, warmup_requests=100)
"""
GUNICORN = ["gunicorn", "-c", "gunicorn.conf.py", "--workers", "2", "--threads", "4", "--no-control-socket"]
UWSGI = ["uwsgi", "--master", "--processes", "2", "--threads", "4", "--lazy-apps", "--need-app", "--die-on-term"]
UWSGI += ["--disable-logging", "--import", "doors/labkit_uwsgi.py"]
SOON = ["--min-worker-lifetime", "1"]  # by default uWSGI lets each worker live for 10 s, whatever its bounds
WAYS = {
    "gunicorn, none": GUNICORN,
    "gunicorn, 1500 requests": [*GUNICORN, "--max-requests", "1500", "--max-requests-jitter", "150"],
    "gunicorn, 300 requests": [*GUNICORN, "--max-requests", "300", "--max-requests-jitter", "30"],
    "uwsgi, none": UWSGI,
    "uwsgi, 1500 requests": [*UWSGI, "--max-requests", "1500"],
    "uwsgi, 300 requests": [*UWSGI, "--max-requests", "300"],
    "uwsgi, 300 requests, lifetime 1 s": [*UWSGI, *SOON, "--max-requests", "300"],
    "uwsgi, RSS 42 MB": [*UWSGI, "--reload-on-rss", "42"],
    "uwsgi, RSS 42 MB, lifetime 1 s": [*UWSGI, *SOON, "--reload-on-rss", "42"],
}
LEAK = "leaky.SESSIONS"
CLIENTS = 4
PAUSE_S = 0.02
SHORTEST = 4  # samples a slope is taken of


class Clients:
    """Sign in and out for ever, a connection each time, and note how long every answer took."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.latencies_s: list[float] = []
        self.dropped = 0
        self._numbers = itertools.count()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        while not self._stop.wait(PAUSE_S):
            number = next(self._numbers)
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            began = time.perf_counter()
            with contextlib.closing(connection):
                try:
                    body = f'{{"user": "word{number}"}}'
                    connection.request("PUT", f"/sessions/{number}", body, {"Content-Type": "application/json"})
                    good = connection.getresponse().status == 201
                except (OSError, http.client.HTTPException):
                    good = False
            self.latencies_s.append(time.perf_counter() - began)
            self.dropped += not good

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def slope(points: list[tuple[float, float]]) -> float:
    return statistics.linear_regression(*zip(*points, strict=True)).slope


def scrape(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


def told_of(rows: Any) -> str:
    """What the leaking reference retains, and its place in the table of all."""
    places = [place for place, holder in enumerate(rows["holder"], 1) if holder == LEAK]
    return f"{rows['retained_bytes'][places[0] - 1] / 1e6:.1f} MB, place {places[0]}" if places else "not in 1000"


class Watcher:
    """Looks at each worker from outside, and takes a series of heaps of one."""

    def __init__(self, agents: Path, folder: Path, seconds: float, every_s: float) -> None:
        self.rss: dict[int, list[tuple[float, int]]] = defaultdict(list)
        self.series = "-"
        self._agents, self._folder, self._seconds, self._every_s = agents, folder, seconds, every_s
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=work) for work in (self._look, self._take)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def range_of_rss(self) -> str:
        found = [rss for looks in self.rss.values() for at, rss in looks if rss and at - looks[0][0] >= 1]
        return f"{min(found) / 1e6:.0f} to {max(found) / 1e6:.0f} MB" if found else "-"

    def one_heap(self) -> str:
        """Of the worker that has most."""
        for worker in sorted(live_workers(self._agents), key=lambda each: -each.look(0).rss_bytes):
            try:
                collect_snapshot(worker, self._folder / "last.heap", 60)
            except (WorkerDied, AgentFailed):
                continue
            rows = labkit.open_snapshot(self._folder / "last.heap").top_retained(1000)
            return told_of(rows)
        return "-"

    def _look(self) -> None:
        while not self._stop.wait(0.5):
            for worker in live_workers(self._agents):
                with contextlib.suppress(psutil.Error):
                    self.rss[worker.pid].append((time.monotonic(), worker.process.memory_info().rss))

    def _take(self) -> None:
        if self._stop.wait(self._seconds / 5):
            return
        youngest = min(live_workers(self._agents), key=lambda each: each.age_s(), default=None)
        if youngest is None:
            return
        words = {"command": "measure_recycling", "report": lambda _: None}
        folder = self._folder / "series"
        try:
            collect_series([youngest], folder, snapshots=6, every_s=self._every_s, deadline_s=60, **words)
            ended = ""
        except WorkerDied as error:
            ended = str(error).splitlines()[0].removeprefix("The series ").removesuffix(".") + "; "
        except AgentFailed:
            ended = "no heap was taken"
        if folder.exists():
            try:
                findings = analyse(open_capture(folder))
                ended += " ".join([findings.verdict, *(f"{one.retainer}" for one in findings.suspects)])
            except TooFewSnapshots:
                ended += "refused: too few for a trend"
        self.series = ended


def measure(way: str, seconds: float, every_s: float, agent: Path) -> list[str]:
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        (folder / "served.py").write_text(SERVED)
        (folder / "doors").symlink_to(agent)
        hooks = "from labkit.aboard.worker_files import child_exit\nfrom labkit_gunicorn import post_worker_init\n"
        (folder / "gunicorn.conf.py").write_text(hooks)
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        paths = [folder, REPOSITORY, REPOSITORY / "sample_apps" / "session_cache", agent]
        more = {"PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"), "PYTHONPATH": os.pathsep.join(map(str, paths))}
        more["LABKIT_AGENT_DIR"] = str(folder / "agents")
        program, *options = WAYS[way]
        bind = {"gunicorn": ["--bind", f"127.0.0.1:{port}", "served:app"], "uwsgi": ["--module", "served:app"]}[program]
        if program == "uwsgi":
            bind += ["--http-socket", f"127.0.0.1:{port}"]
        server = subprocess.Popen(
            [str(Path(sys.executable).with_name(program)), *options, *bind],
            cwd=folder,
            env=os.environ | more,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        stack.callback(end_group, server)
        while len(live_workers(folder / "agents")) < 2:
            time.sleep(0.1)
        clients = Clients(port)
        stack.callback(clients.stop)
        watcher = Watcher(folder / "agents", folder, seconds, every_s)
        stack.callback(watcher.stop)
        total: list[tuple[float, float]] = []
        warm: dict[str, list[tuple[float, float]]] = defaultdict(list)
        seen: dict[str, list[float]] = defaultdict(list)
        samples: dict[str, float] = {}
        began = time.monotonic()
        while (now := time.monotonic() - began) < seconds:
            samples = scrape(port)
            for key, value in samples.items():
                pid = re.search(r'pid="(\d+)"', key)
                if key.startswith("labkit_steady_unique_bytes") and pid:
                    warm[pid[1]].append((now, value))
                if key.startswith("labkit_process_unique_bytes") and pid:
                    seen[pid[1]].append(now)
            total.append((now, sum(v for k, v in samples.items() if k.startswith("labkit_process_unique_bytes"))))
            time.sleep(max(0.0, 1 - (time.monotonic() - began - now)))
        clients.stop()
        heap = watcher.one_heap()
        watcher.stop()
    quarter = len(total) // 4
    level = statistics.mean(v for _, v in total[-quarter:]) / statistics.mean(
        v for _, v in total[quarter : 2 * quarter]
    )
    slopes = [slope(points) for points in warm.values() if len(points) >= SHORTEST]
    grown, requests = samples["labkit_grown_unique_bytes_total"], samples["labkit_steady_requests_total"]
    took = sorted(clients.latencies_s)
    return [
        way,
        f"{level:.2f}",
        f"{slope(total[quarter:]):,.0f}",
        f"{statistics.mean(slopes):,.0f} ({len(slopes)} of {len(seen)})" if slopes else f"- (0 of {len(seen)})",
        f"{max(times[-1] - times[0] for times in seen.values()):.0f} s",
        f"{grown / requests:,.0f}" if requests else "-",
        f"{samples['labkit_worker_starts_total'] - 2:.0f}",
        f"{len(took)}, {clients.dropped}",
        f"{1000 * took[len(took) // 2]:.0f}, {1000 * took[int(len(took) * 0.99)]:.0f}, {1000 * took[-1]:.0f} ms",
        watcher.range_of_rss(),
        heap,
        watcher.series,
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--every", type=float, help="seconds between the heaps of a series")
    parser.add_argument("--way", action="append", choices=WAYS, help="one of them, or several; all")
    arguments = parser.parse_args()
    every_s = arguments.every or 0.7 * arguments.seconds / 5
    heads = "way|level|total|per pid|oldest|a request|restarts|requests, dropped|latency p50, p99, max|RSS|heap|series"
    print("|" + heads + "|", flush=True)
    with termination_unwinds(), tempfile.TemporaryDirectory() as folder:
        agent = ship_agent(Path(folder), sys.executable).folder
        for way in arguments.way or WAYS:
            print("|" + "|".join(measure(way, arguments.seconds, every_s, agent)) + "|", flush=True)


if __name__ == "__main__":
    main()
