"""Measure the truth of the cases: what a request really leaves behind, found without labkit's engine.

    python benchmarks/measure_truth.py [CASE ...] [--variant fixed] [--worker-class gthread] [--warmup N] [--rss]

Each app runs in its own Gunicorn worker (or Uvicorn, where case.toml says so), since what a kept frame pins
(environ, socket, request) depends on the server. The steps of case.toml are played over loopback in equal rungs.
After each rung the worker collects garbage (unless the app switched the collector off) and answers what
tracemalloc counts as allocated since the end of the warm-up, what malloc says is in use, and how many objects of
the growing type are alive. The slopes per request go into case.toml:

    truth.bytes_per_request    bytes handed out by Python's allocators, tracemalloc's own not counted; of a leak
                               without Python objects those in use by malloc (mallinfo2) instead
    truth.objects_per_request  objects of truth.grows_type

The slope of each single rung shows whether growth is linear. With --rss tracemalloc stays off and the
resident set is measured instead, over ten times as many requests: a cross-check from outside of Python.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import http.client
import importlib.util
import json
import random
import resource
import socket
import statistics
import string
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labkit.cases import Case, Step, list_cases, load_case

PROBE_PATH = "/__probe"
RSS_FACTOR = 10


# ---- in the worker -------------------------------------------------------------------------------------


def probed(app_file: str, grows_type: str, trace: bool) -> Callable[..., Any]:
    """Gunicorn's entry: the app of that file, which also answers its own measurements at PROBE_PATH."""
    served_app = _app_of(app_file)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if environ["PATH_INFO"] != PROBE_PATH:
            return served_app(environ, start_response)
        answer = json.dumps(_measured(grows_type, trace)).encode()
        start_response("200 OK", [("Content-Length", str(len(answer)))])
        return [answer]

    return app


