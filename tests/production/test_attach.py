"""``labkit attach``: the agent is put into a process that was started without it, and the process goes on."""

from __future__ import annotations

import ctypes
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from clients import Clients
from servers import SERVERS, serve

import labkit
from labkit.arguments import PROGRAM
from labkit.cli import main
from labkit.drive import attach as attaching
from labkit.drive.attach import RISKS, Attached, attach, candidate
from labkit.drive.collect import collect_snapshot
from labkit.errors import CannotAttach

sys.path.append(str(Path(__file__).resolve().parents[1] / "agent"))
from agent_targets import find_interpreters

WITHOUT_AGENT = {
    "gunicorn sync": ["gunicorn", "app:app"],
    "gunicorn gthread": ["gunicorn", "--threads", "4", "app:app"],
    "uwsgi": ["uwsgi", "--master", "-p", "1", "--enable-threads", "--lazy-apps", "-w", "app:app"],
    "uvicorn": ["uvicorn", "--log-level", "warning", "app:asgi"],
}
BUSY = """
import ctypes, json, os, threading
free, malloc = ctypes.CDLL(None).free, ctypes.CDLL(None).malloc
malloc.restype, free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
def hammer():
    while True:
        for block in [malloc(size) for size in range(1, 4000, 7)]:
            free(block)
for _ in range(2):
    threading.Thread(target=hammer, daemon=True).start()
kept = [bytearray(100)]
while True:
    [bytes(size) for size in range(0, 4000, 7)]
    if os.path.exists("ask"):
        os.unlink("ask")
        with open("names.partial", "w") as stream:
            json.dump([name for name in globals() if not name.startswith("__")], stream)
        os.rename("names.partial", "names")
        del stream
"""
NAMES = ["ctypes", "json", "os", "threading", "free", "malloc", "hammer", "_", "kept", "stream"]
ASLEEP_IN_C = "import ctypes; ctypes.PyDLL(None).sleep(60)"
INTERPRETERS = find_interpreters()
_AT_CALLS = next(number for number, step in enumerate(attaching.GDB_STEPS) if "mmap" in step)
BEFORE_THE_CALLS, AFTER_THE_CALLS = attaching.GDB_STEPS[:_AT_CALLS], attaching.GDB_STEPS[-2:]


@pytest.fixture(autouse=True)
def _gdb() -> None:
    if shutil.which("gdb") is None:
        reason = "gdb is not here; on Debian: apt-get install gdb"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


@pytest.fixture
def put_into() -> Iterator[Callable[[int, float], Attached]]:
    """Attach; what was shipped is removed at the end."""
    done: list[Attached] = []

    def put(pid: int, wait_s: float = 150) -> Attached:
        done.append(attach(candidate(pid), wait_s))
        return done[-1]

    yield put
    for each in done:
        shutil.rmtree(each.folder)


@contextmanager
def running(*command: str, **more: object) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, **more)  # type: ignore[call-overload]
    time.sleep(0.3)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


@pytest.mark.parametrize("name", WITHOUT_AGENT)
def test_a_server_under_load_gets_an_agent(
    tmp_path: Path, doors: Path, monkeypatch: pytest.MonkeyPatch, put_into: Callable[..., Attached], name: str
) -> None:
    monkeypatch.setitem(SERVERS, "without", (WITHOUT_AGENT[name], False))
    with serve("without", tmp_path, doors) as served:
        workers = psutil.Process(served.process.pid).children() or [psutil.Process(served.process.pid)]
        with Clients(served, 4) as clients:
            clients.wait_for(50)
            worker = put_into(workers[0].pid).worker
            assert worker is not None
            served.get("/1", "POST")
            collect_snapshot(worker, tmp_path / "x.heap", 60)
            clients.wait_for(50)
        assert set(clients.outcomes) == {"right"}
        (kept,) = labkit.open_snapshot(tmp_path / "x.heap").select(type="bytearray").largest(1)
        assert kept.path_to_root()[:2] == ["module app", "KEPT"]
        assert worker.walker == "c"
        assert "labkit" not in served.log.read_text()
        with pytest.raises(CannotAttach, match=r"It has an agent already\.\n  try:  labkit capture --pid"):
            candidate(worker.pid)


