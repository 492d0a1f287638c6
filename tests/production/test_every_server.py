"""Snapshots of real servers under load: each is whole, and the worker does not notice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from clients import Clients
from servers import SERVERS, Served, children_of, serve

import labkit
from labkit.drive.collect import collect_snapshot
from labkit.drive.sampling import settle, wait_for_descriptors
from labkit.drive.workers import LiveWorker, worker_with

MEGABYTE = 1 << 20


@pytest.fixture(scope="module", params=SERVERS)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, doors: Path) -> Iterator[Served]:
    with serve(request.param, tmp_path_factory.mktemp("served"), doors) as found:
        yield found


def at_rest(worker: LiveWorker) -> tuple[int, int, list[int]]:
    """Descriptors, threads and children when nothing is asked."""
    settle([worker.process], limit_s=5)
    wait_for_descriptors(worker.pid, 0)
    look = worker.look(time.monotonic())
    return look.descriptors, look.threads, children_of(worker.pid)


def most_threads(served: Served) -> int:
    """A pool starts its threads when it first needs them: its own, the main and the agent's thread."""
    command = served.command
    return 2 + int(command[command.index("--threads") + 1]) if "--threads" in command else 0


def test_snapshots_under_load(served: Served, tmp_path: Path) -> None:
    workers = [worker for worker in served.workers() if worker.pid != served.process.pid] or served.workers()
    with Clients(served) as warm:  # all threads have been used, and the interpreter's caches are filled
        warm.wait_for(400)
    for worker in workers:
        collect_snapshot(worker, tmp_path / f"first-{worker.pid}.heap", 60)
    before = {worker.pid: at_rest(worker) for worker in workers}
    with Clients(served) as clients:
        clients.wait_for(50)
        for number in range(3):
            for worker in workers:
                path = tmp_path / f"{worker.pid}-{number}.heap"
                collect_snapshot(worker, path, 60)
                assert len(labkit.open_snapshot(path)) > 100_000
        clients.wait_for(50)
    assert set(clients.outcomes) == {"right"}
    for worker in workers:
        descriptors, threads, children = before[worker.pid]
        now = at_rest(worker)
        assert now == (descriptors, now[1], children)
        assert now[1] == threads or threads < now[1] <= most_threads(served)
        uss_bytes = worker.look(time.monotonic()).uss_bytes
        for number in range(3):  # at rest: serving, too, makes a forked worker's pages its own bit by bit
            collect_snapshot(worker, tmp_path / f"rest-{worker.pid}-{number}.heap", 60)
        assert abs(worker.look(time.monotonic()).uss_bytes - uss_bytes) < MEGABYTE
    assert [path.name for path in served.agents.iterdir() if path.suffix not in (".json", ".sock")] == []


def test_what_is_kept_is_found_by_name(served: Served, tmp_path: Path) -> None:
    for number in range(20):
        served.get(f"/{number}", "POST")
    found = []
    for worker in served.workers():
        collect_snapshot(worker, tmp_path / f"{worker.pid}.heap", 60)
        kept = labkit.open_snapshot(tmp_path / f"{worker.pid}.heap").select(type="bytearray").largest(1)
        found += [node.path_to_root()[:2] for node in kept if node.shallow_size_bytes > 200]
    assert ["module app", "KEPT"] in found


def test_a_worker_is_found_by_its_number(served: Served) -> None:
    for worker in served.workers():
        assert worker_with(worker.pid) == worker
        assert worker.agent.ping()["pid"] == psutil.Process(worker.pid).pid


def test_no_word_of_the_agent_in_the_log(served: Served) -> None:
    assert "labkit" not in served.log.read_text()
