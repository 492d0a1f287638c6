"""What the allocators say of themselves comes with a compiled walk: true, and without a risk for the walk."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from agent_targets import LOADED, Target

FIGURES = {"arena_bytes", "block_bytes", "free_list_bytes", "malloc_used_bytes", "malloc_free_bytes"}
GROWING = """
import ctypes, json
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
take("warm.heap")
seen = [take("0.heap")["memory"]]
blocks = [libc.malloc(3000) for _ in range(1000)]
seen.append(take("1.heap")["memory"])
for block in blocks[::2]:
    libc.free(block)
seen.append(take("2.heap")["memory"])
small = [bytes(200) for _ in range(20000)]
seen.append(take("3.heap")["memory"])
del small[::2]
seen.append(take("4.heap")["memory"])
print(json.dumps(seen))
"""


def test_figures_follow_what_is_asked_for_and_given_back(target: Target, walker: Path) -> None:
    said = target.run(LOADED.format(walker=str(walker)) + GROWING)
    start, asked, given_back, small, half = json.loads(said.stdout)
    assert set(start) == FIGURES
    assert asked["malloc_used_bytes"] - start["malloc_used_bytes"] == pytest.approx(3_016_000, rel=0.05)
    assert given_back["malloc_used_bytes"] - asked["malloc_used_bytes"] == pytest.approx(-1_508_000, rel=0.1)
    assert given_back["malloc_free_bytes"] - asked["malloc_free_bytes"] == pytest.approx(1_508_000, rel=0.1)
    assert small["block_bytes"] - given_back["block_bytes"] == pytest.approx(20_000 * 240, rel=0.05)
    assert half["block_bytes"] - small["block_bytes"] == pytest.approx(-10_000 * 240, rel=0.05)
    assert half["arena_bytes"] >= half["block_bytes"]
    assert all(0 <= each["free_list_bytes"] < 1_000_000 for each in (start, half))


def test_python_without_an_allocator_of_its_own_says_what_malloc_says(target: Target, walker: Path) -> None:
    program = LOADED.format(walker=str(walker)) + 'import json; print(json.dumps(take("x.heap")["memory"]))'
    said = target.run(program, env={**os.environ, "PYTHONMALLOC": "malloc"})
    assert (
        {"malloc_used_bytes", "malloc_free_bytes"}
        <= set(json.loads(said.stdout))
        <= FIGURES
        - {
            "arena_bytes",
            "block_bytes",
        }
    )


def test_a_lock_of_mallocs_that_is_never_given_back_costs_the_figures_alone(target: Target, walker: Path) -> None:
    """As when a thread that is gone in the child held it."""
    compiler = shutil.which("cc")
    assert compiler is not None, "a C compiler is needed; on Debian: apt-get install gcc libc6-dev"
    source, library = target.folder / "stuck.c", target.folder / "stuck.so"
    source.write_text("#include <unistd.h>\nvoid *mallinfo2(void) { for (;;) pause(); }\n")
    subprocess.run([compiler, "-shared", "-fPIC", "-w", "-o", str(library), str(source)], check=True)
    program = LOADED.format(walker=str(walker)) + 'import json; print(json.dumps(take("x.heap")))'
    said = json.loads(target.run(program, env={**os.environ, "LD_PRELOAD": str(library)}).stdout)
    assert said["nodes"] > 1000
    assert "memory" not in said
    assert target.picture("x.heap").snapshot.header["walker"] == "c"


def test_what_the_app_put_in_the_place_of_the_interpreters_function_is_not_called(target: Target, walker: Path) -> None:
    program = LOADED.format(walker=str(walker)) + (
        "import json, sys\nsys._debugmallocstats = lambda: print('called')\nprint(json.dumps(take('x.heap')['memory']))"
    )
    assert set(json.loads(target.run(program).stdout)) == {"malloc_used_bytes", "malloc_free_bytes"}


def test_the_plain_walker_asks_nobody(target: Target) -> None:
    assert "memory" not in json.loads(target.run('import json; print(json.dumps(take("x.heap")))').stdout)