def test_an_idle_worker_that_wakes_by_itself(
    tmp_path: Path, doors: Path, monkeypatch: pytest.MonkeyPatch, put_into: Callable[..., Attached]
) -> None:
    """A sync worker tells its arbiter that it lives, twice in a --timeout: no request is needed."""
    monkeypatch.setitem(SERVERS, "without", (["gunicorn", "--timeout", "4", "app:app"], False))
    with serve("without", tmp_path, doors) as served:
        (worker,) = psutil.Process(served.process.pid).children()
        attached = put_into(worker.pid)
        assert attached.worker is not None
        assert attached.worker.pid == worker.pid


def test_an_idle_process_gets_it_with_its_next_request(
    tmp_path: Path, doors: Path, monkeypatch: pytest.MonkeyPatch, put_into: Callable[..., Attached]
) -> None:
    monkeypatch.setitem(SERVERS, "without", (WITHOUT_AGENT["uvicorn"], False))
    with serve("without", tmp_path, doors) as served:
        time.sleep(0.5)
        attached = put_into(served.process.pid, 0.5)
        if attached.worker is None:  # unless it had something to do by itself
            served.get("/1")
        assert served.workers()[0].pid == served.process.pid


def test_an_agent_that_does_not_answer_yet_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The main thread is in C code, and stays there."""
    monkeypatch.setenv("LABKIT_AGENT_DIR", str(tmp_path / "agents"))
    with running(sys.executable, "-c", ASLEEP_IN_C) as process:
        assert main(["attach", str(process.pid), "--yes", "--wait", "0.2"]) == 2
        told = capsys.readouterr()
        assert told.err.splitlines()[len(RISKS) :] == [
            "making an agent for it ...",
            "gdb leaves a note in the process ...",
            "waiting for the agent in it, up to 0.2 s ...",
            f"error: The agent is in process {process.pid} and does not answer yet.",
            "  seen: its main thread has run no Python since, or it lets no thread run (uWSGI without enable-threads)",
            f"  try:  send it a request; {PROGRAM} workers shows it once it answers",
        ]
        assert process.poll() is None
        shutil.rmtree(told.out.partition("The agent is in ")[2].partition(";")[0])


@pytest.mark.parametrize(("version", "processes"), [("3.11", 5), ("3.12", 2), ("3.13", 2)])
def test_processes_in_the_middle_of_malloc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put_into: Callable[..., Attached], version: str, processes: int
) -> None:
    """Wherever they are stopped they go on, and have an agent, of which nothing shows in their names."""
    if version not in INTERPRETERS:
        pytest.skip(f"CPython {version} is neither on PATH nor under ~/.pyenv")
    monkeypatch.setenv("LABKIT_AGENT_DIR", str(tmp_path / "agents"))
    for _ in range(processes):
        with running(INTERPRETERS[version], "-c", BUSY, cwd=tmp_path, stderr=subprocess.PIPE) as process:
            worker = put_into(process.pid).worker
            assert worker is not None
            assert worker.agent.ping()["pid"] == process.pid
            assert worker.python.startswith(version)
            (tmp_path / "ask").touch()
            wait_until((tmp_path / "names").exists)
            assert json.loads((tmp_path / "names").read_text()) == NAMES
            assert process.poll() is None
            (tmp_path / "names").unlink()
            process.kill()
            assert process.communicate()[1] == b""


@pytest.mark.parametrize("after_s", [0.02, 0.1, 0.2, 0.3, 0.5])
def test_gdb_is_killed(monkeypatch: pytest.MonkeyPatch, after_s: float) -> None:
    """The kernel lets the process go, wherever gdb was; the calls it makes take too little time to be met here."""
    monkeypatch.setattr(attaching, "GDB_STEPS", (*BEFORE_THE_CALLS, "shell sleep 1"))
    with running(sys.executable, "-c", BUSY) as process:
        before = set(Path("/tmp").glob("labkit-attached-*"))
        killer = threading.Thread(target=kill_gdb, args=(after_s,))
        killer.start()
        with pytest.raises(CannotAttach, match="The debugger could not reach the interpreter"):
            attach(candidate(process.pid), 1)
        killer.join()
        assert_runs(process)
        assert set(Path("/tmp").glob("labkit-attached-*")) == before


def test_a_call_that_does_not_end_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the interpreter's lock be held by the very thread that is stopped."""
    calls = "set $labkit = ((int (*)(void)) pause)()"
    monkeypatch.setattr(attaching, "GDB_STEPS", (*BEFORE_THE_CALLS, calls, *AFTER_THE_CALLS))
    monkeypatch.setattr(attaching, "GDB_LIMIT_S", 4)
    with running(sys.executable, "-c", BUSY) as process:
        with pytest.raises(
            CannotAttach, match=r"The debugger did not finish, and let it go\.\n  seen: no end after 4 s"
        ):
            attach(candidate(process.pid), 1)
        assert_runs(process)


