"""Thousands of changed snapshots, read in subprocesses a batch at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from mutations import Members, members_of, mutated
from recorded import Heap

BATCH = 250
HERE = Path(__file__).resolve().parent


@dataclass
class Tally:
    """What came of the files: how they ended, what was wrong (with the number that makes the file again)."""

    ended: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    most_seconds: float = 0


def bases(folder: Path) -> list[Members]:
    """A heap made by hand, with sites, and one of a real process, by the agent."""
    heap = Heap()
    store = heap.new("dict", 64, held_by=(heap.module("shop"), "value", "STORE"))
    for place in range(30):
        session = heap.new("shop.Session", 48, held_by=(store, "value"), site=[("shop/app.py", 3 + place, "open")])
        heap.new("list", 56, held_by=(session, "attribute", "basket"))
        heap.refer(session, store, "index")
    heap.write(folder / "made.heap")
    path = folder / "real.heap"
    script = f"from labkit.agent import snapshot; snapshot.take({str(path)!r}, 60)"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
    made, real = members_of(folder / "made.heap"), members_of(path)
    return [made, made, made, made, real]


def fuzz(folder: Path, first: int, count: int) -> Tally:
    """Make and read the files ``first`` up to ``first + count`` in ``folder``; those that are wrong stay there."""
    originals = bases(folder)
    tally = Tally()
    with ThreadPoolExecutor(max_workers=2) as readers:
        starts = range(first, first + count, BATCH)
        batches = (_made(folder, originals, start, min(BATCH, first + count - start)) for start in starts)
        waiting = []
        for files in batches:
            waiting.append((files, readers.submit(_read, folder, files)))
            if len(waiting) > 2:
                _count(tally, *waiting.pop(0))
        for files, future in waiting:
            _count(tally, files, future)
    return tally


def _made(folder: Path, originals: list[Members], first: int, count: int) -> dict[Path, str]:
    files = {}
    for number in range(first, first + count):
        data, changes = mutated(originals, number)
        path = folder / f"{number}.heap"
        path.write_bytes(data)
        files[path] = changes
    return files


def _read(folder: Path, files: dict[Path, str]) -> Iterator[dict[str, object]]:
    names = folder / f"{next(iter(files)).stem}.list"
    names.write_text("\n".join(map(str, files)))
    # memory that was given back must be given back to the system, or the next file's limit says little
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}
    command = [sys.executable, HERE / "mutations.py", names]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    if len(rows) < len(files):  # the reader itself died
        rows.append({"file": list(files)[len(rows)].name, "ended": f"WRONG crash {done.stderr[-300:]}", "seconds": 0})
    names.unlink()
    return iter(rows)


def _count(tally: Tally, files: dict[Path, str], future: object) -> None:
    for row in future.result():  # type: ignore[attr-defined]
        path = next(iter(files)).with_name(str(row["file"]))
        ended = str(row["ended"])
        tally.ended[ended.split(":")[0]] += 1
        tally.changes.update(files[path].split("+"))
        tally.most_seconds = max(tally.most_seconds, float(row["seconds"]))
        if ended.startswith("WRONG"):
            tally.wrong.append(f"{row['file']} ({files[path]}): {ended}")
    for path in files:
        if not any(line.startswith(f"{path.name} ") for line in tally.wrong):
            path.unlink()
