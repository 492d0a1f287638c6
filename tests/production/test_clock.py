"""The wall clock is set while a heap is taken, an hour back or forth: no deadline, no order, no worker takes notice."""

from __future__ import annotations

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from servers import APP, Served, children_of, serve

import labkit
from labkit.drive.collect import collect_snapshot
from labkit.drive.workers import LiveWorker
from labkit.errors import CaptureError
from labkit.store.capture import open_capture
from labkit.store.snapshot import read_snapshot

HOUR_S = 3600
NOW = """
import time
class Now:
    def on_get(self, req, resp):
        resp.text = str(time.time())
app.add_route("/clock/now", Now())
"""
BOTH_WALKERS = pytest.mark.parametrize("walker", [{}, {"LABKIT_WALKER": "python"}], ids=["c", "python"])


@dataclass
class WallClock:
    """The clock of the processes that get ``environment``."""

    file: Path
    environment: dict[str, str]

    def set_by(self, seconds: int) -> None:
        """Wrong by so much from now on."""
        with self.file.open("r+b") as stream:
            stream.write(struct.pack("q", seconds))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is preloaded; see ``wall_clock.c``."""
    compiler = shutil.which("cc")
    if compiler is None:
        reason = "there is no C compiler; on Debian: apt-get install gcc libc6-dev"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    made = tmp_path_factory.mktemp("clock") / "wall_clock.so"
    source = Path(__file__).with_name("wall_clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-Wall", "-Werror", "-o", made, source], check=True)
    return made


@pytest.fixture
def clock(library: Path, tmp_path: Path) -> WallClock:
    file = tmp_path / "wrong_by"
    file.write_bytes(bytes(8))
    return WallClock(file, {"LD_PRELOAD": str(library), "WALL_CLOCK": str(file)})


def wrong_by(served: Served) -> float:
    """The worker's own clock beside ours."""
    return float(served.get("/clock/now")) - time.time()


def take_with(worker: LiveWorker, path: Path, deadline_s: float, act: Callable[[int], None]) -> str:
    """Take the heap; its child is stopped as soon as it is seen, and ``act`` is called with its number."""
    raised: list[CaptureError] = []

    def take() -> None:
        try:
            collect_snapshot(worker, path, deadline_s)
        except CaptureError as error:
            raised.append(error)

    for _ in range(20):  # a child may be gone before it is seen
        path.unlink(missing_ok=True)
        taking = threading.Thread(target=take)
        taking.start()
        stopped = 0
        while taking.is_alive() and not stopped:
            for child in children_of(worker.pid):
                try:
                    os.kill(child, signal.SIGSTOP)
                    stopped = child if psutil.Process(child).status() == psutil.STATUS_STOPPED else 0
                except (ProcessLookupError, psutil.NoSuchProcess):
                    continue
        if stopped:
            act(stopped)
        taking.join()
        if stopped or raised:
            break
    assert stopped
    return f"{raised[0]} {raised[0].seen}" if raised else ""


@BOTH_WALKERS
@pytest.mark.parametrize("seconds", [-HOUR_S, HOUR_S], ids=["back", "forth"])
def test_set_during_a_walk(tmp_path: Path, doors: Path, clock: WallClock, walker: dict[str, str], seconds: int) -> None:
    with serve("gunicorn gthread", tmp_path, doors, app=APP + NOW, **walker, **clock.environment) as served:
        (worker,) = served.workers()
        assert abs(wrong_by(served)) < 60

        def set_and_go_on(child: int) -> None:
            clock.set_by(seconds)
            os.kill(child, signal.SIGCONT)

        assert take_with(worker, tmp_path / "x.heap", 60, set_and_go_on) == ""
        assert abs(wrong_by(served) - seconds) < 60
        assert len(labkit.open_snapshot(tmp_path / "x.heap")) > 100_000

        clock.set_by(0)
        said = take_with(worker, tmp_path / "y.heap", 2, lambda _: clock.set_by(seconds))
        assert "the walk took longer than 2 s and was ended" in said
        assert not (tmp_path / "y.heap").exists()
        assert children_of(worker.pid) == []
        assert worker.process.is_running()


def test_set_back_during_a_series(tmp_path: Path, doors: Path, clock: WallClock) -> None:
    """The command's own clock goes back as well as the worker's."""
    environment = {**os.environ, **clock.environment, "LABKIT_AGENT_DIR": str(tmp_path / "agents")}
    enough = threading.Event()

    def keep_asking() -> None:
        while not enough.wait(0.005):
            served.get("/1", "POST")

    with serve("gunicorn gthread", tmp_path, doors, app=APP + NOW, **clock.environment) as served:
        (worker,) = served.workers()
        asking = threading.Thread(target=keep_asking)
        asking.start()
        words = ["capture", "--pid", str(worker.pid), "-o", "series", "--snapshots", "6", "--every", "1"]
        command = [sys.executable, "-m", "labkit", *words]
        try:
            with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as taking:
                assert taking.stderr is not None
                for line in taking.stderr:
                    if line.startswith("snapshot 3 of 6"):
                        clock.set_by(-HOUR_S)
            assert taking.returncode == 0
        finally:
            enough.set()
            asking.join()
        listed = [sys.executable, "-m", "labkit", "workers", "--dir", str(served.agents), "--json"]
        (facts,) = json.loads(subprocess.run(listed, env=environment, check=True, capture_output=True).stdout)
        assert 0 <= facts["age_s"] < HOUR_S
    capture = open_capture(tmp_path / "series")
    taken = [read_snapshot(capture.path_of(entry)).header["taken_at_unix_s"] for entry in capture.snapshots]
    assert min(taken[:2]) - max(taken[3:]) > HOUR_S - 60
    times = [sample.time_s for sample in capture.samples]
    assert times == sorted(times)
    assert times[-1] < HOUR_S
    assert [entry.rung for entry in capture.snapshots] == [*range(6)]
    triage = [sys.executable, "-m", "labkit", "triage", str(tmp_path / "series"), "--json"]
    done = subprocess.run(triage, env=environment, capture_output=True, text=True)
    assert done.stdout, done.stderr
    named = [one["retainer"] for one in json.loads(done.stdout)["suspects"]]
    assert (done.returncode, named) in [(1, ["app.KEPT"]), (3, [])]  # inconclusive where requests came unevenly