def test_ctrl_c_meanwhile(tmp_path: Path) -> None:
    """gdb is waited for, whatever it is doing; the process goes on, and what was shipped is gone."""
    before = set(Path("/tmp").glob("labkit-attached-*"))
    with running(sys.executable, "-c", BUSY) as process:
        words = [sys.executable, "-m", "labkit", "attach", str(process.pid), "--yes"]
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, start_new_session=True) as attaches:
            assert attaches.stderr is not None
            while "gdb leaves" not in attaches.stderr.readline():
                pass
            time.sleep(0.2)
            os.killpg(attaches.pid, signal.SIGINT)
            assert "interrupted:" in attaches.stderr.read()
        assert attaches.returncode == 130
        assert_runs(process)
    assert set(Path("/tmp").glob("labkit-attached-*")) == before


def kill_gdb(after_s: float) -> None:
    """The one that this process starts."""
    me = psutil.Process()
    wait_until(lambda: any(each.name() == "gdb" for each in me.children()))
    time.sleep(after_s)
    for each in me.children():
        if each.name() == "gdb":
            each.kill()


def assert_runs(process: subprocess.Popen[bytes]) -> None:
    """It is not traced, not stopped, and uses processor time."""
    wait_until(lambda: "TracerPid:\t0\n" in Path(f"/proc/{process.pid}/status").read_text())
    facts = psutil.Process(process.pid)
    used = facts.cpu_times().user
    wait_until(lambda: facts.cpu_times().user > used)
    assert facts.status() in (psutil.STATUS_RUNNING, psutil.STATUS_SLEEPING)
    assert process.poll() is None


def wait_until(is_so: Callable[[], object]) -> None:
    give_up = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_nothing_is_done_unasked(tmp_path: Path) -> None:
    with running(sys.executable, "-c", "import time; time.sleep(60)") as process:
        words = [sys.executable, "-m", "labkit", "attach", str(process.pid)]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.splitlines() == [
            *RISKS,
            f"error: Nothing was done to process {process.pid}.",
            "  try:  --yes, if that is acceptable",
        ]
        assert Path(f"/proc/{process.pid}/status").read_text().count("TracerPid:\t0") == 1


def test_by_the_command_line(tmp_path: Path) -> None:
    environment = {**os.environ, "LABKIT_AGENT_DIR": str(tmp_path / "agents"), "LABKIT_PROGRAM": "labkit"}
    with running(sys.executable, "-c", BUSY, env=environment) as process:
        words = [sys.executable, "-m", "labkit", "attach", str(process.pid), "--yes", "--wait", "150"]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stderr
        first, last = done.stdout.splitlines()
        assert first.startswith("Stopped for less than ")
        assert last == f"Then: labkit capture --pid {process.pid} -o FILE"
        shutil.rmtree(first.partition("The agent is in ")[2].partition(";")[0])


# What is refused, before anything is touched


