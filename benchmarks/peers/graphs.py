"""Contestants that compute dominators and retained sizes of labkit's references, roots and sizes; same arrays for all.

Memory is what the peak exceeds the loaded columns by. ``retained`` sums sizes up the tree of dominators with NumPy, for
the libraries that stop at dominators. Each says how many objects differ from labkit's answer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from peers.steps import Steps

DOMINATORS = "dominators"
RETAINED = "retained sizes"


def labkit_graph(steps: Steps, folder: Path, graph: str) -> None:
    """labkit's own loops do both at once, without another form of the graph."""
    from labkit.heap.kernels import loops

    columns = _columns(graph)
    steps.start_here()
    with steps.step(DOMINATORS + " and " + RETAINED):
        immediate, retained = np.full(len(columns["sizes"]), -1, np.int32), columns["sizes"].copy()
        loops.dominators(columns["start"], columns["target"], columns["roots"], immediate, retained)
    np.save(Path(graph).with_suffix(".retained.npy"), retained)


def igraph(steps: Steps, folder: Path, graph: str) -> None:
    """Lengauer and Tarjan's algorithm in C."""
    import igraph as module

    columns = _columns(graph)
    steps.start_here()
    nodes = len(columns["sizes"])
    with steps.step("build"):
        built = module.Graph(n=nodes + 1, edges=_pairs(**columns), directed=True)
    with steps.step(DOMINATORS):
        found = built.dominator(nodes, mode="out")
        above = np.nan_to_num(np.array(found, np.float64), nan=-1).astype(np.int64)
    with steps.step(RETAINED):
        retained = _retained(above, columns["sizes"])
    steps.note(RETAINED, said=_compared(retained, graph))


def rustworkx(steps: Steps, folder: Path, graph: str) -> None:
    """Cooper, Harvey and Kennedy's iteration in Rust."""
    import rustworkx as module

    columns = _columns(graph)
    steps.start_here()
    nodes = len(columns["sizes"])
    with steps.step("build"):
        built = module.PyDiGraph()
        built.add_nodes_from(range(nodes + 1))
        built.add_edges_from_no_data(list(map(tuple, _pairs(**columns).tolist())))
    with steps.step(DOMINATORS):
        found = module.immediate_dominators(built, nodes)
        above = np.full(nodes + 1, -1, np.int64)
        above[np.fromiter(found.keys(), np.int64)] = np.fromiter(found.values(), np.int64)
    with steps.step(RETAINED):
        retained = _retained(above, columns["sizes"])
    steps.note(RETAINED, said=_compared(retained, graph))


def _columns(graph: str) -> dict[str, Any]:
    with np.load(graph) as archive:
        return {name: archive[name] for name in ("start", "target", "sizes", "roots")}


def _pairs(start: Any, target: Any, sizes: Any, roots: Any) -> Any:
    """All references and the virtual root's, shape (edges, 2); the virtual root is the last node."""
    nodes = len(sizes)
    sources = np.repeat(np.arange(nodes), np.diff(start))
    return np.column_stack((np.concatenate((sources, np.full(len(roots), nodes))), np.concatenate((target, roots))))


def _retained(above: Any, sizes: Any) -> Any:
    """Sums up the tree, deepest level first; ``above[-1]`` is the virtual root, unreached nodes have -1."""
    root = len(sizes)
    depth = np.zeros(root, np.int32)
    nodes = np.flatnonzero((above[:-1] >= 0) & (above[:-1] != root))
    here = above[nodes]
    while len(nodes):
        depth[nodes] += 1
        further = above[here] != root
        nodes, here = nodes[further], above[here[further]]
    order = np.argsort(depth, kind="stable")
    bounds = np.searchsorted(depth[order], np.arange(depth.max() + 2))
    retained = sizes.copy()
    for level in range(depth.max(), 0, -1):
        nodes = order[bounds[level] : bounds[level + 1]]
        np.add.at(retained, above[nodes], retained[nodes])
    return retained


def _compared(retained: Any, graph: str) -> str:
    path = Path(graph).with_suffix(".retained.npy")
    if not path.exists():
        return "not compared: labkit's own answer is not there"
    differing = int((np.load(path) != retained).sum())
    return "same as labkit's" if not differing else f"{differing:,} of {len(retained):,} differ from labkit's"
