"""A real server in a subprocess: started, known to be ready, watched, and ended with all it started."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import psutil

from labkit.agent.client import AgentClient, AgentError
from labkit.cases import Target
from labkit.drive.build_walker import build_walker
from labkit.drive.command import HOST, command_line, environment_for, locate_app
from labkit.drive.faults import ServerLog, import_fault, port_taken
from labkit.drive.interpreter import Interpreter, find_interpreter
from labkit.drive.options import RecordOptions
from labkit.drive.processes import end_children_with, end_group, has_ended, how_ended, is_alive, wait_until
from labkit.drive.through_worker import LocalFiles
from labkit.errors import AgentFailed, AppNotReady, CaptureError, WorkerDied

_POLL_S = 0.02
_LONGEST_TEMPORARY_FOLDER = 60  # a Unix socket's path has at most 107 bytes


@dataclass(frozen=True)
class Worker:
    """One worker process and the agent in it."""

    pid: int
    agent: AgentClient
    process: psutil.Process

    @property
    def files(self) -> LocalFiles:
        """It sees the same files, and is ours."""
        return LocalFiles(self.pid)


class Server:
    """Serves a target for the time of a ``with`` block; inside it the app is loaded and the agents answer.

    Entering raises AppNotReady, PortTaken or AgentFailed. Nothing is left at the end: no process,
    no private folder. Output is appended to ``log_path``. ``arguments`` are given to the server after ours and win;
    ``environment`` is added to its own.
    """

    address: tuple[str, int]
    workers: tuple[Worker, ...]
    interpreter: Interpreter

    def __init__(
        self,
        target: Target,
        options: RecordOptions,
        log_path: Path,
        *,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._arguments = tuple(arguments)
        self._environment = dict(environment or {})
        self._target = target
        self._options = options
        self._log = ServerLog(log_path)
        self._run_dir: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.why_no_walker = ""

    def __enter__(self) -> Server:
        environment = environment_for(self._target.load.seed) | self._environment
        self._app = locate_app(self._target)
        self.interpreter = find_interpreter(self._options.python, self._options.server, environment)
        _require_free(self._options.port)
        try:
            self._run_dir = _private_folder()
            self._start(self._run_dir, environment)
            self._wait_until_ready(self._run_dir)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server's whole process group and remove the private folder; may be called twice."""
        try:
            if self._process is not None:
                end_group(self._process)
            elif self._run_dir is not None:
                end_children_with(str(self._run_dir))
        finally:
            self._process = None
            if self._run_dir is not None:
                shutil.rmtree(self._run_dir, ignore_errors=True)

    def check(self) -> None:
        """Raise WorkerDied unless the server and each worker it started with still run."""
        assert self._process is not None
        dead = [worker.pid for worker in self.workers if not is_alive(worker.process)]
        if self._process.pid in dead:  # of a process with threads the first ends, then the rest
            wait_until(lambda: self._process is None or has_ended(self._process), limit_s=1)
        if has_ended(self._process):
            raise WorkerDied("The server ended while it was being measured.", seen=self._last_words())
        if dead:
            raise WorkerDied(
                f"Worker {dead[0]} died while it was being measured.",
                seen=self._log.end_of_worker(dead[0]),
                hint="less load, or no limit on the worker's memory or requests",
            )

    def serving_pids(self) -> list[int]:
        """The workers that have loaded the app and run now, oldest first; after recycling they are others."""
        assert self._run_dir is not None
        begun = []
        for note in self._run_dir.glob("worker-*.json"):
            with contextlib.suppress(psutil.Error, ValueError):
                process = psutil.Process(int(note.stem.partition("-")[2]))
                if is_alive(process):
                    begun.append((process.create_time(), process.pid))
        return [pid for _, pid in sorted(begun)]

    @property
    def app_name(self) -> str:
        """The name in the app's file that is served."""
        return self._target.app_name

    def last_exception(self) -> str:
        """The last exception the server printed, such as ``KeyError: 'name'``; empty when it printed none."""
        return self._log.last_exception()

    def _start(self, run_dir: Path, environment: dict[str, str]) -> None:
        python, flags = self.interpreter.path, self.interpreter.server_flags
        walker, self.why_no_walker = build_walker(python)  # without one the agent walks in plain Python
        command = command_line(python, run_dir, self._app, self._options, flags, walker)
        command[-1:-1] = self._arguments
        with self._log.path.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                env=environment,
                cwd=self._app.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _wait_until_ready(self, run_dir: Path) -> None:
        assert self._process is not None
        process = self._process
        give_up = time.monotonic() + self._options.start_timeout_s
        while True:
            ended = has_ended(process)  # before looking at what it left behind
            self._raise_if_import_failed(run_dir)
            if self._find_workers(run_dir):
                return
            if ended or time.monotonic() > give_up:
                raise self._not_ready(ended=ended)
            time.sleep(_POLL_S)

    def _raise_if_import_failed(self, run_dir: Path) -> None:
        for note in run_dir.glob("worker-*.failed"):
            python = self._options.python
            raise import_fault(self._app, self._target.app_file, python, note.read_text(encoding="utf-8").strip())

    def _find_workers(self, run_dir: Path) -> bool:
        notes = sorted(run_dir.glob("worker-*.json"))
        listening = run_dir / "listening.json"
        if len(notes) < self._options.workers or not listening.exists():
            return False
        where = json.loads(listening.read_text())
        self.address = (str(where["host"]), int(where["port"]))
        if not _accepts(self.address):  # bound, but not yet listening
            return False
        try:
            self.workers = tuple(_worker(json.loads(note.read_text())) for note in notes)
        except (AgentError, psutil.Error) as error:
            raise AgentFailed("The agent in the worker does not answer.", seen=str(error)) from None
        return True

    def _last_words(self) -> str:
        assert self._process is not None
        return f"{how_ended(self._process)}; its last output: {self._log.tail()}"

    def _not_ready(self, *, ended: bool) -> CaptureError:
        if self._log.says_port_is_taken():
            return port_taken(self._options.port, self._log.tail(1))
        if ended:
            return AppNotReady("The server ended before it served the app.", seen=self._last_words())
        return AppNotReady(
            f"The server did not come up within {self._options.start_timeout_s:g} s.",
            seen=f"its last output: {self._log.tail()}",
            hint="does the app wait for something while it is imported?",
        )


def _worker(note: dict[str, object]) -> Worker:
    pid = int(str(note["pid"]))
    agent = AgentClient(str(note["socket"]))
    agent.ping()
    return Worker(pid, agent, psutil.Process(pid))


def _accepts(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True


def _private_folder() -> Path:
    parent = tempfile.gettempdir()
    short = parent if len(os.fsencode(parent)) <= _LONGEST_TEMPORARY_FOLDER else "/tmp"  # noqa: S108
    return Path(tempfile.mkdtemp(prefix="labkit-", dir=short))


def _require_free(port: int) -> None:
    if port == 0:
        return
    with contextlib.closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise port_taken(port, str(error.strerror)) from None
