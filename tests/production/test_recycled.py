"""Workers that are recycled while they are watched: what was seen is kept and judged, never "clean" for a leak that a
restart cut short, and nothing is made up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from servers import APP, Served, serve

from labkit.drive.workers import live_workers
from labkit.store.capture import open_capture

HEALTHY = APP.replace("KEPT.append(bytearray(200))", "KEPT[:] = [bytearray(200)]")
SNAPSHOTS = 8
BOTH_APPS = pytest.mark.parametrize("app", [APP, HEALTHY], ids=["leaky", "healthy"])


def run(folder: Path, agents: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LABKIT_AGENT_DIR": str(agents), "LABKIT_PROGRAM": "labkit"}
    command = [sys.executable, "-m", "labkit", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=200)


def series(served: Served, pids: list[int], end: int, at: int) -> list[str]:
    """Take a series under load; worker ``end`` is killed as soon as snapshot ``at`` is begun. What was said."""
    enough = threading.Event()

    def keep_asking() -> None:
        while not enough.wait(0.005):
            try:
                served.get("/1", "POST")
            except OSError:  # the killed worker had it
                continue

    words = [word for pid in pids for word in ("--pid", str(pid))]
    environment = {**os.environ, "LABKIT_AGENT_DIR": str(served.agents), "LABKIT_PROGRAM": "labkit"}
    command = [sys.executable, "-m", "labkit", "capture", *words, "-o", "series"]
    command += ["--snapshots", str(SNAPSHOTS), "--every", "1"]
    said = []
    asking = threading.Thread(target=keep_asking)
    asking.start()
    try:
        taking = subprocess.Popen(command, cwd=served.folder, env=environment, stderr=subprocess.PIPE, text=True)
        with taking:
            assert taking.stderr is not None
            for line in taking.stderr:
                said.append(line.rstrip())
                if line.startswith(f"snapshot {at} of"):
                    next(worker for worker in live_workers(served.agents) if worker.pid == end).process.kill()
        assert taking.returncode == 2
    finally:
        enough.set()
        asking.join()
    return [line for line in said if not line.startswith("snapshot ")]


def judged(served: Served) -> tuple[int, dict[str, Any], str]:
    """What triage makes of the series: exit status, findings, words."""
    done = run(served.folder, served.agents, "triage", "series", "--json")
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


@BOTH_APPS
def test_one_of_two_workers_ends(tmp_path: Path, doors: Path, app: str) -> None:
    """The rung it is missing from is given up; the ones before are judged."""
    with serve("gunicorn sync", tmp_path, doors, app=app) as served:
        pids = [worker.pid for worker in served.workers(2)]
        said = series(served, pids, end=pids[1], at=7)
        assert said[0].startswith("error: The series ended after 6 of 8 snapshots.")
        assert f"Worker {pids[1]} " in said[1]
        assert said[2:] == ["  try:  what was taken by then is in series: labkit triage series"]
        capture = open_capture(tmp_path / "series")
        assert [(entry.rung, entry.pid) for entry in capture.snapshots] == [(r, pid) for r in range(6) for pid in pids]
        assert len(list((tmp_path / "series" / "heap").iterdir())) == 12
        status, found, _ = judged(served)
        named = [one["retainer"] for one in found["suspects"]]
        assert (status, named) in ([(1, ["app.KEPT"]), (3, [])] if app == APP else [(3, [])])
        words = [line for line in found["missing"] if "ended early" in line]
        assert len(words) == 1
        assert words[0].startswith("the rest of the series, which ended early, after 6 of 8 snapshots. Worker ")


@BOTH_APPS
def test_a_worker_that_ends_too_soon_for_a_trend(tmp_path: Path, doors: Path, app: str) -> None:
    with serve("gunicorn gthread", tmp_path, doors, app=app) as served:
        (worker,) = served.workers()
        said = series(served, [worker.pid], end=worker.pid, at=4)
        assert said[0] == "error: The series ended after 3 of 8 snapshots."
        status, found, error = judged(served)
        assert (status, found) == (2, {})
        assert error.splitlines() == [
            "error: There are too few snapshots for a trend.",
            "  seen: snapshots of 3 rungs",
            "  try:  a series of five or more: --snapshots 5",
        ]


#: Ends its own process after so many requests, as the bounds on memory that people write themselves do.
RECYCLING = """
import os, signal
KEPT, COUNT = [], [0]
def app(environ, start_response):
    COUNT[0] += 1
    KEPT{keeps}
    if COUNT[0] == {bound}:
        os.kill(os.getpid(), signal.SIGTERM)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
LOAD = ["--app", "shop.py:app", "--request", "GET /{i}", "--requests", "100", "--warmup", "100", "--rungs", "5"]


@pytest.mark.parametrize("keeps", [".append(bytearray(200))", "[:] = [bytearray(200)]"], ids=["leaky", "healthy"])
@pytest.mark.parametrize("bound", [50, 350, 0])
def test_an_investigation(tmp_path: Path, keeps: str, bound: int) -> None:
    """Gunicorn's own bounds are lifted, wherever they are set; an app that ends its workers is told of, not judged."""
    (tmp_path / "shop.py").write_text(RECYCLING.format(keeps=keeps, bound=bound))
    (tmp_path / "gunicorn.conf.py").write_text("max_requests = 70\n")
    command = [sys.executable, "-m", "labkit", "investigate", *LOAD, "--no-sites", "--json", "--quiet"]
    environment = {**os.environ, "GUNICORN_CMD_ARGS": "--max-requests 60", "LABKIT_PROGRAM": "labkit"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200)
    if bound:
        assert (done.returncode, done.stdout) == (2, "")
        assert " died while it was being measured." in done.stderr
        assert "no limit on the worker's memory or requests" in done.stderr
    else:
        found = json.loads(done.stdout)
        is_leaky = "append" in keeps
        assert found["verdict"] == ("suspect" if is_leaky else "clean")
        assert [one["retainer"] for one in found["suspects"]] == ["shop.KEPT"] * is_leaky
