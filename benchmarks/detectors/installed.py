"""Tools that come with labkit: objgraph, tracemalloc, guppy3 and memray."""

from __future__ import annotations

import gc
import tempfile
import tracemalloc
from collections import Counter
from pathlib import Path

from detectors.player import MIN_BYTES, MIN_OBJECTS, WINDOWS, Player, Said


def objgraph_growth(play: Player) -> Said:
    """``objgraph.growth`` after each window: types whose number grew; what grew every time goes on."""
    import objgraph

    objgraph.growth()
    seen = []
    for _ in range(WINDOWS):
        play()
        seen.append({name: gained for name, _, gained in objgraph.growth(limit=50) if gained >= MIN_OBJECTS})
    lasting = set.intersection(*map(set, seen))
    return "\n".join(f"{name} +{seen[-1][name]}" for name in sorted(lasting)), bool(lasting)


def tracemalloc_diff(play: Player) -> Said:
    """``compare_to`` by line over each window, the ten largest; lines that grew every time go on."""
    tracemalloc.start(1)
    play()
    seen: list[dict[str, int]] = []
    for _ in range(WINDOWS):
        before = tracemalloc.take_snapshot()
        play()
        gc.collect()
        difference = tracemalloc.take_snapshot().compare_to(before, "lineno")[:10]
        seen.append({str(one.traceback[0]): one.size_diff for one in difference if one.size_diff >= MIN_BYTES})
    lasting = set.intersection(*map(set, seen)) - {line for line in seen[0] if "tracemalloc" in line}
    return "\n".join(sorted(lasting)), bool(lasting)


def guppy3_heap(play: Player) -> Said:
    """``hpy().heap()`` relative to the heap before, after each window: kinds that grew every time go on."""
    from guppy import hpy

    heapy = hpy()
    seen, text = [], ""
    for _ in range(WINDOWS):
        heapy.setrelheap()
        play()
        heap = heapy.heap()
        text = str(heap)
        rows = [heap[place] for place in range(min(len(heap), 10))] if len(heap) else []
        seen.append({str(row.kind) for row in rows if row.count >= MIN_OBJECTS})
    lasting = set.intersection(*seen) if seen else set()
    return text, bool(lasting)


def memray_leaks(play: Player) -> Said:
    """``memray.Tracker`` over all windows; what is still allocated at its end, by line, ten largest."""
    import memray

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "m.bin"
        with memray.Tracker(file, trace_python_allocators=True):
            for _ in range(WINDOWS):
                play()
            gc.collect()
        sizes: Counter[str] = Counter()
        with memray.FileReader(file) as reader:
            for record in reader.get_leaked_allocation_records(merge_threads=True):
                stack = record.stack_trace(30)
                place = next((f"{name}:{line}" for _, name, line in stack if "sample_apps" in name), "")
                place = place or (f"{stack[0][1]}:{stack[0][2]}" if stack else "?")
                sizes[place] += record.size
    top = [(place, size) for place, size in sizes.most_common(10) if size >= WINDOWS * MIN_BYTES]
    return "\n".join(f"{place} {size}" for place, size in top), bool(top)
