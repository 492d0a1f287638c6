"""Whole recordings of real servers, and what remains when one is cut short."""

import ctypes
import os
import signal
import subprocess
import sys
import threading

import psutil
import pytest

from labkit.drive import RecordOptions, record
from labkit.errors import AgentFailed, AppAnswersErrors, AppHangs, AppNotReady, WorkerDied

STEPS = ["GET /ok/{i}", "GET /ok/{i}"]

# Answers by path: /ok, /500, /hang, /die/N (the worker kills itself at visit N); writes down who runs it.
MANY_WAYS = """
    import os, signal, time
    from pathlib import Path

    KEPT = []
    Path(__file__).with_name("pids").write_text(f"{os.getpid()} {os.getppid()}")

    def app(environ, start_response):
        way, _, number = environ["PATH_INFO"].strip("/").partition("/")
        KEPT.append([number] * 100)
        if way == "hang":
            Path(__file__).with_name("hanging").touch()
            time.sleep(1000)
        if way.startswith("die") and int(number) == int(way[3:]):
            os.kill(os.getpid(), signal.SIGKILL)
        status = "500 Oops" if way == "500" or (way == "some" and int(number) % 2) else "200 OK"
        start_response(status, [("Content-Length", "9")])
        return [b"something"]
"""

QUICK = {"allocation_pass": False, "server": "builtin"}


def test_a_whole_recording(make_target, tmp_path, short_tmp):
    target = make_target(MANY_WAYS, steps=STEPS, rungs=2)
    capture = record(target, RecordOptions(), tmp_path / "out", "the command", False)
    assert [(entry.rung, entry.requests) for entry in capture.snapshots] == [(0, 8), (1, 16), (2, 24)]
    assert [(entry.rung, entry.requests) for entry in capture.site_snapshots] == [(2, 108)]
    assert all(capture.path_of(entry).stat().st_size > 0 for entry in capture.snapshots + capture.site_snapshots)
    assert len({entry.pid for entry in capture.snapshots}) == 1
    assert {entry.pid for entry in capture.site_snapshots}.isdisjoint({entry.pid for entry in capture.snapshots})
    assert [(sample.rung, sample.requests) for sample in capture.samples] == [
        (rung, 8 + 8 * rung) for rung in range(3) for _ in ("before", "after")
    ]
    assert all(sample.rss_bytes >= sample.uss_bytes > 0 for sample in capture.samples)
    assert len({(sample.descriptors, sample.sockets, sample.threads) for sample in capture.samples}) == 1
    manifest = capture.manifest
    assert manifest["statuses"]["lost"] == 0
    under_load = manifest["under_load"]
    assert manifest["statuses"]["200"] == 24 + 108 + under_load["requests"]
    assert under_load["lost"] == 0
    assert under_load["requests"] >= 2 * target.load.concurrency
    assert {"pid", "pause_ms", "child_peak_bytes", "uss_before_bytes", "uss_after_bytes"} <= set(under_load)
    assert {"pause_ms", "uss_before_bytes", "uss_after_bytes"} <= set(capture.snapshots[0].cost)
    assert {"labkit", "python", "gunicorn", "falcon"} <= set(manifest["versions"])
    assert (manifest["label"], manifest["command"], manifest["settled"]) == ("test", "the command", True)
    assert manifest["server"] == {"server": "gunicorn", "workers": 1, "worker_class": "sync"}
    assert manifest["load"] == target.load.model_dump(mode="json")
    assert not list((tmp_path / "out").rglob("discarded*"))
    assert list(short_tmp.iterdir()) == []
    assert not (tmp_path / "out.partial").exists()


def test_each_of_several_workers_is_recorded(make_target, tmp_path):
    options = RecordOptions(worker_class="gthread", threads=2, workers=2, allocation_pass=False)
    capture = record(make_target(MANY_WAYS, steps=STEPS, rungs=1), options, tmp_path / "out", "", False)
    assert capture.site_snapshots == ()
    pids = {entry.pid for entry in capture.snapshots}
    assert len(pids) == 2
    assert {(entry.rung, entry.pid) for entry in capture.snapshots} == {
        (rung, pid) for rung in range(2) for pid in pids
    }
    assert {sample.pid for sample in capture.samples} == pids
    assert capture.manifest["under_load"]["lost"] == 0
    assert capture.manifest["server"]["threads"] == 2


