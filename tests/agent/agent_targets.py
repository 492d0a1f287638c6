"""Run small programs that load the agent, under any interpreter, and read the pictures they take."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from labkit.agent import AGENT_DIR, layout
from labkit.agent.client import AgentClient
from labkit.store.snapshot import Snapshot, read_snapshot

VERSIONS = ("3.11", "3.12", "3.13")

#: The smallest app that keeps something.
SMALL_APP = """
kept = []
def app(environ, start_response):
    kept.append(environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"%d" % len(kept)]
"""

#: What every target program starts with: ``take(name)`` writes ``name`` and returns what it cost.
PREAMBLE = f"""
import importlib.util as _util, sys as _sys
_spec = _util.spec_from_file_location("launch_of_agent", {AGENT_DIR!r} + "/launch.py")
_launch = _util.module_from_spec(_spec)
_spec.loader.exec_module(_launch)
_launch.load_agent()
from _labkit_agent import snapshot as _snapshot
def take(name, deadline_s=60):
    return _snapshot.take(name, deadline_s)
"""

#: Then ``take_both`` has both walkers look at the process; twice, since the first look fills caches of the agent's own.
BOTH = """
import time as _time
from _labkit_agent import compiled as _compiled
_refused = _compiled.load({walker!r})
assert _refused is None, _refused
def take_both():
    _snapshot._take("c.heap", _time.perf_counter(), 60, _snapshot._start_compiled, _compiled.prepare())
    _snapshot._take("p.heap", _time.perf_counter(), 60, _snapshot._start_forked, True)
def take(*_):
    take_both()
    take_both()
