"""Put the agent into a running process that was started without it, with a debugger.

gdb stops the process, has it call ``Py_AddPendingCall`` and lets it go. What is called takes no memory from ``malloc``
and waits for no interpreter lock, so it does not matter where the process was stopped; the interpreter's main thread
runs what was left for it when it next runs Python. There it starts a thread and goes on; the agent is loaded in that
thread. See docs/decisions/0014-attaching.md.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from labkit.drive.interpreter import SUPPORTED
from labkit.drive.ship import ship_agent
from labkit.drive.workers import LiveWorker, worker_with
from labkit.errors import CannotAttach, NoAgent

RISKS = (
    "Attaching uses a debugger. The process stands still meanwhile, some tenths of a second.",
    "Calls to the system that are under way are interrupted: C code that does not expect it may fail.",
    "If gdb itself is killed in the middle of it, the process may end. Where that must not be, wait for a restart and",
    "start it with the agent in it, which has none of these risks (docs/production.md).",
)
GDB_LIMIT_S = 60
TAKE_BACK_S = 10  # for gdb to take back a call and let the process go
CAP_SYS_PTRACE = 19  # linux/capability.h
PTRACE_SCOPE = Path("/proc/sys/kernel/yama/ptrace_scope")  # kernel documentation, admin-guide/LSM/Yama
DOOR = "_labkit_agent/attached.py"
#: Run in the app's ``__main__``, so it binds no name; what is loaded is in a thread of its own, since an exception
#: here, or a signal's handler, would be the app's.
TEXT = """try:
    __import__("_thread").start_new_thread(exec, ({load!r}, {{"__file__": {door!r}}}))
except Exception:
    pass
"""
LOAD = """try:
    with open(__file__) as _stream:
        _text = _stream.read()
except OSError:  # attaching was given up meanwhile
    _text = ""
exec(compile(_text, __file__, "exec"))
"""
PAGE_BYTES = 4096
#: ``pid`` and ``text``, the file with TEXT, are put in.
GDB_STEPS = (
    "set pagination off",
    "set confirm off",
    "set auto-load off",
    "set auto-solib-add off",  # the symbols of two libraries are enough, and the process waits meanwhile
    "set style enabled off",
    "set unwindonsignal on",  # a call that is interrupted is taken back, as if it had not been made
    "file /proc/{pid}/exe",
    "attach {pid}",
    "sharedlibrary libc[.-]",
    "sharedlibrary libpython",
    "sharedlibrary pyuwsgi",
    # 3: readable and writable; 0x22: private, of no file
    f"set $labkit = ((void *(*)(void *, long, int, int, int, long)) mmap)(0, {PAGE_BYTES}, 3, 0x22, -1, 0)",
    "restore {text} binary $labkit",
    "set $labkit = ((int (*)(void *, void *)) Py_AddPendingCall)((void *) PyRun_SimpleString, $labkit)",
    'printf "labkit: %d\\n", $labkit',
    "detach",
)
_EXECUTABLE = re.compile(r"python(\d)\.(\d+)(t?)")
_LIBRARY = re.compile(r"/libpython(\d)\.(\d+)(t?)\.so")


@dataclass(frozen=True)
class Candidate:
    """A process that can be attached to: which Python it runs, and an interpreter to build the walker for, if any."""

    pid: int
    version: tuple[int, int]
    interpreter: str
    has_own_interpreter: bool


@dataclass(frozen=True)
class Attached:
    """``worker`` is None when no agent had answered by the end of the wait. ``stopped_s``: at the most."""

    worker: LiveWorker | None
    stopped_s: float
    folder: Path


def candidate(pid: int) -> Candidate:
    """Look whether the agent can be put into a process, from outside; raises CannotAttach with the reason."""
    try:
        facts = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        owner = int(facts["Uid"].split()[1])  # real, effective, ...
        if owner != os.geteuid() and not may_trace_others():
            raise _refused(pid, "It belongs to another user.", f"user number {owner}", "run this as that user, or root")
        _require_ordinary(pid, facts)
        version = _version(pid)
    except (FileNotFoundError, ProcessLookupError):
        raise CannotAttach(f"There is no process {pid}.") from None
    except PermissionError:  # its own user, too, once it has changed users
        raise _refused(pid, "It cannot be looked into.", "the kernel refuses", "run this as root") from None
    if version not in SUPPORTED:
        seen = "Python {}.{}".format(*version) if version else "no Python found in it"
        raise _refused(pid, "It runs no Python that labkit knows.", seen, "3.11, 3.12 and 3.13 can be attached to")
    try:
        worker_with(pid)
    except NoAgent:
        pass
    else:
        raise _refused(pid, "It has an agent already.", "", f"labkit capture --pid {pid} -o FILE")
    if shutil.which("gdb") is None:
        raise _refused(pid, "Attaching takes gdb.", "no gdb on the PATH", "install gdb; on Debian: apt-get install gdb")
    _require_right_to_trace(pid)
    own = os.readlink(f"/proc/{pid}/exe")  # noqa: PTH115  the text of the link, no path
    is_python = _EXECUTABLE.search(Path(own).name) is not None
    return Candidate(pid, version, own if is_python else _found("python{}.{}".format(*version)), is_python)


def attach(found: Candidate, wait_s: float, report: Callable[[str], None] = lambda _: None) -> Attached:
    """Put the agent in and wait so long until it answers; raises CannotAttach with the debugger's words.

    ``report`` is told what goes on.
    """
    report("making an agent for it")
    folder = Path(tempfile.mkdtemp(prefix="labkit-attached-", dir="/tmp"))
    folder.chmod(0o755)
    ship_agent(folder, found.interpreter)
    if not found.has_own_interpreter:  # built for another program of that version
        for walker in (folder / "_labkit_agent").glob("_walker*"):
            walker.unlink()
    text = folder / "text"
    text.write_bytes(TEXT.format(load=LOAD, door=str(folder / DOOR)).encode().ljust(PAGE_BYTES, b"\0"))
    report("gdb leaves a note in the process")
    began = time.monotonic()
    try:
        _run_gdb(found.pid, text)
    except BaseException:
        shutil.rmtree(folder)
        raise
    stopped_s = time.monotonic() - began
    text.unlink()
    report(f"waiting for the agent in it, up to {wait_s:g} s")
    try:
        return Attached(_wait_for_agent(found.pid, folder, wait_s), stopped_s, folder)
    except CannotAttach:  # there is no agent, and none will come
        shutil.rmtree(folder)
        raise


def _run_gdb(pid: int, text: Path) -> None:
    steps = [step.format(pid=pid, text=text) for step in GDB_STEPS]
    command = ["gdb", "-nx", "-batch", *(word for step in steps for word in ("-ex", step))]
    output, errors = _finished(pid, command)
    answer = re.search(r"^labkit: (-?\d+)$", output, re.MULTILINE)
    if answer is None or answer[1] != "0":
        words = [line for line in errors.splitlines() if line.strip() and "warning:" not in line]
        seen = words[-1] if words else "the interpreter took no call"
        raise _refused(pid, "The debugger could not reach the interpreter.", seen, "start it with the agent in it")


def _finished(pid: int, command: list[str]) -> tuple[str, str]:
    """What gdb said. It is never killed while it has the process, unless it does not listen to anything else."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "DEBUGINFOD_URLS": ""}
    gdb = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=environment,
        start_new_session=True,  # the terminal's Ctrl-C is for us: we tell gdb, and wait
    )
    try:
        return gdb.communicate(timeout=GDB_LIMIT_S)
    except BaseException as stop:
        gdb.send_signal(signal.SIGINT)  # the call under way is taken back, and the steps after it let go
        try:
            gdb.communicate(timeout=TAKE_BACK_S)
        except subprocess.TimeoutExpired:
            gdb.kill()
            gdb.communicate()
        if isinstance(stop, subprocess.TimeoutExpired):
            seen = f"no end after {GDB_LIMIT_S} s"
            raise _refused(pid, "The debugger did not finish, and let it go.", seen, "try again") from None
        raise


