"""Metrics of real servers: every worker in each scrape, no file of a dead one, no count lost with it."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from judge import require
from running import Server, wait_until

from labkit.aboard.samples import COUNTERS, GAUGES

WSGI = """
    import os
    import time

    import falcon
    from prometheus_client import Counter

    from labkit.aboard.metrics import measure

    SALES = Counter("shop_sales", "The app's own.")


    class Shop:
        def on_get(self, req, resp, what):
            SALES.inc()
            resp.text = str(os.getpid())
            if what == "slow":
                resp.text, resp.stream = None, self.pieces()

        def pieces(self):
            for _ in range(100):
                yield b"piece"
                time.sleep(0.1)


    app = falcon.App()
    app.add_route("/{what}", Shop())
    app = measure(app, every_s=0.1, unique_every_s=0, warmup_requests=3, pools={"main": lambda: 2})
"""
ASGI = """
    import os

    import falcon.asgi
    from prometheus_client import Counter

    from labkit.aboard.metrics import measure

    SALES = Counter("shop_sales", "The app's own.")


    class Shop:
        async def on_get(self, req, resp, what):
            SALES.inc()
            resp.text = str(os.getpid())


    app = falcon.asgi.App()
    app.add_route("/{what}", Shop())
    app = measure(app, every_s=0.1, unique_every_s=0, warmup_requests=3)
