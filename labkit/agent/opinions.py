"""What other tools say of this heap, asked in a forked child that is cut off: nothing they do reaches the worker.

objgraph's and guppy3's ways of looking collect garbage, stop the worker for seconds and leave it larger (guppy3
by 65 MB of 113, seen). In the child that hurts nobody. The collector is kept from running there: the finalizers it
calls would be the app's.
"""

import _tracemalloc
import gc
import json

from .child import private_bytes
from .labels import dotted_name
from .sites import OWN_FOLDER, short_path

MOST_ROWS = 2000
MOST_FRAMES = 25
_open = open


def write_opinion(look, partial, handlers):
    """Write what ``look()`` says to ``partial`` as one JSON object; the signal ``handlers`` displaced stay alive."""
    gc.collect = lambda generation=2: 0
    said = look()
    with _open(partial, "x", encoding="utf-8") as stream:
        json.dump(said, stream)
    return {"child_peak_bytes": private_bytes(), "rows": len(said["rows"])}


def objgraph_counts():
    """Objects the collector tracks, by type: ``objgraph.typestats``. Rows: name, objects."""
    objgraph = _imported("objgraph")
    counts = {}
    for name, objects in objgraph.typestats(shortnames=False).items():
        shown = dotted_name(*name.split("."))
        counts[shown] = counts.get(shown, 0) + objects
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return _cut({"tool": "objgraph", "version": objgraph.__version__}, rows)


def guppy_partition():
    """Reachable objects by "class or dict owner": guppy3's ``hpy().heap()``. Rows: name, objects, bytes."""
    guppy = _imported("guppy")
    totals = {}
    for row in guppy.hpy().heap().bytype.stat.get_rows():
        shown = " ".join(dotted_name(*word.split(".")) for word in row.name.split(" "))
        objects, size_bytes = totals.get(shown, (0, 0))
        totals[shown] = (objects + row.count, size_bytes + row.size)
    rows = sorted(((name, *total) for name, total in totals.items()), key=lambda row: (-row[2], row[0]))
    return _cut({"tool": "guppy3", "version": guppy.__version__}, rows)


def tracemalloc_sites():
    """Blocks that tracemalloc has seen made and not freed, by traceback. Rows: bytes, blocks, [[file, line], ...]."""
    if not _tracemalloc.is_tracing():
        raise RuntimeError("tracemalloc is not switched on")
    frames = _tracemalloc.get_traceback_limit()
    traces = _tracemalloc._get_traces()
    _tracemalloc.stop()
    totals = {}
    for trace in traces:
        size_bytes, traceback = trace[1], trace[2]
        total = totals.setdefault(traceback, [0, 0])
        total[0] += size_bytes
        total[1] += 1
    rows = []
    shown = {}
    for traceback, (size_bytes, blocks) in totals.items():
        if traceback and traceback[0][0].startswith(OWN_FOLDER):
            continue
        places = []
        for file, line in traceback[:MOST_FRAMES]:
            if not file.startswith(OWN_FOLDER):
                places.append([shown.setdefault(file, short_path(file)), line])
        rows.append((size_bytes, blocks, places))
    rows.sort(key=lambda row: (-row[0], row[2]))
    facts = {"tool": "tracemalloc", "frames": frames, "left_out_bytes": sum(row[0] for row in rows[MOST_ROWS:])}
    return _cut(facts, rows)


TOOLS = {"objgraph": objgraph_counts, "guppy3": guppy_partition, "tracemalloc": tracemalloc_sites}
PACKAGES = {"objgraph": "objgraph", "guppy": "guppy3"}


def _cut(facts, rows):
    return {**facts, "rows": rows[:MOST_ROWS], "left_out": len(rows[MOST_ROWS:])}


def _imported(name):
    try:
        return __import__(name)
    except ImportError:
        package = PACKAGES[name]
        words = f"{package} is not installed for the worker's interpreter; try: pip install {package}"
        raise RuntimeError(words) from None
