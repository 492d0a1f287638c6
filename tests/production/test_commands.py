"""``labkit agent``, ``workers``, ``capture`` as an engineer on call uses them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from servers import Served, serve

import labkit
from labkit.drive.collect import collect_series
from labkit.drive.ship import ship_agent
from labkit.store.bundle import unpack
from labkit.store.capture import open_capture

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, doors: Path) -> Iterator[Served]:
    with serve("gunicorn gthread", tmp_path_factory.mktemp("served"), doors) as found:
        found.workers()
        yield found


@pytest.fixture
def run(served: Served, tmp_path: Path) -> Run:
    def command(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "LABKIT_AGENT_DIR": str(served.agents), "LABKIT_PROGRAM": "labkit"}
        done = subprocess.run(
            [sys.executable, "-m", "labkit", *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if check:
            assert done.returncode == 0, done.stderr
        return done

    return command


def test_the_agent_is_written_with_instructions(run: Run, tmp_path: Path) -> None:
    said = run("agent", "aboard").stdout
    assert f"gunicorn -c {tmp_path}/aboard/labkit_gunicorn.py" in said
    assert f"uwsgi --import {tmp_path}/aboard/labkit_uwsgi.py" in said
    assert "import labkit_agent; labkit_agent.start()" in said
    names = {path.name for path in (tmp_path / "aboard").iterdir()}
    assert names == {"_labkit_agent", "labkit_aboard", "labkit_agent.py", "labkit_gunicorn.py", "labkit_uwsgi.py"}
    assert not list((tmp_path / "aboard").rglob("*.c"))


def test_an_older_agent_is_replaced_as_a_whole(tmp_path: Path) -> None:
    ship_agent(tmp_path, sys.executable)
    (tmp_path / "_labkit_agent" / "of_an_older_version.py").write_text("")
    ship_agent(tmp_path, sys.executable)
    assert not (tmp_path / "_labkit_agent" / "of_an_older_version.py").exists()
    assert (tmp_path / "_labkit_agent" / "start.py").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_an_agent_for_a_folder_that_refuses(run: Run) -> None:
    done = run("agent", "/proc/nowhere", check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: The agent could not be written to /proc/nowhere.\n")


def test_workers_are_listed(run: Run, served: Served) -> None:
    (worker,) = served.workers()
    heading, row = run("workers").stdout.splitlines()
    assert heading.split() == ["pid", "age", "RSS", "USS", "fds", "threads", "python", "walker", "program"]
    assert row.split()[0] == str(worker.pid)
    assert row.split()[-2] == "c"
    (facts,) = json.loads(run("workers", "--json").stdout)
    assert facts["pid"] == worker.pid
    assert facts["uss_bytes"] > 10_000_000
    assert facts["socket"] == str(worker.socket_path)


def test_nobody_to_list(run: Run, tmp_path: Path) -> None:
    done = run("workers", "--dir", str(tmp_path))
    assert done.stdout == ""
    assert done.stderr.splitlines()[0] == "No worker with an agent was found."


def test_a_worker_that_is_gone_is_swept_away(run: Run, served: Served) -> None:
    note = served.agents / "worker-999999.json"
    note.write_text(json.dumps({"pid": 999999, "python": "3.11.7"}))
    (served.agents / "worker-999999.sock").write_text("")
    assert "999999" not in run("workers").stdout
    assert not note.exists()


def test_one_worker_asked_for_twice_is_one_and_its_bundle_is_private(run: Run, served: Served, tmp_path: Path) -> None:
    (worker,) = served.workers()
    twice = ("--pid", str(worker.pid), "--pid", str(worker.pid))
    run("capture", *twice, "-o", "twice.capture", "--snapshots", "2", "--every", "1")
    assert stat.S_IMODE((tmp_path / "twice.capture").stat().st_mode) == 0o600
    assert len(unpack(tmp_path / "twice.capture", tmp_path / "twice").snapshots) == 2


@pytest.mark.parametrize("by", ["pid", "socket"])
def test_a_snapshot(run: Run, served: Served, tmp_path: Path, by: str) -> None:
    (worker,) = served.workers()
    words = ("--pid", str(worker.pid)) if by == "pid" else ("--socket", str(worker.socket_path))
    said = run("capture", *words, "-o", "now.heap").stdout
    assert said.endswith("\nSnapshot: now.heap\n")
    assert " objects; the worker stood still for " in said
    assert stat.S_IMODE((tmp_path / "now.heap").stat().st_mode) == 0o600
    assert len(labkit.open_snapshot(tmp_path / "now.heap")) > 100_000
    assert [path.name for path in tmp_path.iterdir()] == ["now.heap"]


def test_a_series_names_the_holder(run: Run, served: Served, tmp_path: Path) -> None:
    (worker,) = served.workers()
    enough = threading.Event()

    def keep_asking() -> None:
        number = 0
        while not enough.is_set():
            number += 1
            served.get(f"/{number}", "POST")
            time.sleep(0.01)

    asking = threading.Thread(target=keep_asking)
    asking.start()
    try:
        done = run("capture", "--pid", str(worker.pid), "-o", "series", "--snapshots", "6", "--every", "2")
    finally:
        enough.set()
        asking.join()
    assert "snapshot 6 of 6 ..." in done.stderr
    assert stat.S_IMODE((tmp_path / "series").stat().st_mode) == 0o700
    findings = run("triage", "series", "--json", check=False)
    assert findings.returncode == 1
    found = json.loads(findings.stdout)
    assert (found["unit"], found["suspects"][0]["grows"]["per"]) == ("second", "second")
    assert [one["retainer"] for one in found["suspects"]] == ["app.KEPT"]
    text = run("triage", "series", check=False).stdout
    assert "app.KEPT keeps " in text
    assert " MB per hour" in text
    assert "per request" not in text
    run("report", "series", "-o", "report.html", check=False)
    report = (tmp_path / "report.html").read_text()
    assert "per hour" in report
    assert "per request" not in report
    assert "seconds since the first look" in report


def test_snapshots_fall_into_different_seconds(run: Run, served: Served, tmp_path: Path) -> None:
    """However fast they are asked for, or late: else they could not be judged."""
    (worker,) = served.workers()
    run("capture", "--pid", str(worker.pid), "-o", "series", "--snapshots", "5", "--every", "0.3")
    capture = open_capture(tmp_path / "series")
    seconds = [entry.requests for entry in capture.snapshots]
    assert len({*seconds}) == 5
    assert run("triage", "series", check=False).returncode != 2


def test_a_heap_that_takes_seconds_stays_in_its_own(tmp_path: Path, doors: Path) -> None:
    """Rules read the seconds of both looks, before a heap and after it."""
    with serve("gunicorn gthread", tmp_path, doors, LABKIT_WALKER="python") as slow:
        words = {"snapshots": 3, "every_s": 0.5, "deadline_s": 60.0, "command": "", "report": lambda _: None}
        capture = collect_series(slow.workers(), tmp_path / "series", **words)  # type: ignore[arg-type]
    looks = capture.samples
    seconds = [entry.requests for entry in capture.snapshots]
    assert [look.requests for look in looks] == [second for second in seconds for _ in range(2)]


@pytest.mark.parametrize(
    ("words", "said", "tried"),
    [
        ((), "Say which worker.", "--pid PID, or --socket PATH"),
        (("--pid", "999999"), "There is no process 999999.", "labkit workers"),
        (("--pid", "{own}"), "has no agent.", "docs/production.md"),
        (("--socket", "/nobody.sock"), "Nobody answers on /nobody.sock.", "docs/production.md"),
        (("--pid", "{pid}", "--snapshots", "0"), "A series needs snapshots", "--snapshots 6 --every 60"),
        (("--pid", "{pid}", "--every", "-1"), "A series needs snapshots", "--snapshots 6 --every 60"),
        (("--pid", "{pid}", "--native"), "--native goes with memray.", "--record memray --native"),
        (("--pid", "{pid}", "-o", "mine"), "mine exists already", "choose another -o"),
        (("--pid", "{pid}", "-o", "no/such/x.heap"), "There is no folder no/such.", "choose another -o"),
        (("--pid", "{pid}", "--deadline", "0.01"), "could not write its heap", ""),
    ],
)
def test_what_cannot_be_captured(
    run: Run, served: Served, tmp_path: Path, words: tuple[str, ...], said: str, tried: str
) -> None:
    (tmp_path / "mine").write_text("mine")
    pid = str(served.workers()[0].pid)
    done = run("capture", "-o", "x.heap", *(word.format(pid=pid, own=os.getpid()) for word in words), check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert tried in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="being another user takes root")
def test_another_user_can_neither_list_nor_capture_nor_read(served: Served, run: Run, tmp_path: Path) -> None:
    (worker,) = served.workers()
    run("capture", "--pid", str(worker.pid), "-o", "mine.heap")
    program = f"""
