"""What could hurt a worker while its heap is taken: it goes on as if nothing were, and no half-written file stays."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from clients import Clients
from servers import APP, Served, children_of, serve

import labkit
from labkit.drive.collect import collect_snapshot
from labkit.drive.workers import LiveWorker, live_workers
from labkit.errors import AgentFailed, CaptureError, WorkerDied

BOTH_WALKERS = pytest.mark.parametrize("walker", ["c", "python"])


def environment(walker: str) -> dict[str, str]:
    return {"LABKIT_WALKER": "python"} if walker == "python" else {}


def is_well(served: Served, worker: LiveWorker) -> None:
    """The worker is the one it was, answers rightly, has no child, and its heap can be taken."""
    assert worker.process.is_running()
    with Clients(served, 4) as clients:
        clients.wait_for(20)
    assert set(clients.outcomes) == {"right"}
    path = served.folder / "after.heap"
    collect_snapshot(worker, path, 60)
    assert len(labkit.open_snapshot(path)) > 100_000
    path.unlink()
    assert children_of(worker.pid) == []
    assert half_written(served.folder) == []


def half_written(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if "partial" in path.name]


@BOTH_WALKERS
def test_a_peer_of_the_worker_sees_nothing(tmp_path: Path, doors: Path, walker: str) -> None:
    """A connection that the app holds: no byte, no end, though the child closes its copy."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        app = f"import socket\nHELD = socket.create_connection(('127.0.0.1', {port}))\n" + APP
        server = serve("gunicorn gthread", tmp_path, doors, app=app, **environment(walker))
        with server as served, listener.accept()[0] as peer:
            (worker,) = served.workers()
            collect_snapshot(worker, tmp_path / "x.heap", 60)
            peer.setblocking(False)
            with pytest.raises(BlockingIOError):
                peer.recv(1)
            is_well(served, worker)


@BOTH_WALKERS
def test_locks_that_other_threads_hold(tmp_path: Path, doors: Path, walker: str) -> None:
    app = """
import _imp, logging, threading, time
LOCK = threading.Lock()
def hold_while_there_is_a_file():
    while not os.path.exists("hold"):
        time.sleep(0.01)
    with LOCK, logging._lock:
        _imp.acquire_lock()
        open("held", "w").close()
        while os.path.exists("hold"):
            time.sleep(0.01)
        _imp.release_lock()
threading.Thread(target=hold_while_there_is_a_file, daemon=True).start()
"""
    with serve("gunicorn gthread", tmp_path, doors, app=APP + app, **environment(walker)) as served:
        (worker,) = served.workers()
        (tmp_path / "hold").touch()
        while not (tmp_path / "held").exists():
            time.sleep(0.01)
        if walker == "c":
            collect_snapshot(worker, tmp_path / "x.heap", 60)
            assert len(labkit.open_snapshot(tmp_path / "x.heap")) > 100_000
        else:
            with pytest.raises(AgentFailed) as caught:
                collect_snapshot(worker, tmp_path / "x.heap", 60)
            assert "another thread holds the import lock" in caught.value.seen
        (tmp_path / "hold").unlink()
        is_well(served, worker)


@BOTH_WALKERS
def test_many_descriptors_and_a_frozen_heap(tmp_path: Path, doors: Path, walker: str) -> None:
    app = """
import gc, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (6_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
OPENED = [os.open("/dev/null", os.O_RDONLY) for _ in range(5_000)]
gc.collect(); gc.freeze()
"""
    with serve("gunicorn gthread", tmp_path, doors, app=APP + app, **environment(walker)) as served:
        (worker,) = served.workers()
        before = worker.process.num_fds()
        is_well(served, worker)
        assert before > 5_000
        assert worker.process.num_fds() <= before


@BOTH_WALKERS
def test_a_disk_that_refuses(tmp_path: Path, doors: Path, walker: str) -> None:
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))\n"
    with serve("gunicorn gthread", tmp_path, doors, app=APP + limit, **environment(walker)) as served:
        (worker,) = served.workers()
        with pytest.raises(AgentFailed) as caught:
            collect_snapshot(worker, tmp_path / "x.heap", 60)
        assert "File too large" in caught.value.seen
        assert not (tmp_path / "x.heap").exists()
        assert half_written(tmp_path) == []
        assert served.get("/1")


def during_a_walk(worker: LiveWorker, delay_s: float, act: Callable[[int], None], path: Path) -> BaseException | None:
    """Take the heap and call ``act`` with the child's number so long after it has begun; return what was raised."""
    raised: list[BaseException] = []

    def take() -> None:
        try:
            collect_snapshot(worker, path, 60)
        except CaptureError as error:
            raised.append(error)

    taking = threading.Thread(target=take)
    taking.start()
    while taking.is_alive():
        try:
            children = children_of(worker.pid)
        except psutil.NoSuchProcess:
            break
        if children:
            time.sleep(delay_s)
            act(children[0])
            break
    taking.join()
    return raised[0] if raised else None