def test_some_errors_are_counted_and_told_by_step(make_target, tmp_path):
    target = make_target(MANY_WAYS, steps=["GET /ok/{i}", "GET /some/{i}"], rungs=1)
    capture = record(target, RecordOptions(**QUICK), tmp_path / "out", "", False)
    statuses = capture.manifest["statuses"]
    assert set(statuses) == {"200", "500 GET /some/{i}", "lost"}
    assert 0.2 * sum(statuses.values()) <= statuses["500 GET /some/{i}"] <= 0.3 * sum(statuses.values())


def test_a_worker_that_never_rests_is_recorded_as_unsettled(make_target, tmp_path):
    busy = """
    import _thread

    def spin():
        while True:
            sum(range(20000))

    _thread.start_new_thread(spin, ())
    """
    target = make_target(busy + MANY_WAYS, steps=STEPS, rungs=1)
    capture = record(target, RecordOptions(**QUICK), tmp_path / "out", "", False)
    assert capture.manifest["settled"] is False


def test_progress_is_shown_only_when_wanted_and_seen(make_target, tmp_path, capfd):
    record(make_target(MANY_WAYS, rungs=1), RecordOptions(**QUICK), tmp_path / "out", "", True)
    assert capfd.readouterr() == ("", "")  # standard error is no terminal here


# What goes wrong


def fails(target, tmp_path, kind, **options):
    before = set(psutil.Process().children())
    with pytest.raises(kind) as told:
        record(target, RecordOptions(**({"server": "gunicorn"} | options)), tmp_path / "out", "", False)
    assert set(psutil.Process().children()) == before
    assert not list(tmp_path.glob("out*"))
    return told.value


def test_an_app_that_answers_500_to_everything(make_target, tmp_path):
    error = fails(make_target(MANY_WAYS, steps=["GET /500/{i}"]), tmp_path, AppAnswersErrors)
    assert error.what == "The app answers 500 to GET /500/{i}, and nothing else to anything."
    assert error.seen == "8 of 8 answers; one says: something"
    assert "--allow-status 500" in error.hint


def test_errors_that_are_allowed_are_normal(make_target, tmp_path):
    target = make_target(MANY_WAYS, steps=["GET /500/{i}"], warmup_requests=0, rungs=1)
    fails(target, tmp_path, AppAnswersErrors, **QUICK)
    capture = record(target, RecordOptions(allow_statuses=(500,), **QUICK), tmp_path / "out", "", False)
    assert set(capture.manifest["statuses"]) == {"500", "lost"}


def test_an_endpoint_that_hangs(make_target, tmp_path):
    target = make_target(MANY_WAYS, steps=["GET /ok/{i}", "GET /hang/{i}"])
    error = fails(target, tmp_path, AppHangs, request_timeout_s=3)
    assert error.what.startswith("GET /hang/")
    assert "no complete answer within 3 s" in error.what


@pytest.mark.parametrize("server", ["gunicorn", "builtin"])
def test_a_worker_killed_in_mid_run(make_target, tmp_path, server):
    error = fails(make_target(MANY_WAYS, steps=["GET /die10/{i}"]), tmp_path, WorkerDied, server=server)
    assert "while it was being measured" in error.what
    assert "SIGKILL" in error.seen


def test_an_app_that_does_not_import(make_target, tmp_path):
    fails(make_target("import nothing_of_that_name"), tmp_path, AppNotReady)


def test_an_agent_that_cannot(make_target, tmp_path):
    error = fails(make_target(), tmp_path, AgentFailed, server="builtin", snapshot_deadline_s=0.001)
    assert error.what == "The agent in the worker could not take a snapshot."
    assert error.seen


BROKEN_APP = """
    import ctypes, gc
    gc.disable()  # the worker's own collector would crash, too
    broken = [1, 2, 3]
    ctypes.c_size_t.from_address(id(broken) + 24).value = 16

    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]
"""


def test_a_heap_that_crashes_whoever_walks_it(make_target, tmp_path):
    error = fails(make_target(BROKEN_APP), tmp_path, AgentFailed)
    assert "the child was ended by signal 11 (SIGSEGV) while it walked" in error.seen
    assert "python -X dev" in error.hint


