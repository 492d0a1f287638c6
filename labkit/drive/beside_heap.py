"""Other tools' recordings of live workers, one tool after the other so that none disturbs what another measures.

    objgraph, guppy3    look before and after a window without any tool (which is what the others are compared with)
    py-spy              where each thread stands, then a profile over a window
    tracemalloc         on, a look, a window, a look, off
    memray              on, a window, off

Each is at work only in its own window. What could not be recorded says why; it ends no capture.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

import psutil

from labkit.agent.client import AgentClient, AgentError
from labkit.drive.memray_file import draw, summary
from labkit.drive.processes import is_alive, wait_until
from labkit.drive.py_spy import Profile, stacks
from labkit.drive.through_worker import LocalFiles
from labkit.errors import CaptureError, WorkerDied
from labkit.store.capture import CaptureWriter
from labkit.store.recordings import TOOLS, Recording

LOOKERS = ("objgraph", "guppy3")
#: How long a recorder in the worker may go on when whoever started it has gone.
MARGIN_S = 60.0
TRACE_FRAMES = 8  # each frame more makes an app slower: 16 frames 10 times and more
PRIVATE = 0o600


class Watched(Protocol):
    """A live worker: of a server of ours, or anybody's."""

    @property
    def pid(self) -> int: ...
    @property
    def agent(self) -> AgentClient: ...
    @property
    def process(self) -> psutil.Process: ...
    @property
    def files(self) -> LocalFiles: ...


@dataclass(frozen=True)
class Window:
    """What went on meanwhile; ``requests`` is None where nobody counted."""

    seconds: float
    requests: int | None = None

    @property
    def rate(self) -> float:
        """Requests per second; 0 where nobody counted."""
        return round((self.requests or 0) / self.seconds, 2)


def checked_tools(names: Sequence[str]) -> tuple[str, ...]:
    """The tools asked for, in the order they are used; ``all`` is every one. Raises CaptureError for other words."""
    names = [name.strip() for words in names for name in words.split(",")]
    unknown = [name for name in names if name not in (*TOOLS, "all")]
    if unknown:
        raise CaptureError(f"{unknown[0]} cannot record.", hint=f"--record {', '.join(TOOLS)}, or all")
    return tuple(tool for tool in TOOLS if tool in names or "all" in names)