"""

#: Then the program's ``take`` uses the compiled walker.
LOADED = """
from _labkit_agent import compiled as _compiled
_refused = _compiled.load({walker!r})
assert _refused is None, _refused
"""


def find_interpreters() -> dict[str, str]:
    """Paths of the interpreters on this machine, by version, the running one first."""
    found = {f"{sys.version_info[0]}.{sys.version_info[1]}": sys.executable}
    places = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep)]
    places += sorted((Path.home() / ".pyenv/versions").glob("*/bin"))
    for version in VERSIONS:
        for place in places:
            candidate = place / f"python{version}"
            if version not in found and candidate.is_file() and _answers(candidate, version):
                found[version] = str(candidate)
    return {version: found[version] for version in VERSIONS if version in found}


def _answers(candidate: Path, version: str) -> bool:
    """Whether it runs: a shim that stands for no installed version does not."""
    ask = "import sys; print('%d.%d' % sys.version_info[:2], sys.implementation.name)"
    answer = subprocess.run([candidate, "-c", ask], capture_output=True, text=True, timeout=30)
    return answer.stdout.split() == [version, "cpython"]


@dataclass
class Target:
    """Programs run in ``folder`` under one interpreter."""

    python: str
    folder: Path

    def run(self, program: str, *options: str, check: bool = True, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run a program that can ``take(name)``; it must end well within a minute."""
        path = self.folder / "target.py"
        path.write_text(PREAMBLE + textwrap.dedent(program))
        more.setdefault("env", {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        done = subprocess.run(
            [self.python, *options, str(path)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=100,
            **more,
        )
        if check:
            assert done.returncode == 0, done.stderr[-3000:]
        return done

    @contextmanager
    def serve(self, app: str, *options: str, server: str = "builtin", **more: Any) -> Iterator[Served]:
        """Serve ``app.py`` with the agent in it, by ``launch.py`` as the driver does; end it afterwards."""
        (self.folder / "app.py").write_text(textwrap.dedent(app))
        run_dir = self.folder / "run"
        run_dir.mkdir(mode=0o700)
        command = [self.python, *options, f"{AGENT_DIR}/launch.py", "--run-dir", str(run_dir), "--server", server]
        command += ["--", "--bind", "127.0.0.1:0"]
        command += ["--no-control-socket"] if server == "gunicorn" else []
        log = self.folder / "server.log"
        with log.open("wb") as stream:
            process = subprocess.Popen([*command, "app:app"], cwd=self.folder, stdout=stream, stderr=stream, **more)
        try:
            yield Served(process, run_dir, log)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def picture(self, name: str = "x.heap") -> Picture:
        """Read what the program took."""
        return Picture(read_snapshot(self.folder / name))


@dataclass
class Served:
    """A server with the agent in its worker."""

    process: subprocess.Popen[bytes]
    run_dir: Path
    log: Path

    def wait_for(self, pattern: str) -> Path:
        """The first file of the run folder that matches, once it is there."""
        deadline = time.monotonic() + 60
        while not (found := sorted(self.run_dir.glob(pattern))):
            assert self.process.poll() is None or list(self.run_dir.glob(pattern)), self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)
        return found[0]

    @cached_property
    def worker(self) -> dict[str, Any]:
        """What the worker's agent says of itself."""
        answer: dict[str, Any] = json.loads(self.wait_for("worker-*[0-9].json").read_text())
        return answer

    @property
    def agent(self) -> AgentClient:
        """The worker's agent."""
        return AgentClient(self.worker["socket"])

    def get(self, path: str = "/") -> str:
        """Ask the app."""
        address = json.loads(self.wait_for("listening.json").read_text())
        self._wait_until_it_accepts((address["host"], address["port"]))
        with urllib.request.urlopen(f"http://{address['host']}:{address['port']}{path}", timeout=30) as answer:
            return answer.read().decode()

    def _wait_until_it_accepts(self, address: tuple[str, int], limit_s: float = 20) -> None:
        """An address is announced when it is bound; the server may listen a moment later."""
        give_up = time.monotonic() + limit_s
        while True:
            try:
                socket.create_connection(address, timeout=1).close()
            except OSError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.02)
            else:
                return


class Picture:
    """Convenient, slow access to a snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.columns = snapshot.columns

    def type_of(self, node: int) -> str:
        """Type name of a node."""
        return self.snapshot.types[self.columns["node_type"][node]]

    def name_of(self, node: int) -> str | None:
        """Own name of a node."""
        row = int(self.columns["node_name"][node])
        return None if row < 0 else self.snapshot.labels[row]

    def edges(self, node: int) -> list[tuple[str, str | int | None, int]]:
        """``(kind, label or position, target)`` of one node."""
        start, end = self.columns["edge_start"][node : node + 2]
        found = []
        for row in range(int(start), int(end)):
            kind = layout.EDGE_KINDS[self.columns["edge_kind"][row]]
            label = int(self.columns["edge_label"][row])
            text: str | int | None = label if kind == "index" else self.snapshot.labels[label] if label >= 0 else None
            found.append((kind, text, int(self.columns["edge_target"][row])))
        return found

    def root(self, label: str) -> int:
        """The node of the first root with this label."""
        for node, row in zip(self.columns["root_node"], self.columns["root_label"], strict=True):
            if self.snapshot.labels[row] == label:
                return int(node)
        raise AssertionError(f"no root {label}: {self.snapshot.labels}")

    def follow(self, node: int, *steps: str | int) -> int:
        """Walk along labels (str) and positions (int); attributes may lie in a ``__dict__``."""
        for step in steps:
            node = self._step(node, step)
        return node

    def _step(self, node: int, step: str | int) -> int:
        edges = self.edges(node)
        for _, label, target in edges:
            if label == step and type(label) is type(step):
                return target
        for kind, label, target in edges:
            if kind == "internal" and label == "__dict__" and step != "__dict__":
                return self._step(target, step)
        raise AssertionError(f"{self.type_of(node)} has no {step!r}, only {[edge[:2] for edge in edges]}")

    def glob(self, name: str, *steps: str | int) -> int:
        """Follow from a global name of the program."""
        return self.follow(self.root("__main__"), name, *steps)

    def nodes_of(self, type_name: str) -> list[int]:
        """All nodes of a type."""
        if type_name not in self.snapshot.types:
            return []
        return np.flatnonzero(self.columns["node_type"] == self.snapshot.types.index(type_name)).tolist()

    def one(self, type_name: str) -> int:
        """The only node of a type."""
        (node,) = self.nodes_of(type_name)
        return int(node)

    @cached_property
    def in_edges(self) -> np.ndarray[Any, Any]:
        """Number of in-edges of each node."""
        return np.bincount(self.columns["edge_target"], minlength=self.snapshot.node_count)

    def referrers(self, node: int) -> list[tuple[int, str, str | int | None]]:
        """``(node, kind, label)`` of all in-edges."""
        rows = np.flatnonzero(self.columns["edge_target"] == node)
        sources = np.searchsorted(self.columns["edge_start"], rows, side="right") - 1
        return [
            (int(s), kind, label) for s in sorted(set(sources)) for kind, label, t in self.edges(int(s)) if t == node
        ]

    def gap(self, node: int) -> int:
        """References counted that no edge explains; in a mortal object."""
        count = int(self.columns["node_refcount"][node])
        assert count >= 0, "immortal"
        return count - int(self.in_edges[node])

    def uncounted(self) -> set[str]:
        """Types that may have fewer counts than edges: 3.11's frozen modules refer to these without counting."""
        return {"bool", "NoneType", "ellipsis"} if self.snapshot.header["python"].startswith("3.11") else set()

    def mortal_gaps(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """``(nodes, gaps)`` of all mortal objects."""
        nodes = np.flatnonzero(self.columns["node_refcount"] >= 0)
        return nodes, self.columns["node_refcount"][nodes] - self.in_edges[nodes]

    def site(self, node: int) -> list[tuple[str, int, str]]:
        """The traceback of a node's allocation, innermost first; empty when unknown."""
        row = int(self.columns["node_site"][node])
        return [] if row < 0 else self.snapshot.sites[row]


def unpacked(path: Path) -> bytes:
    """Everything in a snapshot file, decompressed, and the file itself."""
    with zipfile.ZipFile(path) as archive:
        return b"\n".join([path.read_bytes(), *(archive.read(name) for name in archive.namelist())])
