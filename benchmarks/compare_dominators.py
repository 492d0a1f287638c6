"""Dominators and retained sizes of real heaps: labkit's loops beside igraph, rustworkx and networkx.

    .venv/bin/python benchmarks/compare_dominators.py [--objects 300000 1000000] [--only igraph labkit]

Each heap is built and snapshotted here; each contestant gets the same references in a process of its own, one after
the other, and says its seconds (for building its graph, and for the dominators) and its peak memory. The others come
from PyPI, at the versions below, into an environment of their own. Their dominators are compared with labkit's, node by
node. networkx and rustworkx iterate to a fixed point and get only the heaps up to --slow-up-to.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
PEERS = {"igraph": "igraph==1.0.0", "rustworkx": "rustworkx==0.18.1", "networkx": "networkx==3.6.1"}
SLOW = ("rustworkx", "networkx")
KEPT: list[Any] = []


# ---- contestants: each answers (seconds to build, seconds to solve, immediate dominators) -------------


def labkit(start: np.ndarray, target: np.ndarray, sizes: np.ndarray, roots: np.ndarray) -> tuple[float, float, Any]:
    from labkit.heap.kernels import loops

    begun = time.perf_counter()
    immediate, retained = np.full(len(sizes), -1, np.int32), sizes.copy()
    loops.dominators(start, target, roots, immediate, retained)
    return 0.0, time.perf_counter() - begun, immediate


def _pairs(start: np.ndarray, target: np.ndarray, roots: np.ndarray) -> np.ndarray:
    """All references and the virtual root's, shape (edges, 2); the virtual root is the last node."""
    nodes = len(start) - 1
    sources = np.repeat(np.arange(nodes), np.diff(start))
    return np.column_stack((np.concatenate((sources, np.full(len(roots), nodes))), np.concatenate((target, roots))))


def igraph(start: np.ndarray, target: np.ndarray, sizes: np.ndarray, roots: np.ndarray) -> tuple[float, float, Any]:
    import igraph as module

    pairs = _pairs(start, target, roots)
    begun = time.perf_counter()
    graph = module.Graph(n=len(sizes) + 1, edges=pairs, directed=True)
    built = time.perf_counter()
    found = graph.dominator(len(sizes), mode="out")
    solved = time.perf_counter()
    above = np.array([-1 if not 0 <= (node if node == node else -1) < len(sizes) else node for node in found[:-1]])
    return built - begun, solved - built, above


def rustworkx(start: np.ndarray, target: np.ndarray, sizes: np.ndarray, roots: np.ndarray) -> tuple[float, float, Any]:
    import rustworkx as module

    pairs = list(map(tuple, _pairs(start, target, roots).tolist()))
    begun = time.perf_counter()
    graph = module.PyDiGraph()
    graph.add_nodes_from(range(len(sizes) + 1))
    graph.add_edges_from_no_data(pairs)
    built = time.perf_counter()
    found = module.immediate_dominators(graph, len(sizes))
    return built - begun, time.perf_counter() - built, _from_mapping(found, len(sizes))


def networkx(start: np.ndarray, target: np.ndarray, sizes: np.ndarray, roots: np.ndarray) -> tuple[float, float, Any]:
    import networkx as module

    pairs = _pairs(start, target, roots).tolist()
    begun = time.perf_counter()
    graph = module.DiGraph(pairs)
    built = time.perf_counter()
    found = module.immediate_dominators(graph, len(sizes))
    return built - begun, time.perf_counter() - built, _from_mapping(found, len(sizes))


def _from_mapping(found: Any, nodes: int) -> np.ndarray:
    above = np.full(nodes, -1, np.int32)
    for node, holder in dict(found).items():
        if node < nodes and holder is not None and holder < nodes:
            above[node] = holder
    return above


# ---- the comparison --------------------------------------------------------------------------------------


def contest(name: str, graph: Path, answer: Path) -> None:
    """Run one contestant in this process and print what it took as JSON."""
    with np.load(graph) as columns:
        arrays = [columns[part] for part in ("start", "target", "sizes", "roots")]
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew (proc_pid_clear_refs(5))
    before = _memory_kb("VmRSS")
    build, solve, immediate = globals()[name](*arrays)
    peak = _memory_kb("VmHWM")
    np.save(answer, np.asarray(immediate, np.int64))
    print(json.dumps({"build_s": build, "solve_s": solve, "memory_mb": (peak - before) / 1000}))


def _memory_kb(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def heap_of(objects: int, path: Path) -> tuple[int, int]:
    """Build about so many objects, snapshot this process, and save its graph; returns nodes and edges."""
    from labkit.agent import snapshot
    from labkit.heap.graph import Graph
    from labkit.heap.paths import nearest_paths
    from labkit.store.snapshot import read_snapshot

    KEPT.extend({"name": f"object {number}", "parts": [number]} for number in range(objects // 4))
    heap = path.with_suffix(".heap")
    snapshot.take(str(heap), 3600)
    KEPT.clear()
    graph = Graph(read_snapshot(heap))
    roots = np.array(nearest_paths(graph).roots.node, np.int32)
    np.savez(path, start=graph.edge_start, target=graph.edge_target, sizes=graph.size_bytes, roots=roots)
    return graph.node_count, len(graph.edge_target)


def peers_python(folder: Path) -> Path:
    """An interpreter with the peers from PyPI."""
    uv = REPOSITORY / ".boot" / "bin" / "uv"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, "numpy", *PEERS.values()], check=True)
    return python


def main() -> None:
    """Print one table: a row for each heap and contestant."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, nargs="+", default=[300_000, 1_000_000])
    parser.add_argument("--only", nargs="+", default=["labkit", *PEERS])
    parser.add_argument("--slow-up-to", type=int, default=300_000)
    parser.add_argument("--contest", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contest:
        contest(options.contest[0], Path(options.contest[1]), Path(options.contest[2]))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        python = peers_python(folder / "peers") if set(options.only) - {"labkit"} else Path(sys.executable)
        print("       nodes   references contestant   build s  solve s      MB  same as labkit")
        for objects in options.objects:
            graph = folder / f"{objects}.npz"
            nodes, edges = heap_of(objects, graph)
            for name in sorted(options.only, key="labkit".__ne__):  # labkit first: the others are compared with it
                if name in SLOW and objects > options.slow_up_to:
                    continue
                answer = folder / f"{name}.npy"
                mine = name == "labkit"
                command = [sys.executable if mine else python, __file__, "--contest", name, graph, answer]
                environment = os.environ if mine else {**os.environ, "PYTHONPATH": ""}
                done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
                if done.returncode:
                    print(f"{nodes:>12,} {edges:>12,} {name:<11} failed: {done.stderr.strip().splitlines()[-1]}")
                    continue
                took = json.loads(done.stdout)
                differing = int((np.load(answer) != np.load(folder / "labkit.npy")).sum())
                print(
                    f"{nodes:>12,} {edges:>12,} {name:<11} {took['build_s']:>8.2f} {took['solve_s']:>8.2f} "
                    f"{took['memory_mb']:>7.0f}  {'yes' if not differing else f'{differing:,} differ'}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
