"""The live processes that have an agent: listed by the notes they leave, found by their number, known by the kernel.

A note may be of a process that is gone, and its number may be another's now. So a worker counts as live when
something listens on its socket and the kernel says that it is that process (SO_PEERCRED, unix(7)).
"""

from __future__ import annotations

import json
import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from labkit.agent.client import AgentClient
from labkit.agent.place import PREFIX, VARIABLE, agent_folder
from labkit.drive.sampling import sample
from labkit.drive.through_worker import LocalFiles
from labkit.errors import NoAgent
from labkit.store.capture import Sample

_HINT = "start it with the agent in it (docs/production.md); `labkit workers` lists those that have one"


@dataclass(frozen=True)
class LiveWorker:
    """One process with an agent; ``root`` is how its files are seen from here (``/``, or ``/proc/PID/root``)."""

    pid: int
    socket_path: Path
    python: str
    walker: str
    root: Path

    @property
    def agent(self) -> AgentClient:
        """Its agent."""
        return AgentClient(str(self.socket_path))

    @property
    def process(self) -> psutil.Process:
        """The process; raises psutil.NoSuchProcess when it is gone."""
        return psutil.Process(self.pid)

    @property
    def files(self) -> LocalFiles:
        """Straight, if it sees the same files and may write where we do; else by way of its own folder."""
        if self.root == Path("/") and self.process.uids().effective == os.geteuid():
            return LocalFiles(self.pid)
        return LocalFiles(self.pid, self.root, self.socket_path.parent)

    def age_s(self) -> float:
        """For how long it has run, whatever was done to the wall clock (proc_pid_stat(5)).

        Raises psutil.NoSuchProcess when it is gone.
        """
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            raise psutil.NoSuchProcess(self.pid) from None
        return time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")

    def look(self, since: float, rung: int = 0) -> Sample:
        """Memory, descriptors and threads now; ``requests`` are the whole seconds since ``since`` (monotonic)."""
        now_s = time.monotonic() - since
        return sample(self.process, time_s=now_s, rung=rung, requests=int(now_s))


def live_workers(folder: Path | None = None) -> list[LiveWorker]:
    """All workers that answer, by number: in ``folder``, else in those of this machine that may be looked into.

    Notes and sockets of processes that are gone are removed on the way.
    """
    folders = [folder] if folder else [Path(agent_folder()), *_folders(Path("/"))]
    found = {worker.pid: worker for each in dict.fromkeys(folders) for worker in _in_folder(each)}
    return [found[pid] for pid in sorted(found)]


def worker_with(pid: int) -> LiveWorker:
    """The worker of a process, wherever its folder is, in a container too; raises NoAgent."""
    try:
        facts = Path(f"/proc/{pid}").stat()
        inner = _number_inside(pid)
        folder = _folder_of(pid)
        root = Path("/") if _same_files(pid) else Path(f"/proc/{pid}/root")
        folders = [root / folder.lstrip("/")] if folder else _folders(root)
        candidates = [each / f"worker-{inner}.json" for each in folders]
    except FileNotFoundError:
        raise NoAgent(f"There is no process {pid}.", hint="`labkit workers` lists those with an agent") from None
    except PermissionError:
        if facts.st_uid == os.geteuid():
            hint = "run this where the process runs: in its container, or as root of the machine"
            raise NoAgent(f"Process {pid} may not be looked into.", seen="the kernel refuses", hint=hint) from None
        raise NoAgent(
            f"Process {pid} belongs to somebody else.", seen=f"user number {facts.st_uid}", hint="run this as that user"
        ) from None
    for note in candidates:
        worker = _worker(note, root)
        if worker is not None and worker.pid == pid:
            return worker
    raise NoAgent(
        f"Process {pid} has no agent.", seen=f"no socket of its in {folder or PREFIX + '<user number>'}", hint=_HINT
    )


def worker_at(socket_path: Path) -> LiveWorker:
    """The worker that listens on ``socket_path``; raises NoAgent."""
    worker = _worker(socket_path.with_suffix(".json"), Path("/"))
    if worker is None:
        raise NoAgent(f"Nobody answers on {socket_path}.", hint=_HINT)
    return worker


def _folders(root: Path) -> list[Path]:
    """The agents' folders under ``/tmp``, one per user."""
    prefix = Path(PREFIX)
    return sorted((root / prefix.parent.relative_to("/")).glob(f"{prefix.name}[0-9]*"))


def _in_folder(folder: Path) -> Iterator[LiveWorker]:
    try:
        if folder.stat().st_uid not in (os.geteuid(), 0) and os.geteuid() != 0:
            return
        notes = sorted(folder.glob("worker-*.json"))
    except OSError:
        return
    for note in notes:
        worker = _worker(note, Path("/"))
        if worker is not None:
            yield worker
        elif _is_deserted(note.with_suffix(".sock")):
            for left in (note, note.with_suffix(".sock")):
                with suppress(OSError):
                    left.unlink()


def _worker(note: Path, root: Path) -> LiveWorker | None:
    path = note.with_suffix(".sock")
    try:
        facts = json.loads(note.read_text(encoding="utf-8"))
        pid = listening_process(path)
        return LiveWorker(pid, path, str(facts["python"]), str(facts.get("walker", "python")), root)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def listening_process(path: Path) -> int:
    """The number, as seen from here, of the process that listens on ``path``; OSError when nobody does."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(path))
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    pid, uid, _ = struct.unpack("3i", credentials)
    if uid not in (os.geteuid(), 0) and os.geteuid() != 0:
        raise PermissionError(f"{path} is served by another user")
    return int(pid)


def _is_deserted(path: Path) -> bool:
    try:
        listening_process(path)
    except (ConnectionRefusedError, FileNotFoundError):
        return True
    except OSError:
        pass
    return False


def _number_inside(pid: int) -> int:
    """The process's number in its own namespace: the last one (proc_pid_status(5))."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("NSpid:"):
            return int(line.split()[-1])
    return pid


def _folder_of(pid: int) -> str:
    """What the process was started with as LABKIT_AGENT_DIR; empty when with none."""
    mark = VARIABLE.encode() + b"="
    for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
        if entry.startswith(mark):
            return os.fsdecode(entry[len(mark) :])
    return ""


def _same_files(pid: int) -> bool:
    return Path(f"/proc/{pid}/root/").samefile("/") and _mounts(pid) == _mounts(os.getpid())


def _mounts(pid: int) -> str:
    return os.readlink(f"/proc/{pid}/ns/mnt")  # noqa: PTH115  the text of the link, no path
