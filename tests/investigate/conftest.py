"""Runs of the real command line against real servers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

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
        found: dict[str, Any] = json.loads(self.out)
        return found

    def left_behind(self) -> list[str]:
        """Files below the folder it ran in."""
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())


Labkit = Callable[..., Outcome]


@pytest.fixture
def labkit(tmp_path: Path) -> Iterator[Labkit]:
    """Run ``labkit ARGUMENTS`` in an empty folder; afterwards no process of it may be left."""
    folder = tmp_path / "here"
    folder.mkdir()
    private = tmp_path / "tmp"
    private.mkdir()

    def run(*arguments: str) -> Outcome:
        command = [sys.executable, "-m", "labkit", *arguments]
        environment = {**os.environ, "TMPDIR": str(private)}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240)
        return Outcome(done.returncode, done.stdout, done.stderr, folder)

    yield run
    assert processes_using(private) == []
    assert list(private.iterdir()) == []


def processes_using(folder: Path) -> list[str]:
    """Command lines of living processes that were started with a path below ``folder``."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any(str(folder) in word for word in words):
            found.append(" ".join(words))
    return found