# Cut short


SCRIPT = """
import sys
from pathlib import Path
from labkit.cases import Target
from labkit.drive import RecordOptions, record
target = Target.model_validate_json(sys.argv[1])
print("begun", flush=True)
record(target, RecordOptions(request_timeout_s=100, allocation_pass=False), Path(sys.argv[2]), "", False)
"""


@pytest.fixture
def cut_short(make_target, tmp_path, repository, eventually, is_gone):
    """Send a signal to a driver whose app is being asked something; return the driver's exit status."""

    def cut(number: int) -> int:
        target = make_target(MANY_WAYS, steps=["GET /ok/{i}", "GET /hang/{i}"])
        command = [sys.executable, "-c", SCRIPT, target.model_dump_json(), str(tmp_path / "out")]
        with subprocess.Popen(command, cwd=repository, stderr=subprocess.DEVNULL) as driver:
            folder = target.app_file.parent
            eventually((folder / "hanging").exists)
            driver.send_signal(number)
            status = driver.wait(30)
        pids = [int(pid) for pid in (folder / "pids").read_text().split()]
        eventually(lambda: all(is_gone(pid) for pid in pids))
        return status

    return cut


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_driver_told_to_end_leaves_nothing(cut_short, tmp_path, short_tmp, number, status):
    assert cut_short(number) == status
    assert list(short_tmp.iterdir()) == []
    assert not list(tmp_path.glob("out*"))


def test_a_driver_that_is_killed_leaves_no_process(cut_short, short_tmp):
    assert cut_short(signal.SIGKILL) == -signal.SIGKILL


def test_a_recording_in_another_thread_is_interrupted(make_target, tmp_path, short_tmp, eventually):
    target = make_target(MANY_WAYS, steps=["GET /hang/{i}"])
    ended_by = []

    def run() -> None:
        try:
            record(target, RecordOptions(request_timeout_s=100), tmp_path / "out", "", False)
        except BaseException as error:
            ended_by.append(type(error))

    thread = threading.Thread(target=run)
    thread.start()
    eventually((target.app_file.parent / "hanging").exists)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(KeyboardInterrupt))
    thread.join()
    assert ended_by == [KeyboardInterrupt]
    assert list(short_tmp.iterdir()) == []
    assert not list(tmp_path.glob("out*"))
    assert not any(other.name.startswith("player") for other in threading.enumerate())


def test_handlers_of_others_are_left_alone(make_target, tmp_path):
    def mine(*_: object) -> None:
        raise AssertionError

    before = signal.signal(signal.SIGTERM, mine)
    try:
        record(make_target(rungs=1), RecordOptions(**QUICK), tmp_path / "out", "", False)
        assert signal.getsignal(signal.SIGTERM) is mine
    finally:
        signal.signal(signal.SIGTERM, before)


def test_progress_is_drawn_on_a_terminal_s_standard_error(repository):
    """A pseudo-terminal that does not know its size, as some containers have."""
    script = """
from labkit.drive.progress import Progress
with Progress(120, show=True) as bar:
    bar.doing("warm up")
    bar.advance(60)
    bar.doing("rung 1 of 4")
    bar.advance(60)
"""
    ours, theirs = os.openpty()
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=repository, stdout=subprocess.PIPE, stderr=theirs, check=True
    )
    os.write(theirs, b"END")
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    os.close(theirs)
    assert done.stdout == b""
    assert "warm up" in shown
    assert "rung 1 of 4" in shown
    assert "50%" in shown


def test_the_traced_pass_ends_by_the_clock(make_target, tmp_path, short_tmp, monkeypatch):
    """Tracing may slow an app a hundredfold; the answer is there already."""
    monkeypatch.setattr(sys.modules["labkit.drive.record"], "_TRACED_RUNG_S", 0.0)
    target = make_target(MANY_WAYS, steps=STEPS, rungs=2)
    capture = record(target, RecordOptions(), tmp_path / "out", "the command", False)
    assert [entry.requests for entry in capture.snapshots] == [8, 16, 24]
    (last,) = [entry.requests for entry in capture.site_snapshots]
    assert 8 < last < 108