def serve_asgi(app_file: str, grows_type: str, trace: bool, descriptor: int) -> None:
    """The same under Uvicorn, until it is told to end."""
    import uvicorn

    served_app = _app_of(app_file)

    async def app(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope.get("path") != PROBE_PATH:
            await served_app(scope, receive, send)
            return
        answer = json.dumps(_measured(grows_type, trace)).encode()
        headers = [(b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    uvicorn.run(app, fd=descriptor, log_level="warning", timeout_graceful_shutdown=1)


def _app_of(app_file: str) -> Callable[..., Any]:
    spec = importlib.util.spec_from_file_location(Path(app_file).stem, app_file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    app: Callable[..., Any] = module.app
    return app


def _measured(grows_type: str, trace: bool) -> dict[str, int]:
    if gc.isenabled():
        gc.collect()
    if trace and not tracemalloc.is_tracing():
        tracemalloc.start(1)
    status = Path("/proc/self/status").read_text()
    rss_kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return {
        "traced_bytes": tracemalloc.get_traced_memory()[0],
        "malloc_bytes": _malloc_bytes(),
        "rss_bytes": int(rss_kib) * 1024,
        "objects": sum(_name_of(type(o)) == grows_type for o in gc.get_objects()),
        "descriptors": sum(1 for _ in Path("/proc/self/fd").iterdir()),
    }


def _name_of(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


class _MallInfo(ctypes.Structure):
    """What glibc 2.33 and later answers to mallinfo2(3)."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


def _malloc_bytes() -> int:
    """Bytes that malloc handed out and did not get back; 0 where it cannot be asked."""
    ask = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if ask is None:
        return 0
    ask.restype = _MallInfo
    told = ask()
    return int(told.uordblks + told.hblkhd)


# ---- outside -------------------------------------------------------------------------------------------


@contextmanager
def served(app_file: Path, grows_type: str, *, trace: bool, worker_class: str) -> Iterator[int]:
    """The port at which one worker serves the app; of the worker class ``asgi`` it is Uvicorn's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else 40 ms a request on keep-alive
        arguments = f"({str(app_file)!r}, {grows_type!r}, {trace}"
        if worker_class == "asgi":
            code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import {Path(__file__).stem} as it"
            command = [sys.executable, "-c", f"{code}; it.serve_asgi{arguments}, {listener.fileno()})"]
        else:
            command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}", "--workers", "1"]
            command += ["--worker-class", worker_class, "--threads", "4" if worker_class == "gthread" else "1"]
            command += ["--pythonpath", str(Path(__file__).parent), "--no-control-socket", "--log-level", "warning"]
            command += [f"{Path(__file__).stem}:probed{arguments})"]
        server = subprocess.Popen(command, pass_fds=[listener.fileno()], stdout=subprocess.DEVNULL)
        try:
            yield listener.getsockname()[1]
        finally:
            server.terminate()
            server.wait(timeout=30)


class Visitor:
    """Plays visits over one connection, kept alive as far as the server allows."""

    def __init__(self, case: Case, port: int) -> None:
        self.steps = case.load.steps
        self.normal = case.load.expect_statuses
        self.random = random.Random(case.load.seed)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.visits = 0

    def play(self, requests: int) -> int:
        """At least so many requests, in whole visits; how many there were."""
        played = 0
        while played < requests:
            self.visits += 1
            word = "".join(self.random.choices(string.ascii_lowercase, k=8))
            for step in self.steps:
                self._play_step(step, word)
            played += len(self.steps)
        return played

    def _play_step(self, step: Step, word: str) -> None:
        def filled(text: str) -> str:
            return text.replace("{i}", str(self.visits)).replace("{word}", word)

        method, _, path = step.request.partition(" ")
        headers = {name: filled(value) for name, value in step.headers.items()}
        self.connection.request(method, filled(path), filled(step.body).encode() or None, headers)
        answer = self.connection.getresponse()
        answer.read()
        if answer.status >= 400 and answer.status not in self.normal:
            raise SystemExit(f"{step.request} was answered {answer.status}")

    def probe(self) -> dict[str, int]:
        self.connection.request("GET", PROBE_PATH)
        measured: dict[str, int] = json.loads(self.connection.getresponse().read())
        return measured


@dataclass(frozen=True)
class Measured:
    """Slopes per request over all rungs, those of what grows rung by rung, and the series they come from."""

    worker_class: str
    grows_type: str
    grown: str
    requests: int
    slopes: dict[str, float]
    by_rung: list[float]
    series: dict[str, list[int]]


def measure(case: Case, variant: str, *, rss: bool, worker_class: str, warmup: int) -> Measured:
    """Play the case's load."""
    variant = variant if variant in case.variants else case.variants[0]
    worker_class = "asgi" if case.serve.server == "uvicorn" else worker_class
    load, grown = case.load, "rss_bytes" if rss else "traced_bytes"
    factor = RSS_FACTOR if rss else 1
    grows_type = case.truth.grows_type.replace("leaky.", f"{variant}.")
    with served(case.app_file(variant), grows_type, trace=not rss, worker_class=worker_class) as port:
        visitor = Visitor(case, port)
        visitor.play(load.warmup_requests * factor)
        visitor.probe()  # tracing begins here; one rung more until what was there before is replaced
        visitor.play(max(load.requests_per_rung, warmup))
        requests, counts, points = 0, [0], [visitor.probe()]
        for _ in range(load.rungs):
            requests += visitor.play(load.requests_per_rung * factor)
            counts.append(requests)
            points.append(visitor.probe())
    series = {key: [point[key] for point in points] for key in points[0]}
    slopes = {key: statistics.linear_regression(counts, values).slope for key, values in series.items()}
    rungs = [
        (after - before) / (n - m)
        for before, after, m, n in zip(series[grown], series[grown][1:], counts, counts[1:], strict=False)
    ]
    return Measured(worker_class, grows_type, grown, requests, slopes, rungs, series)


def show(case: Case, variant: str, told: Measured) -> None:
    """Print the slopes."""
    by_rung = " ".join(f"{slope:.0f}" for slope in told.by_rung)
    slopes = told.slopes
    print(
        f"{case.name}:{variant} ({told.worker_class}, {told.requests} requests)\n"
        f"  {told.grown} per request   {slopes[told.grown]:10.1f}   by rung: {by_rung}\n"
        f"  malloc_bytes per request   {slopes['malloc_bytes']:10.1f}\n"
        f"  objects per request       {slopes['objects']:10.4f}   {told.grows_type}\n"
        f"  descriptors per request   {slopes['descriptors']:10.4f}   {told.series['descriptors'][-1]} at the end",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help="names of cases; all when none is given")
    parser.add_argument("--variant", choices=("leaky", "fixed"), default="leaky")
    parser.add_argument("--worker-class", choices=("sync", "gthread"), default="sync")
    parser.add_argument(
        "--warmup", type=int, default=0, help="so many more, while tracing: enough to replace what is bounded"
    )
    parser.add_argument("--rss", action="store_true", help="measure the resident set, without tracemalloc")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # for the longer runs of open_files
    started = time.monotonic()
    for case in [load_case(name) for name in options.cases] or list_cases():
        chosen = {"rss": options.rss, "worker_class": options.worker_class, "warmup": options.warmup}
        show(case, options.variant, measure(case, options.variant, **chosen))
    print(f"in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
