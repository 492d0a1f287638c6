"""Measure what recycling workers hides, and what it costs: a leaky app under Gunicorn, with and without a bound.

    python benchmarks/measure_recycling.py [--seconds 40] [--max-requests 0 1500 300]

sample_apps/session_cache/leaky.py is asked at an even pace over new connections, scraped once a second. For each bound
(0: none) the table says what each kind of measurement sees of the same leak, and what the clients noticed.

    level       memory of all workers in the last quarter over that of the second quarter
    total       slope of that sum over the last three quarters, bytes per second
    per pid     the mean slope within single workers, once warm; how many of them were scraped often enough for one
    oldest      for how long the longest-lived series with a pid lasted: an alert with that pid cannot wait longer
    a request   labkit_grown_unique_bytes_total over labkit_steady_requests_total
    restarts    labkit_worker_starts_total beyond the first two
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

REPOSITORY = Path(__file__).resolve().parents[1]
SERVED = """
from leaky import app
from labkit.aboard.metrics import measure

app = measure(app, every_s=0.2, unique_every_s=0, warmup_requests=100)
"""
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


def measure(bound: int, seconds: float) -> list[str]:
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        (folder / "served.py").write_text(SERVED)
        (folder / "gunicorn.conf.py").write_text("from labkit.aboard.worker_files import child_exit\n")
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        paths = [folder, REPOSITORY, REPOSITORY / "sample_apps" / "session_cache"]
        more = {"PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"), "PYTHONPATH": os.pathsep.join(map(str, paths))}
        options = ["--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4", "--no-control-socket"]
        options += ["--max-requests", str(bound), "--max-requests-jitter", str(bound // 10)]
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *options, "served:app"],
            cwd=folder,
            env=os.environ | more,
            stderr=subprocess.DEVNULL,
        )
        stack.callback(server.wait)
        stack.callback(server.terminate)
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        clients = Clients(port)
        stack.callback(clients.stop)
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
    quarter = len(total) // 4
    level = statistics.mean(v for _, v in total[-quarter:]) / statistics.mean(
        v for _, v in total[quarter : 2 * quarter]
    )
    slopes = [slope(points) for points in warm.values() if len(points) >= SHORTEST]
    grown, requests = samples["labkit_grown_unique_bytes_total"], samples["labkit_steady_requests_total"]
    took = sorted(clients.latencies_s)
    return [
        str(bound or "none"),
        f"{level:.2f}",
        f"{slope(total[quarter:]):,.0f}",
        f"{statistics.mean(slopes):,.0f} ({len(slopes)} of {len(seen)})" if slopes else f"- (0 of {len(seen)})",
        f"{max(times[-1] - times[0] for times in seen.values()):.0f} s",
        f"{grown / requests:,.0f}" if requests else "-",
        f"{samples['labkit_worker_starts_total'] - 2:.0f}",
        f"{len(took)}, {clients.dropped}",
        f"{1000 * took[len(took) // 2]:.0f}, {1000 * took[int(len(took) * 0.99)]:.0f}, {1000 * took[-1]:.0f} ms",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--max-requests", type=int, nargs="+", default=[0, 1500, 300])
    arguments = parser.parse_args()
    heads = "bound|level|total|per pid|oldest|a request|restarts|requests, dropped|latency p50, p99, max"
    print("|" + "|".join(heads.split("|")) + "|", flush=True)
    for bound in arguments.max_requests:
        print("|" + "|".join(measure(bound, arguments.seconds)) + "|", flush=True)


if __name__ == "__main__":
    main()
