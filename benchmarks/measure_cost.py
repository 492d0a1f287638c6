"""Measure what a snapshot costs: the walk inside the worker, and each step of reading it afterwards.

    python benchmarks/measure_cost.py SNAPSHOT [...]          the steps of the analysis, for given files
    python benchmarks/measure_cost.py --objects 200000        build that many objects, walk, then the same
    python benchmarks/measure_cost.py --list 20000            dominators of a doubly linked list held at both ends
    python benchmarks/measure_cost.py --list 2000 --networkx  ... and by networkx, which iterates to a fixed point

``LABKIT_KERNELS=plain`` measures the plain loops instead of the compiled ones.
Seconds are wall-clock, the best of three; the walk and the list are run once. The list is the shape of an
LRU cache, on which the iteration of Cooper, Harvey and Kennedy is quadratic.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from labkit.agent import snapshot
from labkit.heap import kernels, plain
from labkit.heap.dominators import dominators
from labkit.heap.graph import Graph
from labkit.heap.kernels import loops
from labkit.heap.paths import nearest_paths
from labkit.heap.populations import Populations
from labkit.heap.roots import held_from_c
from labkit.store.snapshot import read_snapshot

REPEAT = 3
KEPT: list[dict[str, Any]] = []
Result = TypeVar("Result")


def timed(run: Callable[[], Result]) -> tuple[Result, float]:
    """The result of ``run`` and the shortest time in seconds it took."""
    best = float("inf")
    for _ in range(REPEAT):
        start = time.perf_counter()
        result = run()
        best = min(best, time.perf_counter() - start)
    return result, best


def analyse(path: Path) -> None:
    """Print nodes, edges, file size and the seconds of each step."""
    graph, reading = timed(lambda: Graph(read_snapshot(path)))
    tree, paths = timed(lambda: nearest_paths(graph))
    _, folding = timed(lambda: Populations().fold(tree))
    roots = [*tree.roots.node, *held_from_c(graph).tolist()]
    _, dominating = timed(lambda: dominators(graph, roots))
    print(f"{path.name}: {graph.node_count:,} nodes, {len(graph.edge_target):,} edges, {path.stat().st_size:,} bytes")
    print(
        f"  {loops.__name__}: read {reading:.2f} s  paths {paths:.2f} s  "
        f"fold {folding:.2f} s  dominators {dominating:.2f} s"
    )


def walk(objects: int, path: Path) -> None:
    """Build about ``objects`` objects, each dictionary with a list and a text, and print the walk's cost."""
    KEPT.extend({"name": f"object {number}", "parts": [number]} for number in range(objects // 4))
    cost = snapshot.take(str(path), 600)
    print(
        f"walk: {cost['nodes']:,} nodes, {cost['edges']:,} edges; pause {cost['pause_ms']:.1f} ms, "
        f"file after {cost['duration_s']:.2f} s, child {cost['child_peak_bytes'] / 1e6:.0f} MB"
    )


def linked_list(length: int, compare: bool) -> None:
    """Print the seconds the dominators of a doubly linked list take that is held at both ends."""
    start, target = [0], []
    for node in range(length):
        target += [near for near in (node - 1, node + 1) if 0 <= near < length]
        start.append(len(target))
    immediate, retained = np.full(length, -1, np.int32), np.ones(length, np.int64)
    columns = np.array(start, np.int64), np.array(target, np.uint32), np.array([0, length - 1], np.int32)
    for each in (kernels.compiled, plain):
        if each is not None:
            begun = time.perf_counter()
            each.dominators(*columns, immediate, retained)
            taken = time.perf_counter() - begun
            print(f"doubly linked list: {length:,} nodes  {each.__name__}.dominators {taken:.3f} s")
    if compare:
        import networkx

        edges = [(node, target[edge]) for node in range(length) for edge in range(start[node], start[node + 1])]
        graph = networkx.DiGraph([*edges, ("root", 0), ("root", length - 1)])
        begun = time.perf_counter()
        networkx.immediate_dominators(graph, "root")
        print(f"  networkx {time.perf_counter() - begun:.3f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("snapshots", nargs="*", type=Path)
    parser.add_argument("--objects", type=int)
    parser.add_argument("--list", type=int)
    parser.add_argument("--networkx", action="store_true")
    options = parser.parse_args()
    for path in options.snapshots:
        analyse(path)
    if options.objects:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "built.heap"
            walk(options.objects, path)
            KEPT.clear()
            analyse(path)
    if options.list:
        linked_list(options.list, options.networkx)


if __name__ == "__main__":
    main()
