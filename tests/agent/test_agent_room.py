"""The estimate of a walk's memory is never less than what the walk takes, whatever the objects are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from agent_targets import LOADED, Target

MEASURE = """
import json, os
from _labkit_agent import room as _room
class Thing:
    def __init__(self, number): self.number, self.parts = number, [number]
KEPT = {kept}
for block_bytes, look in ((_room.COMPILED, take), (_room.PLAIN, take)):
    needed = _room.needed_bytes(block_bytes)
    cost = look("x.heap")
    os.unlink("x.heap")
    print(json.dumps([needed, cost["child_peak_bytes"]]))
    _compiled._modules.clear()
"""
SHAPES = {
    "nothing": "None",
    "texts that are all different": '[f"text {number}" for number in range(300_000)]',
    "small integers": "[number + 10**6 for number in range(300_000)]",
    "tuples": "[(number,) for number in range(300_000)]",
    "dictionaries": '[{"number": number, "text": str(number)} for number in range(80_000)]',
    "instances": "[Thing(number) for number in range(100_000)]",
}


@pytest.mark.parametrize("kept", SHAPES.values(), ids=SHAPES)
def test_no_walk_takes_more_than_was_asked_for(target: Target, walker: Path, kept: str) -> None:
    done = target.run(LOADED.format(walker=str(walker)) + MEASURE.format(kept=kept))
    compiled, plain = map(json.loads, done.stdout.splitlines())
    for needed, taken in (compiled, plain):
        assert taken <= needed
    assert compiled[0] < plain[0]


def test_without_a_count_of_blocks_the_resident_memory_is_asked(target: Target, walker: Path) -> None:
    program = LOADED.format(walker=str(walker)) + MEASURE.format(kept=SHAPES["tuples"])
    done = target.run(program, env={"PYTHONMALLOC": "malloc", "PYTHONDONTWRITEBYTECODE": "1"})
    for needed, taken in map(json.loads, done.stdout.splitlines()):
        assert taken <= needed


def test_the_plain_walk_is_not_begun_either(target: Target) -> None:
    done = target.run(
        """
import os
from _labkit_agent import room
room.free_bytes = lambda: 1 << 20
try:
    take("x.heap")
except MemoryError as error:
    print(error)
assert os.listdir(".") == ["target.py"]
"""
    )
    assert done.stdout.startswith("a walk may need ")
    assert "1 MB are free" in done.stdout