"""
HOOK = "from labkit.aboard.worker_files import child_exit\n"

Serve = Callable[..., Server]


def pids(samples: dict[str, float], name: str = "labkit_process_unique_bytes") -> set[int]:
    return {int(found[1]) for key in samples if (found := re.fullmatch(rf'{name}{{.*pid="(\d+)".*}}', key))}


def total(samples: dict[str, float], name: str) -> float:
    """The sum over workers, or the only value."""
    return sum(value for key, value in samples.items() if key.partition("{")[0] == name)


def pids_of_files(server: Server) -> set[int]:
    return {int(found[1]) for name in server.files() if (found := re.search(r"_(\d+)\.db", name))}


def ask(server: Server, times: int) -> set[int]:
    """Ask so often; which workers have answered."""
    return {int(server.get("/pid")[1]) for _ in range(times)}


def ask_until(server: Server, workers: int) -> tuple[int, set[int]]:
    """Ask until so many workers have answered; how many requests it took."""
    seen: set[int] = set()
    asked = 0

    def ask_more() -> bool:
        nonlocal asked
        seen.update(ask(server, 10))
        asked += 10
        return len(seen) >= workers

    wait_until(ask_more)
    return asked, seen


@pytest.mark.parametrize(
    ("source", "command"),
    [
        (WSGI, ("gunicorn", "--workers", "2")),
        (WSGI, ("gunicorn", "--workers", "2", "--preload")),
        (WSGI, ("gunicorn", "--workers", "2", "--threads", "4")),
        (ASGI, ("uvicorn", "--workers", "2")),
        (WSGI, ("uwsgi", "--master", "-p", "2", "--enable-threads")),
        (WSGI, ("uwsgi", "--master", "-p", "2", "--threads", "4")),
        (WSGI, ("uwsgi", "--master", "-p", "2", "--threads", "4", "--lazy-apps")),
    ],
    ids=["sync", "preload", "gthread", "uvicorn", "uwsgi prefork", "uwsgi threads", "uwsgi lazy"],
)
def test_each_scrape_tells_of_all_workers(serve: Serve, source: str, command: tuple[str, ...]) -> None:
    server = serve(source, *command)
    asked, workers = ask_until(server, 2)
    wait_until(lambda: total(server.metrics(), "labkit_requests_ended_total") == asked)
    wait_until(lambda: pids(server.metrics()) == workers)
    samples = server.metrics()
    assert total(samples, "shop_sales_total") == asked
    assert total(samples, "labkit_requests_begun_total") == asked, "scrapes are not counted"
    assert total(samples, "labkit_worker_starts_total") == 2
    assert total(samples, "labkit_requests_in_flight") == 0
    for pid in workers:
        unique = psutil.Process(pid).memory_full_info().uss
        assert samples[f'labkit_process_unique_bytes{{pid="{pid}"}}'] == pytest.approx(unique, abs=5e6)


def test_every_sample_is_exported_and_well_named(serve: Serve) -> None:
    server = serve(WSGI, "gunicorn")
    ask(server, 5)
    wait_until(lambda: "labkit_steady_unique_bytes" in str(server.metrics()))
    names = {key.partition("{")[0] for key in server.metrics()}
    assert {name for name in names if name.startswith("labkit_")} == set(GAUGES) | set(COUNTERS)
    assert total(server.metrics(), "labkit_pool_checked_out") == 2
    if shutil.which("promtool"):
        text = server.get("/metrics")[1]
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    else:
        require("promtool")


def test_recycled_workers_leave_their_counts_and_no_file(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "gunicorn.conf.py").write_text(HOOK)
    server = serve(
        WSGI, "gunicorn", "--config", str(tmp_path / "gunicorn.conf.py"), "--workers", "2", "--max-requests", "15"
    )
    sizes = []
    arbiter = psutil.Process(server.process.pid)
    for turn in range(1, 5):
        ask(server, 60)
        wait_until(lambda: pids_of_files(server) <= {child.pid for child in arbiter.children()})
        assert total(server.metrics(), "shop_sales_total") == 60 * turn
        sizes.append(len(server.files()))
    # what another worker has counted since its last tick is not in its file yet
    wait_until(lambda: total(server.metrics(), "labkit_requests_ended_total") == 240)
    samples = server.metrics()
    assert total(samples, "labkit_worker_starts_total") >= 240 // 15 - 2
    assert len(pids(samples)) <= 3
    assert max(sizes) <= 8, "it does not grow with each restart"


@pytest.mark.parametrize(
    ("source", "command"),
    [
        (WSGI, ("gunicorn", "--workers", "2")),
        (ASGI, ("uvicorn", "--workers", "2")),
        (WSGI, ("uwsgi", "--master", "-p", "2", "--threads", "2")),
    ],
    ids=["gunicorn", "uvicorn", "uwsgi"],
)
def test_without_a_hook_the_next_scrape_clears_up(serve: Serve, source: str, command: tuple[str, ...]) -> None:
    server = serve(source, *command)
    asked, workers = ask_until(server, 2)
    wait_until(lambda: total(server.metrics(), "labkit_requests_ended_total") == asked)
    killed = min(workers)
    psutil.Process(killed).send_signal(signal.SIGKILL)
    wait_until(lambda: not psutil.pid_exists(killed))
    wait_until(lambda: killed not in pids(server.metrics()))
    assert killed not in pids_of_files(server)
    assert total(server.metrics(), "shop_sales_total") == asked
    assert total(server.metrics(), "labkit_requests_begun_total") == asked


def test_workers_of_uwsgi_that_are_recycled_leave_their_counts(serve: Serve) -> None:
    """It calls no hook when one has ended: the next scrape clears up."""
    server = serve(WSGI, "uwsgi", "--master", "--threads", "4", "--max-requests", "15", "--min-worker-lifetime", "0")
    asked, seen = 0, set()
    deadline = time.monotonic() + 60
    while len(seen) < 4:
        seen |= ask(server, 5)
        asked += 5
        assert time.monotonic() < deadline
    wait_until(lambda: len(pids(server.metrics())) == 1)
    wait_until(lambda: total(server.metrics(), "labkit_requests_ended_total") == asked)
    samples = server.metrics()
    assert total(samples, "shop_sales_total") == asked
    assert total(samples, "labkit_worker_starts_total") >= 4
    assert pids_of_files(server) <= pids(samples) | {server.process.pid}, "the master imported the app, too"
    assert len(server.files()) <= 8


@pytest.mark.parametrize("command", [("gunicorn", "--threads", "4"), ("uwsgi", "--master", "--threads", "4")])
def test_a_stream_is_in_flight_while_it_is_read(serve: Serve, command: tuple[str, ...]) -> None:
    server = serve(WSGI, *command)
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: shop\r\n\r\n")
        assert client.recv(100)
        wait_until(lambda: total(server.metrics(), "labkit_requests_in_flight") == 1)
        assert total(server.metrics(), "labkit_falcon_requests_kept") == 0
    wait_until(lambda: total(server.metrics(), "labkit_requests_in_flight") == 0)


# ---- StatsD -----------------------------------------------------------------------------------------


class Listener:
    """Takes in what is sent to a UDP port."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.1)
        self.port: int = self.socket.getsockname()[1]
        self.lines: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.lines += self.socket.recv(65536).decode().splitlines()
            except TimeoutError:
                continue

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.socket.close()


def test_statsd_beside_gunicorns_own_stream(serve: Serve) -> None:
    listener = Listener()
    try:
        source = WSGI.replace("measure(app,", f'measure(app, statsd=("localhost", {listener.port}),')
        server = serve(source, "gunicorn", "--statsd-host", f"127.0.0.1:{listener.port}", "--statsd-prefix", "shop")
        pid = ask(server, 10).pop()

        def has(pattern: str) -> bool:
            return any(re.fullmatch(pattern, line) for line in list(listener.lines))

        wait_until(lambda: has(rf"labkit\.process_unique_bytes\.{pid}:\d+\|g"))
        wait_until(lambda: has(rf"labkit\.pool_checked_out\.main\.{pid}:2\|g"))
        wait_until(lambda: has(r"shop\.gunicorn\.requests:1\|c.*"))

        def requests_told() -> int:
            found = (re.fullmatch(r"labkit\.requests_ended:(\d+)\|c", line) for line in list(listener.lines))
            return sum(int(match[1]) for match in found if match)

        wait_until(lambda: requests_told() == 10)
        assert not has(r"shop\..*(rss|uss|memory|bytes).*"), "Gunicorn's own stream says nothing of memory"
    finally:
        listener.close()
