"""What is done with a file in a process of its own; the first line said is that process's peak memory in bytes.

``python -m peers.files answer FILE.heap``      the 20 largest holders, each with its path, by labkit
``python -m peers.files pack FILE.heap``        the file made small, as it is when a capture arrives
``python -m peers.files columns FILE.heap``     FILE.npz beside it: the references, sizes and roots for graph libraries
``python -m peers.files export FILE.heap``      FILE.heapsnapshot beside it
``python -m peers.files analyzer.py FILE``      PyHeap's analyser
"""

from __future__ import annotations

import contextlib
import io
import runpy
import sys
import time
from pathlib import Path

from peers import memory


def answer(path: Path) -> str:
    """What took how long, and the three holders that retain most."""
    begun_s = time.perf_counter()
    import labkit

    open_snapshot = labkit.open_snapshot  # with it come NumPy and pandas
    imported_s = time.perf_counter()
    heap = open_snapshot(path)
    read_s = time.perf_counter()
    assert heap.image.dominators
    solved_s = time.perf_counter()
    largest = heap.top_retained(20)
    paths = [heap[row].path_to_root() for row in largest["node"]]
    assert all(paths)
    named_s = time.perf_counter()
    sizes = largest["retained_bytes"]
    holders = [f"{holder} retains {size:,} bytes" for holder, size in zip(largest["holder"], sizes, strict=True)]
    parts = (
        f"imports {imported_s - begun_s:.2f} s, reading and checking {read_s - imported_s:.2f} s, "
        f"paths and dominators {solved_s - read_s:.2f} s, table and names {named_s - solved_s:.2f} s"
    )
    return "; ".join([parts, *holders[:3]])


def pack(path: Path) -> str:
    """Nothing is said."""
    from labkit.store.pack import pack_snapshot

    pack_snapshot(path)
    return ""


def columns(path: Path) -> str:
    """How many nodes and references."""
    import numpy as np

    from labkit.heap.image import HeapImage
    from labkit.store.snapshot import read_snapshot

    image = HeapImage(read_snapshot(path))
    graph, roots = image.graph, np.unique(image.roots).astype(np.int32)
    kept = {"start": graph.edge_start, "target": graph.edge_target, "sizes": graph.size_bytes, "roots": roots}
    np.savez(path.with_suffix(".npz"), **kept)
    return f"{graph.node_count:,} nodes, {len(graph.edge_target):,} references"


def export(path: Path) -> str:
    """Nothing is said."""
    import labkit

    labkit.open_snapshot(path).to_heapsnapshot(path.with_suffix(".heapsnapshot"))
    return ""


def analyse(analyser: str, path: Path) -> str:
    """What PyHeap's analyser prints of the largest object."""
    sys.path.insert(0, str(Path(analyser).parent))
    sys.argv = [analyser, "retained-heap", "--file", str(path), "--top-n", "20"]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        runpy.run_path(analyser, run_name="__main__")
    return " ".join(printed.getvalue().splitlines()[3].split())


def main() -> None:
    """Do what is asked of the file and print the peak."""
    what, path = sys.argv[1], Path(sys.argv[2])
    doers = {"answer": answer, "pack": pack, "columns": columns, "export": export}
    said = doers[what](path) if what in doers else analyse(what, path)
    print(memory.peak_bytes())
    print(said)


if __name__ == "__main__":
    main()
