"""Contestants that look at the process they are in; it holds the heap of ``peers.heap``.

Each takes (steps, folder to write in, what it needs) and imports nothing but its own tool, outside of what is timed.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from peers import heap
from peers.steps import Steps

CAPTURE = "capture"
FRESH = "fresh process: open, top 20, paths"


def labkit(steps: Steps, folder: Path, walker: str) -> None:
    """The compiled walker; then a new process opens the file and names the 20 largest holders; then it is packed."""
    from labkit.agent import compiled

    if refused := compiled.load(walker):
        raise RuntimeError(refused)
    path = _capture(steps, folder)
    with steps.step(FRESH) as found:
        found |= _in_fresh_process("answer", path)
        found["pause_s"] = 0.0
    with steps.step("pack the file, afterwards") as found:
        found |= _in_fresh_process("pack", path)
        found |= {"pause_s": 0.0, "file_bytes": path.stat().st_size}


def labkit_plain(steps: Steps, folder: Path, nothing: str) -> None:
    """The walker in plain Python, for where there is no compiler."""
    _capture(steps, folder)


def _capture(steps: Steps, folder: Path) -> Path:
    from labkit.agent import snapshot

    path = folder / "labkit.heap"
    with steps.step(CAPTURE) as found:
        cost = snapshot.take(str(path), 3600)
        found |= {"pause_s": cost["pause_ms"] / 1000, "child_bytes": cost["child_peak_bytes"]}
        found |= {"file_bytes": path.stat().st_size, "nodes": cost["nodes"], "edges": cost["edges"]}
    return path


def _in_fresh_process(what: str, path: Path) -> dict[str, int | str]:
    command = [sys.executable, "-m", "peers.files", what, path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["the fresh process gave no reason"])[-1])
    peak, _, said = done.stdout.partition("\n")
    return {"child_bytes": int(peak), "said": said.strip()}


def guppy3(steps: Steps, folder: Path, nothing: str) -> None:
    """The whole heap and its table; then one known object: what it dominates, its paths, its referrers."""
    from guppy import hpy

    with steps.step("heap()"):
        tool = hpy()
        everything = tool.heap()
    with steps.step("its table"):
        text = str(everything)
    steps.note("heap()", nodes=everything.count)
    known = tool.iso(heap.BOOK.orders)
    with steps.step("domisize of one object") as found:
        found["said"] = f"{known.domisize:,} bytes"
    with steps.step("shpaths of one object") as found:
        found["said"] = str(known.shpaths).strip()
    with steps.step("rp of one object"):
        text = str(known.rp)
    assert text


def objgraph(steps: Steps, folder: Path, nothing: str) -> None:
    """Counts by type; a chain of references to one known object from a module."""
    import objgraph as tool

    with steps.step("most_common_types()"):
        tool.most_common_types()
    with steps.step("find_backref_chain of one object") as found:
        chain = tool.find_backref_chain(heap.BOOK.orders[-1].lines, tool.is_proper_module)
        found["said"] = " < ".join(type(thing).__name__ for thing in chain)


def pympler(steps: Steps, folder: Path, nothing: str) -> None:
    """All objects it finds, and their summary."""
    from pympler import muppy, summary

    with steps.step("muppy.get_objects()"):
        everything = muppy.get_objects()
    with steps.step("summary.summarize()") as found:
        summary.summarize(everything)
        found["nodes"] = len(everything)


def pyheap(steps: Steps, folder: Path, checkout: str) -> None:
    """Its dumper, run by this process itself: without GDB's own time, and without the texts of objects.

    Both are kind to it. Then its analyser, in a new process, with the 20 objects that retain most.
    """
    path = folder / "heap.pyheap"
    path.touch()
    source = (Path(checkout) / "pyheap" / "src" / "dumper_inferior.py").read_text()
    code = compile(source, "<pyheap>", "exec")
    space = {"__file__": "<pyheap>", "heap_file": str(path), "str_repr_len": -1, "progress_file": ""}
    with steps.step("dump") as found:
        exec(code, space)
        if space["result_error"]:
            raise RuntimeError(str(space["result_error"]))
        found["file_bytes"] = path.stat().st_size
        found["nodes"] = int(str(space["result"]).partition("Visited ")[2].split()[0])
    with steps.step("analyser: top 20") as found:
        found |= _in_fresh_process(str(Path(checkout) / "pyheap-ui" / "src"), path)
        found["pause_s"] = 0.0
