"""What a contestant took, step by step, written to a file as it goes: a run that is ended keeps what it had."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peers import memory


class Steps:
    """Lines of JSON at ``path``: one for each step, with wall and CPU seconds and the memory it added."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.start_here()

    def start_here(self) -> None:
        """What this process holds by now is given; ``above_start_bytes`` is the peak above it."""
        self._start_bytes = memory.rss_bytes()

    @contextmanager
    def step(self, name: str) -> Iterator[dict[str, Any]]:
        """Measure a block; what it puts into the dictionary is recorded, before what was measured.

        ``wall_s``, ``cpu_s`` (with children that ended), ``pause_s`` (all of it, unless the block says less) and
        ``extra_bytes``: by how much the peak of this process exceeded what it had before.
        """
        found: dict[str, Any] = {}
        memory.begin_peak()
        before_bytes, cpu_s, begun_s = memory.rss_bytes(), _cpu_s(), time.perf_counter()
        yield found
        wall_s = time.perf_counter() - begun_s
        measured = {"wall_s": wall_s, "cpu_s": _cpu_s() - cpu_s, "pause_s": wall_s}
        peak_bytes = memory.peak_bytes()
        measured["extra_bytes"] = max(peak_bytes - before_bytes, 0)
        measured["above_start_bytes"] = max(peak_bytes - self._start_bytes, 0)
        self.note(name, **(measured | found))

    def note(self, step: str, **facts: Any) -> None:
        """Write a line about a step."""
        with self._path.open("a") as stream:
            stream.write(json.dumps({"step": step, **facts}) + "\n")


def read_steps(path: Path) -> dict[str, dict[str, Any]]:
    """All lines that were written whole, by their step; lines of one step are joined."""
    text = path.read_text() if path.exists() else ""
    found: dict[str, dict[str, Any]] = {}
    for line in text.splitlines(keepends=True):
        if line.endswith("\n"):
            facts = json.loads(line)
            found.setdefault(facts.pop("step"), {}).update(facts)
    return found


def _cpu_s() -> float:
    return sum(os.times()[:4])
