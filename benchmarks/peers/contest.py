"""Run one contestant in this process: ``python -m peers.contest NAME OBJECTS FOLDER ANSWER [WHAT IT NEEDS]``."""

from __future__ import annotations

import sys
from pathlib import Path

from peers import heap
from peers.steps import Steps

#: Contestants by name: the module they are in, and whether they look at a heap in their own process.
CONTESTANTS = {
    "labkit": ("live", True),
    "labkit-plain": ("live", True),
    "guppy3": ("live", True),
    "objgraph": ("live", True),
    "pympler": ("live", True),
    "pyheap": ("live", True),
    "pause": ("pause", True),
    "real-heap": ("real", False),
    "labkit-graph": ("graphs", False),
    "igraph": ("graphs", False),
    "rustworkx": ("graphs", False),
}


def main() -> None:
    """Build the heap if there is to be one, then let the contestant write its steps to ANSWER."""
    name, objects, folder, answer, *needed = sys.argv[1:]
    module, wants_heap = CONTESTANTS[name]
    contestant = getattr(__import__(f"peers.{module}", fromlist=["*"]), name.replace("-", "_"))
    if wants_heap:
        heap.build(int(objects))
    contestant(Steps(Path(answer)), Path(folder), needed[0] if needed else "")


if __name__ == "__main__":
    main()