def refused(pid: int) -> str:
    with pytest.raises(CannotAttach) as told:
        candidate(pid)
    return str(told.value)


def test_no_such_process() -> None:
    assert refused(2**22 + 1) == f"There is no process {2**22 + 1}."


def test_no_python() -> None:
    with running("sleep", "60") as process:
        assert refused(process.pid) == (
            f"The agent was not put into process {process.pid}. It runs no Python that labkit knows.\n"
            "  seen: no Python found in it\n  try:  3.11, 3.12 and 3.13 can be attached to"
        )


@pytest.mark.parametrize(("program", "seen"), [("python3.10", "Python 3.10"), ("python3.13t", "no Python found in it")])
def test_another_python(tmp_path: Path, program: str, seen: str) -> None:
    shutil.copy(shutil.which("sleep") or "", tmp_path / program)  # it goes by the program's name
    with running(str(tmp_path / program), "60") as process:
        assert f"It runs no Python that labkit knows.\n  seen: {seen}\n" in refused(process.pid)


def test_a_stopped_process() -> None:
    with running(sys.executable, "-c", "import time; time.sleep(60)") as process:
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        assert "It is not running.\n  seen: state T (stopped)\n  try:  let it go on first" in refused(process.pid)


def test_a_process_that_is_traced() -> None:
    with running(sys.executable, "-c", "import time; time.sleep(60)") as process:
        library = ctypes.CDLL(None, use_errno=True)
        seize, detach = 0x4206, 17
        assert library.ptrace(seize, process.pid, None, None) == 0, os.strerror(ctypes.get_errno())
        assert f"Another program traces it.\n  seen: process {os.getpid()}\n" in refused(process.pid)
        library.ptrace(detach, process.pid, None, None)


def test_without_gdb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with running(sys.executable, "-c", "import time; time.sleep(60)") as process:
        assert "Attaching takes gdb.\n  seen: no gdb on the PATH\n  try:  install gdb" in refused(process.pid)


@pytest.mark.parametrize(("scope", "root", "hint"), [(1, False, "run this as root"), (3, True, "lets nobody trace")])
def test_where_the_kernel_forbids_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scope: int, root: bool, hint: str
) -> None:
    monkeypatch.setattr(attaching, "PTRACE_SCOPE", tmp_path / "scope")
    (tmp_path / "scope").write_text(f"{scope}\n")
    with running(sys.executable, "-c", "import time; time.sleep(60)") as process:
        monkeypatch.setattr(attaching, "may_trace_others", lambda: root)
        said = refused(process.pid)
    assert f"The kernel does not let it be traced.\n  seen: ptrace_scope is {scope}\n" in said
    assert hint in said


def test_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(sys.executable, "-c", "import time; time.sleep(60)") as process:
        owner = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
        monkeypatch.setattr(attaching, "may_trace_others", lambda: False)
        assert refused(process.pid) == (
            f"The agent was not put into process {process.pid}. It belongs to another user.\n"
            f"  seen: user number {owner}\n  try:  run this as that user, or root"
        )


