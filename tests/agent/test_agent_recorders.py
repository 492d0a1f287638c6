"""Other tools, asked by the agent: what looks, looks in a child; what records in the worker has an end."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from agent_targets import LOADED, SMALL_APP, Target

from labkit.agent.client import AgentError

ATTRIBUTES = """
import gc, json, os, sys
worker = os.getpid()
class Kept:
    def __init__(self, number):
        self.number = number
class Cycle:
    def __init__(self):
        self.me = self
    def __del__(self):
        os.close(os.open("finalized", os.O_WRONLY | os.O_CREAT))
gc.disable()
Cycle()
kept = [Kept(number) for number in range(3000)]
def size():
    return sum(map(sys.getsizeof, kept))
before = size()
def look(tool):
    return _snapshot.take_opinion(tool, tool + ".json", 60)
"""


@pytest.mark.parametrize("tool", ["objgraph", "guppy3"])
def test_a_look_changes_nothing_in_the_worker(target: Target, tool: str) -> None:
    """Neither garbage is collected, nor finalizers run, nor do instances get a dictionary of their own."""
    done = target.run(
        ATTRIBUTES
        + f"""
cost = look({tool!r})
loaded = set(sys.modules) & {{"guppy", "objgraph"}}
print(json.dumps([before, size(), sorted(loaded), os.path.exists("finalized"), cost["pause_ms"] > 0]))
"""
    )
    size_before, size_after, loaded, finalized, paused = json.loads(done.stdout)
    assert size_after == size_before
    assert (loaded, finalized, paused) == ([], False, True)
    rows = {row[0]: row[1] for row in json.loads((target.folder / f"{tool}.json").read_text())["rows"]}
    assert rows["__main__.Kept"] == 3000


def test_objgraph_counts_what_it_counts_in_the_worker(target: Target) -> None:
    """The same figures as objgraph gives there, apart from its own objects and the agent's."""
    done = target.run(
        ATTRIBUTES
        + """
look("objgraph")
import objgraph
print(json.dumps(objgraph.typestats(shortnames=False)))
"""
    )
    there = json.loads(done.stdout)
    rows = dict(json.loads((target.folder / "objgraph.json").read_text())["rows"])
    for name in ("__main__.Kept", "__main__.Cycle", "builtins.list"):
        assert abs(rows[name] - there[name]) <= 0.05 * there[name] + 2, name


def test_names_that_are_no_names_are_left_out(target: Target) -> None:
    target.run(
        ATTRIBUTES
        + """
secret = type("s3cr3t token of alice@example.org 0123456789", (), {})
held = [secret() for _ in range(50)]
for tool in ("objgraph", "guppy3"):
    look(tool)
"""
    )
    for tool in ("objgraph", "guppy3"):
        assert "alice" not in (target.folder / f"{tool}.json").read_text()


def test_tracemalloc_is_read_in_a_child_and_goes_on(target: Target) -> None:
    done = target.run(
        ATTRIBUTES
        + """
import _tracemalloc
from _labkit_agent import recorders
recorders.start_tracemalloc(5, 60)
made = [bytes(1000 + number) for number in range(500)]  # line
look("tracemalloc")
print(_tracemalloc.is_tracing(), sum(map(sys.getsizeof, made)))
recorders.end("tracemalloc")
print(_tracemalloc.is_tracing())
"""
    )
    tracing, made_bytes, after = done.stdout.split()
    assert (tracing, after) == ("True", "False")
    said = json.loads((target.folder / "tracemalloc.json").read_text())
    line = (target.folder / "target.py").read_text().splitlines().index(
        "made = [bytes(1000 + number) for number in range(500)]  # line"
    ) + 1
    assert said["frames"] == 5
    found = [row for row in said["rows"] if row[2][0] == ["target.py", line]]
    assert 500 <= sum(row[1] for row in found) <= 502  # the list that holds them is made there, too
    assert 0 <= sum(row[0] for row in found) - int(made_bytes) < 10_000


def test_tracemalloc_of_the_app_itself_stays_on(target: Target) -> None:
    done = target.run(
        """
import tracemalloc
tracemalloc.start(3)
from _labkit_agent import recorders
recorders.start_tracemalloc(5, 60)
recorders.end("tracemalloc")
print(tracemalloc.is_tracing(), tracemalloc.get_traceback_limit())
"""
    )
    assert done.stdout.split() == ["True", "3"]