import os, sys
from labkit.cli import main
import labkit.drive.workers, labkit.operate
os.setgid(65534); os.setuid(65534)
listed = main(["workers", "--dir", {str(served.agents)!r}])
print(listed, main(["capture", "--pid", "{worker.pid}", "-o", "x.heap"]))
for act in (lambda: os.listdir({str(served.agents)!r}), lambda: open({str(tmp_path / "mine.heap")!r}),
            lambda: labkit.drive.workers.listening_process({str(worker.socket_path)!r})):
    try:
        print(act())
    except PermissionError:
        print("refused")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ["0 2", "refused", "refused", "refused"], done.stderr
    assert "No worker with an agent was found." in done.stderr
    assert "belongs to somebody else" in done.stderr


def test_values_are_told_of_wherever_they_are(run: Run, served: Served, tmp_path: Path) -> None:
    (worker,) = served.workers()
    done = run("capture", "--pid", str(worker.pid), "--with-values", "-o", "v.heap")
    assert done.stderr.startswith("This capture holds values of the service: ")
    heap = labkit.open_snapshot(tmp_path / "v.heap")
    assert "name 19999" in {node.value for node in heap.select(type="str")}  # of the app's PADDING
    words = " ".join(run("triage", "v.heap", check=False).stdout.split())
    assert words.startswith("This capture holds values of the service: ")
    assert stat.S_IMODE((tmp_path / "v.heap").stat().st_mode) == 0o600
    assert "holds values" not in run("capture", "--pid", str(worker.pid), "-o", "x.heap").stderr
    assert run("capture", "--pid", str(worker.pid), "--with-values", "--snapshots", "2", "--every", "1", "-o", "s")
    assert json.loads((tmp_path / "s" / "manifest.json").read_text())["notes"]["values"] is True