class Recorders:
    """Records ``tools`` of ``workers`` into a capture that is being written.

    ``window(what)`` lets the time pass, or plays the load, and says how much that was; ``limit_s`` is the longest it
    may take. memray's ways: ``native`` with the stacks of C code, ``small`` with each of Python's small objects, which
    slows an app to a third. However ``run`` ends, no recorder is left at work.
    """

    def __init__(
        self,
        workers: Sequence[Watched],
        tools: Sequence[str],
        writer: CaptureWriter,
        window: Callable[[str], Window],
        limit_s: float,
        *,
        native: bool = False,
        small: bool = False,
    ) -> None:
        self._workers = workers
        self._tools = tools
        self._writer = writer
        self._window = window
        self._limit_s = limit_s + MARGIN_S
        self._how = {"native": native, "small": small}
        self._found: dict[tuple[str, int], Recording] = {}
        self._without: Window | None = None

    def run(self) -> None:
        """Record all; raises WorkerDied when a worker has ended, and what ``window`` raises."""
        try:
            self._look_twice([tool for tool in self._tools if tool in LOOKERS])
            for tool in self._tools:
                if tool not in LOOKERS:
                    self._over_a_window(tool)
        finally:
            for recording in self._found.values():
                self._writer.add_recording(recording)

    def _look_twice(self, tools: Sequence[str]) -> None:
        for tool in tools:
            for worker in self._workers:
                self._note(tool, worker)
                self._look(tool, worker, "before")
        self._without = self._window("the app alone")
        for tool in tools:
            for worker in self._workers:
                self._look(tool, worker, "after")
                self._note(tool, worker, window=self._without)

    def _over_a_window(self, tool: str) -> None:
        start, end = {
            "py-spy": (self._start_profile, self._end_profile),
            "tracemalloc": (self._start_tracemalloc, self._end_tracemalloc),
            "memray": (self._start_memray, self._end_memray),
        }[tool]
        profiles: dict[int, Profile] = {}
        cpu_s = {}
        try:
            for worker in self._workers:
                self._note(tool, worker)
                with self._told(tool, worker):
                    before_bytes = worker.process.memory_full_info().uss
                    start(worker, profiles)
                    if tool != "py-spy":  # it is another process
                        self._cost(tool, worker, uss_bytes=worker.process.memory_full_info().uss - before_bytes)
                    cpu_s[worker.pid] = _cpu_s(worker.process)
            if all(self._found[tool, worker.pid].why_not for worker in self._workers):
                return
            window = self._window(f"with {tool}")
            for worker in self._workers:
                self._note(tool, worker, window=window)
                with self._told(tool, worker):
                    self._cost(tool, worker, cpu_s=round(_cpu_s(worker.process) - cpu_s.get(worker.pid, 0), 3))
        finally:
            for worker in self._workers:
                with self._told(tool, worker):
                    end(worker, profiles)

    # -- one tool each

    def _look(self, tool: str, worker: Watched, look: str) -> None:
        name = self._name(tool, worker, f"-{look}.json")
        with self._told(tool, worker):
            if self._found[tool, worker.pid].why_not:
                return
            path = self._writer.recording_path(name)
            cost = worker.files.through(path, lambda seen: worker.agent.opinion(tool, seen, self._limit_s))
            said = json.loads(path.read_text(encoding="utf-8"))
            self._add_file(tool, worker, look, name, version=str(said.get("version", "")))
            self._cost(tool, worker, pause_ms=cost["pause_ms"], child_peak_bytes=cost["child_peak_bytes"])

    def _start_profile(self, worker: Watched, profiles: dict[int, Profile]) -> None:
        self._write("py-spy", worker, "before", stacks(worker.pid))
        profiles[worker.pid] = Profile(worker.pid, self._writer.recording_path(self._name("py-spy", worker, ".txt")))

    def _end_profile(self, worker: Watched, profiles: dict[int, Profile]) -> None:
        if worker.pid in profiles:
            self._write("py-spy", worker, "over", profiles[worker.pid].end())
            self._add_file("py-spy", worker, "raw", self._name("py-spy", worker, ".txt"))

    def _start_tracemalloc(self, worker: Watched, _: object) -> None:
        cost = worker.agent.record_start("tracemalloc", self._limit_s, frames=TRACE_FRAMES)
        self._cost("tracemalloc", worker, took_ms=cost["took_ms"])
        self._look("tracemalloc", worker, "before")

    def _end_tracemalloc(self, worker: Watched, _: object) -> None:
        try:
            self._look("tracemalloc", worker, "after")
        finally:
            if "before" in self._found["tracemalloc", worker.pid].files:
                worker.agent.record_end("tracemalloc")

    def _start_memray(self, worker: Watched, _: object) -> None:
        raw = worker.files.place(self._writer.recording_path(self._name("memray", worker, ".bin")))
        cost = worker.agent.record_start("memray", self._limit_s, path=raw.there, **self._how)
        self._add_file("memray", worker, "raw", raw.path.name, version=str(cost["version"]))
        self._cost("memray", worker, took_ms=cost["took_ms"])

    def _end_memray(self, worker: Watched, _: object) -> None:
        if "raw" not in self._found["memray", worker.pid].files:
            return
        raw = worker.files.place(self._writer.recording_path(self._name("memray", worker, ".bin")))
        try:
            cost = worker.agent.record_end("memray")
            self._cost("memray", worker, took_ms=cost["took_ms"])
        finally:
            raw.fetch()
        raw.path.chmod(PRIVATE)
        self._cost("memray", worker, file_bytes=raw.path.stat().st_size)
        self._write("memray", worker, "over", summary(raw.path, worker.process.cwd()))
        picture = self._name("memray", worker, ".html")
        draw(raw.path, self._writer.recording_path(picture))
        self._add_file("memray", worker, "picture", picture)

    # -- what is noted of each

    def _name(self, tool: str, worker: Watched, ending: str) -> str:
        return f"{tool}.{worker.pid}{ending}"

    def _note(self, tool: str, worker: Watched, window: Window | None = None, **facts: Any) -> None:
        found = self._found.get((tool, worker.pid), Recording(tool, worker.pid))
        if window is not None:
            facts |= {"window_s": round(window.seconds, 3), "requests": window.requests}
        self._found[tool, worker.pid] = replace(found, **facts)
        if window is not None and window.requests is not None and self._without is not None:
            self._cost(tool, worker, requests_per_s=window.rate, requests_per_s_without=self._without.rate)

    def _cost(self, tool: str, worker: Watched, **measured: float) -> None:
        found = self._found[tool, worker.pid]
        larger = {name: max(value, found.cost.get(name, value)) for name, value in measured.items()}
        self._found[tool, worker.pid] = replace(found, cost=found.cost | larger)

    def _add_file(self, tool: str, worker: Watched, what: str, name: str, version: str = "") -> None:
        found = self._found[tool, worker.pid]
        self._writer.recording_path(name).chmod(PRIVATE)
        files = found.files | {what: f"recordings/{name}"}
        self._found[tool, worker.pid] = replace(found, files=files, version=version or found.version)

    def _write(self, tool: str, worker: Watched, look: str, said: dict[str, Any]) -> None:
        name = self._name(tool, worker, f"-{look}.json")
        self._writer.recording_path(name).write_text(json.dumps(said), encoding="utf-8")
        self._add_file(tool, worker, look, name, version=str(said.get("version", "")))

    @contextmanager
    def _told(self, tool: str, worker: Watched) -> Iterator[None]:
        """What a tool cannot do is noted with its words, unless it is that the worker has ended."""
        try:
            yield
        except (AgentError, ValueError, OSError, psutil.Error) as error:
            with suppress(psutil.Error):
                process = worker.process
                wait_until(lambda: not is_alive(process), limit_s=1)
                if is_alive(process):
                    self._note(tool, worker, why_not=str(error).replace("RuntimeError: ", ""))
                    return
            raise WorkerDied(f"Worker {worker.pid} ended while {tool} recorded.", seen=str(error)) from None


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def sleeping_window(window_s: float, report: Callable[[str], None]) -> Callable[[str], Window]:
    """Windows of so many seconds, in which somebody else's requests are served."""

    def window(what: str) -> Window:
        report(f"{window_s:g} s {what}")
        began = time.monotonic()
        time.sleep(window_s)
        return Window(time.monotonic() - began)

    return window
