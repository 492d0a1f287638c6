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
import subprocess
import sys
import tempfile
import time
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
PTRACE_SCOPE = Path("/proc/sys/kernel/yama/ptrace_scope")  # kernel documentation, admin-guide/LSM/Yama
DOOR = "_labkit_agent/attached.py"
#: ``exec`` runs in a thread of its own: an exception here, or a signal's handler, would be the app's.
TEXT = """try:
    import _thread
    _thread.start_new_thread(exec, (compile(open({door!r}).read(), {door!r}, "exec"), {{"__file__": {door!r}}}))
except Exception:
    pass
"""
PAGE_BYTES = 4096
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
    """``worker`` is None when the process had run no Python by the end of the wait. ``stopped_s``: at the most."""

    worker: LiveWorker | None
    stopped_s: float
    folder: Path


def candidate(pid: int) -> Candidate:
    """Look whether the agent can be put into a process, from outside; raises CannotAttach with the reason."""
    try:
        owner = Path(f"/proc/{pid}").stat().st_uid
        if owner != os.geteuid() and not is_root():
            raise _refused(pid, "It belongs to another user.", f"user number {owner}", "run this as that user")
        status = Path(f"/proc/{pid}/status").read_text()
        version = _version(pid)
        _require_ordinary(pid, status)
    except FileNotFoundError:
        raise CannotAttach(f"There is no process {pid}.") from None
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


def attach(found: Candidate, wait_s: float) -> Attached:
    """Put the agent in and wait so long until it answers; raises CannotAttach with the debugger's words."""
    folder = Path(tempfile.mkdtemp(prefix="labkit-attached-", dir="/tmp"))
    folder.chmod(0o755)
    ship_agent(folder, found.interpreter)
    if not found.has_own_interpreter:  # built for another program of that version
        for walker in (folder / "_labkit_agent").glob("_walker*"):
            walker.unlink()
    text = folder / "text"
    text.write_bytes(TEXT.format(door=str(folder / DOOR)).encode().ljust(PAGE_BYTES, b"\0"))
    began = time.monotonic()
    try:
        _run_gdb(found.pid, text)
    except CannotAttach:
        shutil.rmtree(folder)
        raise
    stopped_s = time.monotonic() - began
    text.unlink()
    return Attached(_wait_for_agent(found.pid, folder, wait_s), stopped_s, folder)


def _run_gdb(pid: int, text: Path) -> None:
    steps = [
        "set pagination off",
        "set confirm off",
        "set auto-load off",
        "set auto-solib-add off",  # the symbols of two libraries are enough, and the process waits meanwhile
        "set style enabled off",
        f"file /proc/{pid}/exe",
        f"attach {pid}",
        "sharedlibrary libc[.-]",
        "sharedlibrary libpython",
        "sharedlibrary pyuwsgi",
        # 3: readable and writable; 0x22: private, of no file
        f"set $labkit = ((void *(*)(void *, long, int, int, int, long)) mmap)(0, {PAGE_BYTES}, 3, 0x22, -1, 0)",
        f"restore {text} binary $labkit",
        "set $labkit = ((int (*)(void *, void *)) Py_AddPendingCall)((void *) PyRun_SimpleString, $labkit)",
        'printf "labkit: %d\\n", $labkit',
        "detach",
    ]
    command = ["gdb", "-nx", "-batch", *(word for step in steps for word in ("-ex", step))]
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "DEBUGINFOD_URLS": ""}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=GDB_LIMIT_S, check=False, env=environment
        )
    except subprocess.TimeoutExpired:
        raise _refused(pid, "The debugger did not finish.", f"no end after {GDB_LIMIT_S} s", "try again") from None
    answer = re.search(r"^labkit: (-?\d+)$", done.stdout, re.MULTILINE)
    if answer is None or answer[1] != "0":
        words = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("warning:")]
        seen = words[-1] if words else "the interpreter took no call"
        raise _refused(pid, "The debugger could not reach the interpreter.", seen, "start it with the agent in it")


def _wait_for_agent(pid: int, folder: Path, wait_s: float) -> LiveWorker | None:
    give_up = time.monotonic() + wait_s
    fault = folder / "fault"
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
    try:
        maps = Path(f"/proc/{pid}/maps").read_text()
        program = Path(os.readlink(f"/proc/{pid}/exe")).name  # noqa: PTH115
    except PermissionError:
        raise _refused(pid, "It cannot be looked into.", "the kernel refuses", "run this as root") from None
    found = _LIBRARY.search(maps) or _EXECUTABLE.fullmatch(program)
    return (int(found[1]), int(found[2])) if found and not found[3] else None


def _require_ordinary(pid: int, status: str) -> None:
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
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
    if scope and not (is_root() and scope < 3):
        hint = "run this as root" if scope < 3 else "this kernel lets nobody trace"
        raise _refused(pid, "The kernel does not let it be traced.", f"ptrace_scope is {scope}", hint)


def is_root() -> bool:
    """Whether the kernel lets us trace others' processes."""
    return os.geteuid() == 0


def _found(name: str) -> str:
    return shutil.which(name) or sys.executable


def _refused(pid: int, why: str, seen: str, hint: str) -> CannotAttach:
    return CannotAttach(f"The agent was not put into process {pid}. {why}", seen=seen, hint=hint)
