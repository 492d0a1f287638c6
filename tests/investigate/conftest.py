"""Runs of the real command line against real servers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

MARK = "LABKIT_TEST_MARK"
REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Outcome:
    """What a finished command left: its exit status, its two outputs, and the folder it ran in."""

    status: int
    out: str
    err: str
    folder: Path

    @property
    def findings(self) -> dict[str, Any]:
        assert self.out, self.err
        found: dict[str, Any] = json.loads(self.out)
        return found

    def left_behind(self) -> list[str]:
        """Files below the folder it ran in."""
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())


Labkit = Callable[..., Outcome]


@pytest.fixture
def labkit(tmp_path: Path) -> Iterator[Labkit]:
    """Run ``labkit ARGUMENTS`` in an empty folder; afterwards no process and no temporary folder may be left."""
    folder = tmp_path / "here"
    folder.mkdir()
    mark = str(tmp_path)
    scratch = short_folder()

    def run(*arguments: str) -> Outcome:
        command = [sys.executable, "-m", "labkit", *arguments]
        environment = {**os.environ, MARK: mark, "TMPDIR": str(scratch), "LABKIT_PROGRAM": "labkit"}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240)
        return Outcome(done.returncode, done.stdout, done.stderr, folder)

    yield run
    assert marked_processes(mark) == []
    assert list(scratch.iterdir()) == []
    scratch.rmdir()


def marked_processes(mark: str) -> list[str]:
    """Command lines of living processes that inherited ``MARK=mark``."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.info["cmdline"] or []))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def short_folder() -> Path:
    """A temporary folder whose name leaves room for the path of a socket."""
    return Path(tempfile.mkdtemp(prefix="lk-"))