MEMRAY = """
import os, sys, time
from _labkit_agent import recorders
kept = []
def leak():
    for number in range(200):
        kept.append(bytearray(100_000))
"""


def test_the_compiled_walker_walks_beside_memray(target: Target, walker: str) -> None:
    """Neither the snapshot nor memray's file suffers; a child in Python would write into the file, and is refused."""
    import memray

    done = target.run(
        LOADED.format(walker=str(walker))
        + MEMRAY
        + """
recorders.start_memray("x.bin", 60)
leak()
cost = take("x.heap")
from _labkit_agent import compiled
compiled._modules.clear()
try:
    take("y.heap")
except RuntimeError as error:
    print(error)
recorders.end("memray")
take("z.heap")
"""
    )
    assert done.stdout == "memray is at work in this process, and a child in Python would write into its recording\n"
    assert sorted(path.name for path in target.folder.glob("*.heap")) == ["x.heap", "z.heap"]
    assert len(target.picture("x.heap").snapshot.types) > 50
    with memray.FileReader(target.folder / "x.bin") as reader:
        leaked = sum(each.size for each in reader.get_leaked_allocation_records(merge_threads=True))
    assert 200 * 100_000 <= leaked < 200 * 110_000


def test_a_recorder_ends_when_its_caller_has_gone(target: Target) -> None:
    with target.serve(SMALL_APP) as served:
        agent = served.agent
        agent.record_start("memray", 1, path=str(target.folder / "x.bin"))
        agent.record_start("tracemalloc", 1, frames=1)
        time.sleep(3)
        agent.opinion("objgraph", str(target.folder / "o.json"))
        for tool in ("memray", "tracemalloc"):
            with pytest.raises(AgentError, match=f"{tool} was ended before: its time was over"):
                agent.record_end(tool)
        with pytest.raises(AgentError, match="tracemalloc is not switched on"):
            agent.opinion("tracemalloc", str(target.folder / "t.json"))


def test_a_recording_that_grows_too_large_is_ended(target: Target) -> None:
    done = target.run(
        MEMRAY
        + """
recorders.MOST_BYTES = 1000
recorders.start_memray("x.bin", 60)
leak()
for number in range(20_000):
    kept.append(bytearray(600 + number))
recorders.end_overdue()
try:
    recorders.end("memray")
except RuntimeError as error:
    print(error)
"""
    )
    assert done.stdout.startswith("memray was ended before: its time was over, or its file had 0 MB")


def test_what_cannot_be_asked(target: Target) -> None:
    with target.serve(SMALL_APP) as served:
        agent, path = served.agent, str(target.folder / "x.bin")
        with pytest.raises(AgentError, match="knows no tool 'pickle'"):
            agent.opinion("pickle", path)
        with pytest.raises(AgentError, match="knows no recorder 'pickle'"):
            agent.record_start("pickle", 1)
        Path(path).write_text("mine")
        with pytest.raises(AgentError, match="FileExistsError"):
            agent.record_start("memray", 1, path=path)
        assert Path(path).read_text() == "mine"
        Path(path).unlink()
        agent.record_start("memray", 60, path=path)
        with pytest.raises(AgentError, match="memray records in this process already"):
            agent.record_start("memray", 60, path=path)
        agent.record_end("memray")


@pytest.fixture
def bare(tmp_path: Path) -> Target:
    """An interpreter with nothing installed."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    return Target(str(tmp_path / "bare" / "bin" / "python"), tmp_path)


def test_an_interpreter_without_the_tools(bare: Target) -> None:
    done = bare.run(
        """
from _labkit_agent import recorders
for ask in (lambda: recorders.start_memray("x.bin", 1), lambda: _snapshot.take_opinion("objgraph", "o.json", 60),
            lambda: _snapshot.take_opinion("guppy3", "g.json", 60)):
    try:
        ask()
    except RuntimeError as error:
        print(error)
"""
    )
    assert done.stdout.splitlines() == [
        "memray is not installed for the worker's interpreter; try: pip install memray",
        "RuntimeError: objgraph is not installed for the worker's interpreter; try: pip install objgraph",
        "RuntimeError: guppy3 is not installed for the worker's interpreter; try: pip install guppy3",
    ]
    assert sorted(path.name for path in bare.folder.glob("*.*")) == ["target.py"]
