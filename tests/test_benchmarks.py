"""The side-by-side benchmark: how it runs contestants, and what it makes of what they say. No figure is judged here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
sys.path.append(str(BENCHMARKS))

from peers.results import Results  # noqa: E402
from peers.run import Limits, run  # noqa: E402
from peers.steps import Steps, read_steps  # noqa: E402
from peers.tables import scaling, table  # noqa: E402
from peers.wanted import wanted  # noqa: E402

ENOUGH = Limits(deadline_s=20, memory_bytes=1 << 34)


def two_tools() -> Results:
    found = Results(1_000_000)
    for wall_s in (0.2, 0.3, 0.4):
        capture = {"wall_s": wall_s, "pause_s": 0.002, "nodes": 2_000_000, "file_bytes": 60_000_000}
        fresh = {"wall_s": 0.6, "child_bytes": 2e8, "said": "imports 0.3 s; shop.STORE retains 5 bytes"}
        found.add("labkit", {"capture": capture, "fresh process: open, top 20, paths": fresh}, "")
    found.add("guppy3", {"heap()": {"wall_s": 3.0, "pause_s": 3.0}}, "over 60 s")
    found.problems["pyheap"] = "left out: no checkout given with --pyheap"
    return found


def test_tables() -> None:
    lines = table(two_tools()).splitlines()
    assert lines[1].split() == ["labkit", "capture", "0.30", "-", "2.0", "-", "-", "2,000,000", "30.0"]
    assert lines[-2:] == ["guppy3        over 60 s", "pyheap        left out: no checkout given with --pyheap"]
    per_million = [line.split()[-1] for line in scaling([two_tools()]).splitlines()]
    assert per_million == ["M", "0.15", "0.30", "1.50"]


def test_ratios() -> None:
    ((heading, ratios), (_, real)) = wanted([two_tools()], Results(0))
    assert heading == "2.00 million objects"
    by_wanted = {each.wanted.partition(":")[0]: each for each in ratios}
    assert by_wanted["capture with references, names and file, than guppy3's heap()"].reached is True
    assert by_wanted["capture, than PyHeap's dump"].reached is None
    assert by_wanted["request to file to fresh process to the 20 largest with named paths"].reached is True
    assert real[0].reached is None


def test_steps_survive_a_run_that_is_ended(tmp_path: Path) -> None:
    steps = Steps(tmp_path / "answer")
    with steps.step("walk") as found:
        found["nodes"] = 3
    steps.note("walk", said="three")
    with (tmp_path / "answer").open("a") as stream:
        stream.write('{"step": "cut sh')
    found = read_steps(tmp_path / "answer")
    assert found.keys() == {"walk"}
    assert (found["walk"]["nodes"], found["walk"]["said"]) == (3, "three")
    assert found["walk"]["wall_s"] == found["walk"]["pause_s"] >= 0


@pytest.mark.parametrize(
    ("program", "limits", "problem"),
    [
        ("print('done')", ENOUGH, ""),
        ("raise ValueError('no heap')", ENOUGH, "failed: ValueError: no heap"),
        ("import time; time.sleep(60)", Limits(0.3, 1 << 34), "over 0.3 s"),
        ("kept = bytearray(300_000_000); import time; time.sleep(60)", Limits(20, 200_000_000), "over 0.2 GB"),
    ],
)
def test_what_becomes_of_a_contestant(program: str, limits: Limits, problem: str) -> None:
    output, seen = run([sys.executable, "-c", program], os.environ, limits)
    assert (output.strip(), seen) == ("" if problem else "done", problem)


def test_the_whole_command() -> None:
    command = [sys.executable, BENCHMARKS / "compare_peers.py", "--objects", "5000", "--repeat", "1"]
    done = subprocess.run([*command, "--only", "labkit-plain"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "labkit-plain  capture" in done.stdout
    assert "capture without a compiler: at most 1.5 times guppy3's heap()" in done.stdout
