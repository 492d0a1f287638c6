"""Objects of a request that outlived its response, in one snapshot: the framework's own lifecycle as an oracle.

A request and its response belong to one call, and die with it. While the call runs, a frame on a thread's stack or a
coroutine holds them; whatever else is alive is kept by somebody. One snapshot says who, though not whether it grows.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from labkit.findings.co_holders import in_common
from labkit.heap.graph import Graph, Ints
from labkit.heap.naming import dotted_name
from labkit.heap.paths import PathTree
from labkit.heap.retained_sets import Bools

#: What a framework makes for one request; classes of the app that derive from these count as well.
OF_ONE_REQUEST = (
    "falcon.request.Request",
    "falcon.response.Response",
    "falcon.asgi.request.Request",
    "falcon.asgi.response.Response",
    "starlette.requests.Request",
    "flask.wrappers.Request",
    "django.core.handlers.wsgi.WSGIRequest",
    "aiohttp.web_request.Request",
)
#: What runs, or waits to go on, and has what it works on in its variables.
RUNNING = ("coroutine", "async_generator")
#: Fewer that outlived their call may be those of the last one: a variable keeps them until it is used again.
FEWEST = 5
_MOST_HOLDERS = 3


@dataclass(frozen=True)
class Outlived:
    """``kept`` of ``alive`` objects of these ``types`` are in no call that runs; ``holders`` have most of them."""

    alive: int
    kept: int
    types: tuple[str, ...]
    holders: tuple[str, ...]
    shallow_size_bytes: int

    def fact(self) -> str:
        """How many there are too many, without the end of the sentence."""
        types = " and ".join(self.types)
        return f"{self.kept:,} of {self.alive:,} living {types} belong to no running call: their responses have ended"

    def why(self) -> str:
        """One sentence for the reader."""
        held = f"; most are kept by {' and '.join(self.holders)}" if self.holders else ""
        return f"{self.fact()}{held}."


def classes_of_one_request(graph: Graph) -> frozenset[str]:
    """Type names: those of ``OF_ONE_REQUEST`` that are there, and all classes derived from them."""
    names = set(OF_ONE_REQUEST).intersection(graph.snapshot.types)
    bases = _classes_named(graph, OF_ONE_REQUEST)
    if not bases:
        return frozenset(names)
    starts, edges = graph.incoming
    for base in bases:
        for edge in edges[int(starts[base]) : int(starts[base + 1])].tolist():
            order = graph.source_of(edge)
            if graph.type_of(order) == "tuple":  # an __mro__
                names.update(_owners(graph, order))
    return frozenset(names)


def outlived(tree: PathTree) -> Outlived | None:
    """What outlived its request in one heap; None where fewer than FEWEST did, or no framework is known."""
    graph = tree.graph
    names = classes_of_one_request(graph)
    rows = [row for row, name in enumerate(graph.snapshot.types) if name in names]
    alive: Bools = np.isin(graph.snapshot.columns["node_type"], rows)
    kept = alive & ~_in_calls(tree)
    if int(kept.sum()) < FEWEST:
        return None
    types = Counter(graph.type_of(node) for node in np.flatnonzero(kept).tolist())
    told = tuple(name for name, _ in types.most_common(2))
    size = int(graph.size_bytes[kept].sum())
    return Outlived(int(alive.sum()), int(kept.sum()), told, _holders(tree, kept), size)


def _holders(tree: PathTree, kept: Bools) -> tuple[str, ...]:
    """The names of what most of ``kept`` are reached through; of what is left, again."""
    names: list[str] = []
    left = kept.copy()
    everything: Bools = np.ones(len(kept), dtype=bool)
    for _ in range(_MOST_HOLDERS):
        if int(left.sum()) < FEWEST:
            break
        node = in_common(tree, left, everything)
        if node is None:
            break
        names.append(dotted_name(tree, node))
        left &= ~_below(tree, node)
    return tuple(dict.fromkeys(names))


def _below(tree: PathTree, node: int) -> Bools:
    inside: Bools = np.zeros(len(tree.order), dtype=bool)
    inside[node] = True
    flags, parent = inside.data, tree.parent.data
    for here in tree.order.tolist():
        if parent[here] >= 0 and flags[parent[here]]:
            flags[here] = True
    return inside


def _in_calls(tree: PathTree) -> Bools:
    """Nodes that a variable of a running call or of a waiting coroutine refers to, shape (nodes,)."""
    graph = tree.graph
    running = [node for node, kind in zip(tree.roots.node, tree.roots.kind, strict=True) if kind == "thread"]
    rows = [row for row, name in enumerate(graph.snapshot.types) if name in RUNNING]
    waiting = np.flatnonzero(np.isin(graph.snapshot.columns["node_type"], rows)).tolist()
    found: Bools = np.zeros(graph.node_count, dtype=bool)
    for node in (*running, *waiting):
        targets = graph.edge_target[int(graph.edge_start[node]) : int(graph.edge_start[node + 1])]
        found[targets] = True
        for target in targets.tolist():
            if graph.type_of(target) == "frame":  # a coroutine's, where somebody looked at it
                found[graph.edge_target[int(graph.edge_start[target]) : int(graph.edge_start[target + 1])]] = True
    return found


def _classes_named(graph: Graph, names: tuple[str, ...]) -> list[int]:
    labels = [row for row, label in enumerate(graph.snapshot.labels) if label in names]
    if not labels:
        return []
    nodes: Ints = np.flatnonzero(np.isin(graph.snapshot.columns["node_name"], labels))
    return [node for node in nodes.tolist() if graph.type_of(node).endswith("type")]


def _owners(graph: Graph, order: int) -> list[str]:
    """Names of the classes whose ``__mro__`` this tuple is."""
    starts, edges = graph.incoming
    into = edges[int(starts[order]) : int(starts[order + 1])].tolist()
    return [graph.own_name(graph.source_of(edge)) for edge in into if graph.label_of(edge) == "__mro__"]