@BOTH_WALKERS
def test_a_walk_that_is_killed_at_any_point(tmp_path: Path, doors: Path, walker: str) -> None:
    def kill(pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    with serve("gunicorn gthread", tmp_path, doors, **environment(walker)) as served:
        (worker,) = served.workers()
        took_over = killed = 0
        for number in range(10):
            path = tmp_path / f"{number}.heap"
            error = during_a_walk(worker, number * (0.02 if walker == "c" else 0.1), kill, path)
            assert path.exists() == (error is None)
            if path.exists():
                header = labkit.open_snapshot(path).image.graph.snapshot.header
                took_over += header["walker"] != walker
            elif walker == "python":
                assert "SIGKILL" in str(error)
            killed += error is not None
        assert took_over if walker == "c" else killed  # the plain walker takes over from a compiled one
        is_well(served, worker)


def test_a_worker_that_is_killed_in_mid_walk(tmp_path: Path, doors: Path) -> None:
    with serve("gunicorn gthread", tmp_path, doors, LABKIT_WALKER="python") as served:
        (worker,) = served.workers()
        error = during_a_walk(worker, 0.2, lambda _: worker.process.kill(), tmp_path / "x.heap")
        assert isinstance(error, WorkerDied)
        assert not (tmp_path / "x.heap").exists()
        assert half_written(tmp_path) == []
        deadline = time.monotonic() + 30
        while not (others := [each for each in served.workers() if each.pid != worker.pid]):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        is_well(served, others[0])


def test_a_caller_that_is_interrupted(tmp_path: Path, doors: Path) -> None:
    with serve("gunicorn gthread", tmp_path, doors, LABKIT_WALKER="python") as served:
        (worker,) = served.workers()
        command = [sys.executable, "-m", "labkit", "capture", "--socket", str(worker.socket_path), "-o", "x.heap"]
        caller = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        while not children_of(worker.pid):
            time.sleep(0.005)
        caller.send_signal(signal.SIGINT)
        assert "interrupted" in caller.communicate(timeout=30)[1]
        deadline = time.monotonic() + 20
        while children_of(worker.pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not (tmp_path / "x.heap").exists()
        is_well(served, worker)


def test_workers_that_are_recycled(tmp_path: Path, doors: Path) -> None:
    """Each successor has an agent; a heap is whole, or the error says that its worker has gone."""
    more = ("--max-requests", "1200", "--max-requests-jitter", "200")
    with serve("gunicorn sync", tmp_path, doors, *more) as served, Clients(served, 8) as clients:
        seen, taken = set(), 0
        deadline = time.monotonic() + 30
        while (len(seen) < 6 or taken < 4) and time.monotonic() < deadline:
            for worker in live_workers(served.agents):
                seen.add(worker.pid)
                try:
                    collect_snapshot(worker, tmp_path / f"{taken}.heap", 60)
                except (AgentFailed, WorkerDied):
                    continue
                assert len(labkit.open_snapshot(tmp_path / f"{taken}.heap")) > 100_000
                taken += 1
    assert len(seen) >= 6
    assert taken >= 4
    assert set(clients.outcomes) == {"right"}
    assert half_written(tmp_path) == []


def test_a_signal_where_the_folder_is_gone(tmp_path: Path, doors: Path) -> None:
    number = signal.SIGRTMIN + 4
    with serve("gunicorn gthread", tmp_path, doors, LABKIT_AGENT_SIGNAL=str(int(number))) as served:
        (worker,) = served.workers()
        worker.socket_path.unlink()
        os.kill(worker.pid, number)
        path = served.agents / f"signal-{worker.pid}-1.heap"
        deadline = time.monotonic() + 30
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(labkit.open_snapshot(path)) > 100_000
        assert served.get("/1")


def test_an_agent_that_cannot_start_lets_the_app_be(tmp_path: Path, doors: Path) -> None:
    (tmp_path / "agents").mkdir(mode=0o755)
    (tmp_path / "agents").chmod(0o755)
    with serve("gunicorn gthread", tmp_path, doors) as served:
        assert served.get("/1")
        assert "labkit: no agent in process" in served.log.read_text()
        assert "is open to others: chmod 700" in served.log.read_text()


def test_a_socket_that_is_swept_away_comes_back(tmp_path: Path, doors: Path) -> None:
    """Clean-up programs remove old files under /tmp."""
    app = "import _labkit_agent.control\n_labkit_agent.control.LOOK_AGAIN_MS = 100\n" + APP
    with serve("gunicorn preload", tmp_path, doors, app=app) as served:
        before = {worker.pid for worker in served.workers(2)}
        for path in served.agents.iterdir():
            path.unlink()
        served.agents.rmdir()
        deadline = time.monotonic() + 20
        while not {worker.pid for worker in live_workers(served.agents)} >= before and time.monotonic() < deadline:
            time.sleep(0.05)
        assert {worker.pid for worker in live_workers(served.agents)} >= before