def _wait_for_agent(pid: int, folder: Path, wait_s: float) -> LiveWorker | None:
    give_up = time.monotonic() + wait_s
    fault = folder / "_labkit_agent" / "fault"
    while True:
        try:
            return worker_with(pid)
        except NoAgent as error:
            if not psutil.pid_exists(pid):
                raise CannotAttach(f"Process {pid} ended meanwhile.") from error
        if fault.exists():
            raise _refused(pid, "The agent could not start in it.", fault.read_text(), "docs/production.md")
        if time.monotonic() > give_up:
            return None
        time.sleep(0.05)


def _version(pid: int) -> tuple[int, int] | None:
    """Which Python the process runs, by the names of what it has mapped; None when none, or a free-threaded one."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    program = Path(os.readlink(f"/proc/{pid}/exe")).name  # noqa: PTH115
    found = _LIBRARY.search(maps) or _EXECUTABLE.fullmatch(program)
    return (int(found[1]), int(found[2])) if found and not found[3] else None


def _require_ordinary(pid: int, facts: dict[str, str]) -> None:
    if facts["State"][0] in "ZXTt":
        raise _refused(pid, "It is not running.", f"state {facts['State']}", "let it go on first")
    if facts["TracerPid"] != "0":
        hint = "end that one first"
        raise _refused(pid, "Another program traces it.", f"process {facts['TracerPid']}", hint)
    if not Path(f"/proc/{pid}/root/").samefile("/"):
        raise _refused(pid, "It sees other files, as in a container.", "", "run labkit where it runs")


def _require_right_to_trace(pid: int) -> None:
    try:
        scope = int(PTRACE_SCOPE.read_text())
    except (OSError, ValueError):
        scope = 0
    if scope and not (may_trace_others() and scope < 3):
        hint = "run this as root" if scope < 3 else "this kernel lets nobody trace"
        raise _refused(pid, "The kernel does not let it be traced.", f"ptrace_scope is {scope}", hint)


def may_trace_others() -> bool:
    """Whether we have CAP_SYS_PTRACE (capabilities(7)); root in a container often has not."""
    found = re.search(r"^CapEff:\t([0-9a-f]+)$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return found is not None and bool(int(found[1], 16) >> CAP_SYS_PTRACE & 1)


def _found(name: str) -> str:
    return shutil.which(name) or sys.executable


def _refused(pid: int, why: str, seen: str, hint: str) -> CannotAttach:
    return CannotAttach(f"The agent was not put into process {pid}. {why}", seen=seen, hint=hint)
