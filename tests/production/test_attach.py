"""``labkit attach``: the agent is put into a process that was started without it, and the process goes on."""

from __future__ import annotations

import ctypes
import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from clients import Clients
from servers import SERVERS, serve

import labkit
from labkit.drive import attach as attaching
from labkit.drive.attach import RISKS, Attached, attach, candidate
from labkit.drive.collect import collect_snapshot
from labkit.errors import CannotAttach

WITHOUT_AGENT = {
    "gunicorn sync": ["gunicorn", "app:app"],
    "gunicorn gthread": ["gunicorn", "--threads", "4", "app:app"],
    "uwsgi": ["uwsgi", "--master", "-p", "1", "--enable-threads", "--lazy-apps", "-w", "app:app"],
    "uvicorn": ["uvicorn", "--log-level", "warning", "app:asgi"],
}
BUSY = """
import ctypes, threading
free, malloc = ctypes.CDLL(None).free, ctypes.CDLL(None).malloc
malloc.restype, free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
def hammer():
    while True:
        for block in [malloc(size) for size in range(1, 4000, 7)]:
            free(block)
for _ in range(3):
    threading.Thread(target=hammer, daemon=True).start()
kept = [bytearray(100)]
while True:
    [bytes(size) for size in range(0, 4000, 7)]
"""


@pytest.fixture(autouse=True)
def _gdb() -> None:
    if shutil.which("gdb") is None:
        reason = "gdb is not here; on Debian: apt-get install gdb"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


@pytest.fixture
def put_into() -> Iterator[Callable[[int, float], Attached]]:
    """Attach; what was shipped is removed at the end."""
    done: list[Attached] = []

    def put(pid: int, wait_s: float = 30) -> Attached:
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


def test_processes_in_the_middle_of_malloc(tmp_path: Path, put_into: Callable[..., Attached]) -> None:
    """Wherever they are stopped they go on, and have an agent."""
    environment = {**os.environ, "LABKIT_AGENT_DIR": str(tmp_path / "agents")}
    for _ in range(5):
        with running(sys.executable, "-c", BUSY, env=environment) as process:
            worker = put_into(process.pid).worker
            assert worker is not None
            assert worker.agent.ping()["pid"] == process.pid
            assert process.poll() is None


def test_nothing_is_done_unasked(tmp_path: Path) -> None:
    with running(sys.executable, "-c", "import time; time.sleep(60)") as process:
        words = [sys.executable, "-m", "labkit", "attach", str(process.pid)]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        assert done.returncode == 2
        assert done.stderr.splitlines() == [
            *RISKS,
            f"error: Nothing was done to process {process.pid}.",
            "  try:  --yes, if that is acceptable",
        ]
        assert Path(f"/proc/{process.pid}/status").read_text().count("TracerPid:\t0") == 1


def test_by_the_command_line(tmp_path: Path) -> None:
    environment = {**os.environ, "LABKIT_AGENT_DIR": str(tmp_path / "agents"), "LABKIT_PROGRAM": "labkit"}
    with running(sys.executable, "-c", BUSY, env=environment) as process:
        words = [sys.executable, "-m", "labkit", "attach", str(process.pid), "--yes"]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=100)
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
        monkeypatch.setattr(attaching, "is_root", lambda: root)
        said = refused(process.pid)
    assert f"The kernel does not let it be traced.\n  seen: ptrace_scope is {scope}\n" in said
    assert hint in said


def test_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(sys.executable, "-c", "import time; time.sleep(60)") as process:
        owner = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
        assert f"It belongs to another user.\n  seen: user number {owner}\n  try:  run this" in refused(process.pid)


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