def test_one_that_changed_its_user() -> None:
    """The kernel hides it from its own user as well (proc(5), prctl(2) PR_SET_DUMPABLE)."""
    if os.geteuid() != 0:
        pytest.skip("changing users takes root")
    changes = "import os, time; os.setuid(65534); time.sleep(60)"
    ask = f"""
import os, sys
sys.path[:0] = {sys.path!r}
from labkit.drive.attach import candidate
os.setuid(65534)
try:
    candidate(int(sys.argv[1]))
except Exception as error:
    print(error)
"""
    with running(sys.executable, "-c", changes) as process:
        words = [sys.executable, "-c", ask, str(process.pid)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert done.stdout == (
            f"The agent was not put into process {process.pid}. It cannot be looked into.\n"
            "  seen: the kernel refuses\n  try:  run this as root\n"
        )


def test_in_a_container() -> None:
    """Its files are others."""
    if os.geteuid() != 0:
        pytest.skip("other files take root")
    asleep = "import os, time; os.chroot('/tmp'); time.sleep(60)"
    with running(sys.executable, "-c", asleep) as process:
        assert "It sees other files, as in a container.\n  try:  run labkit where it runs" in refused(process.pid)


def test_without_the_right_to_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root has it or not: the kernel is asked, not the user's number."""
    words = Path("/proc/self/status").read_text()
    has = int(words.partition("CapEff:\t")[2].partition("\n")[0], 16) & 1 << 19
    assert attaching.may_trace_others() == bool(has)
    if shutil.which("setpriv") and os.geteuid() == 0:
        ask = f"import sys; sys.path[:0] = {sys.path!r}; from labkit.drive.attach import *; print(may_trace_others())"
        without = ["setpriv", "--bounding-set", "-sys_ptrace", "--inh-caps", "-sys_ptrace", sys.executable, "-c", ask]
        assert subprocess.run(without, capture_output=True, text=True, timeout=60).stdout == "False\n"


def test_an_agent_that_cannot_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The app knows nothing of it; whoever attached is told, and nothing is left."""
    before = set(Path("/tmp").glob("labkit-attached-*"))
    monkeypatch.setenv("LABKIT_AGENT_DIR", "/proc/no/such/place")
    with running(sys.executable, "-c", BUSY, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        with pytest.raises(CannotAttach, match=r"The agent could not start in it\.\n  seen: \w*Error: .*place") as told:
            attach(candidate(process.pid), 30)
        assert str(told.value).endswith("\n  try:  docs/production.md")
        assert set(Path("/tmp").glob("labkit-attached-*")) == before
        assert_runs(process)
        process.kill()
        assert process.communicate()[1] == b""


def test_a_process_that_ends_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attaching, "GDB_STEPS", (*attaching.GDB_STEPS, "shell kill -9 {pid}"))
    with running(sys.executable, "-c", ASLEEP_IN_C) as process:
        reaped = threading.Thread(target=process.wait)
        reaped.start()
        with pytest.raises(CannotAttach, match=rf"Process {process.pid} ended meanwhile\."):
            attach(candidate(process.pid), 30)
        reaped.join()


@pytest.mark.parametrize(("typed", "status"), [("n", 2), ("y", 0)])
def test_a_person_is_asked(tmp_path: Path, typed: str, status: int) -> None:
    """On a terminal; anything but a yes is none."""
    environment = {**os.environ, "LABKIT_AGENT_DIR": str(tmp_path / "agents")}
    with running(sys.executable, "-c", BUSY, env=environment) as process:
        ours, theirs = os.openpty()
        os.write(ours, f"{typed}\n".encode())
        words = [sys.executable, "-m", "labkit", "attach", str(process.pid), "--quiet"]
        done = subprocess.run(words, stdin=theirs, capture_output=True, text=True, timeout=100, env=environment)
        os.close(ours)
        os.close(theirs)
        assert done.returncode == status, done.stderr
        assert done.stderr.startswith("\n".join([*RISKS, "Go on? [y/N] "]))
        assert (done.stdout == "") == (typed == "n")
        if typed == "y":
            shutil.rmtree(done.stdout.partition("The agent is in ")[2].partition(";")[0])


def test_what_the_debugger_cannot_do_is_told(tmp_path: Path) -> None:
    """A program that is called like an interpreter and is none: gdb finds nothing to call, and lets it go."""
    before = set(Path("/tmp").glob("labkit-attached-*"))
    shutil.copy(shutil.which("sleep") or "", tmp_path / "python3.11")
    with running(str(tmp_path / "python3.11"), "60") as process:
        found = dataclasses.replace(candidate(process.pid), interpreter=sys.executable)
        with pytest.raises(CannotAttach, match=r"The debugger could not reach the interpreter\.") as told:
            attach(found, 1)
        assert "Py_AddPendingCall" in str(told.value)
        assert process.poll() is None
        assert "TracerPid:\t0" in Path(f"/proc/{process.pid}/status").read_text()
    assert set(Path("/tmp").glob("labkit-attached-*")) == before
