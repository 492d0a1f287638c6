"""What is done with a file in a process of its own; the first line said is that process's peak memory in bytes.

``python -m peers.files answer FILE.heap``      the 20 largest holders, each with its path, by labkit
``python -m peers.files pack FILE.heap``        the file made small, as it is when a capture arrives
``python -m peers.files columns FILE.heap``     FILE.npz beside it: the references, sizes and roots for graph libraries
``python -m peers.files export FILE.heap``      FILE.heapsnapshot beside it
``python -m peers.files SOURCES FILE.pyheap``    the 20 objects that retain most, by PyHeap's analyser
"""

from __future__ import annotations

import mmap
import sys
import time
from pathlib import Path

from peers import memory


def answer(path: Path) -> str:
    """What took how long, and the three holders that retain most."""
    begun_s = time.perf_counter()
    import labkit

    open_snapshot = labkit.open_snapshot  # with it comes NumPy
    imported_s = time.perf_counter()
    heap = open_snapshot(path)
    read_s = time.perf_counter()
    assert heap.image.dominators
    solved_s = time.perf_counter()
    largest = heap.select().largest(20)
    paths = [node.path_to_root() for node in largest]
    assert all(paths)
    named_s = time.perf_counter()
    holders = [f"{node.holder} retains {node.retained_size_bytes:,} bytes" for node in largest]
    parts = (
        f"imports {imported_s - begun_s:.2f} s, reading and checking {read_s - imported_s:.2f} s, "
        f"paths and dominators {solved_s - read_s:.2f} s, choice and names {named_s - solved_s:.2f} s"
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


def analyse(sources: str, path: Path) -> str:
    """What retains most by PyHeap's analyser: its own steps, without the texts it would show beside."""
    sys.path.insert(0, sources)
    from pyheap_ui import heap as analyser
    from pyheap_ui.heap_reader import HeapReader

    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        heap = HeapReader(data).read()
        inbound = analyser.InboundReferences(heap.objects)
        retained = analyser.provide_retained_heap_with_caching(str(path), heap, inbound)
        largest = analyser.objects_sorted_by_retained_heap(heap, retained)[:20]
    return "; ".join(f"{heap.types[heap.objects[at].type]} retains {size:,} bytes" for at, size in largest[:3])


def main() -> None:
    """Do what is asked of the file and print the peak."""
    what, path = sys.argv[1], Path(sys.argv[2])
    doers = {"answer": answer, "pack": pack, "columns": columns, "export": export}
    said = doers[what](path) if what in doers else analyse(what, path)
    print(memory.peak_bytes())
    print(said)


if __name__ == "__main__":
    main()
