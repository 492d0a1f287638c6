"""What a group of objects keeps alive together, and who refers to an object.

A retained size belongs to one object. Several holders of the same thing retain nothing of it each and
all of it together, so the retained size of a group is no sum: the group is taken out of the graph, and
what the roots no longer reach is its retained set.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labkit.heap.graph import Graph, Ints

Bools = npt.NDArray[np.bool_]

#: From so many nodes ahead on, a whole level at a time is quicker than one node after the other.
WIDE = 512


@dataclass(frozen=True)
class Reference:
    """One reference: ``edge`` is its row, ``source`` and ``target`` are nodes."""

    edge: int
    source: int
    target: int


def retainers(graph: Graph, node: int) -> list[Reference]:
    """The references to ``node``, parallel ones each, in the order they were recorded."""
    start, edges = graph.incoming
    rows = edges[start[node] : start[node + 1]]
    return [Reference(int(edge), int(graph.edge_source[edge]), node) for edge in rows]


def references(graph: Graph, node: int) -> list[Reference]:
    """The references that leave ``node``, in the order they were recorded."""
    return [Reference(edge, node, int(graph.edge_target[edge])) for edge in graph.edges_of(node)]


def retained_set(graph: Graph, roots: Ints, group: Iterable[int]) -> Bools:
    """What would be freed if every node of ``group`` were gone, the group included; shape (nodes,).

    Of a node no root reaches, only the node itself is in the set. Linear in nodes and edges.
    """
    members = np.zeros(graph.node_count, dtype=bool)
    members[np.fromiter(group, dtype=np.int64)] = True
    nobody = np.zeros(graph.node_count, dtype=bool)
    freed: Bools = (reached(graph, roots, nobody) & ~reached(graph, roots, members)) | members
    return freed


def reached(graph: Graph, roots: Ints, without: Bools) -> Bools:
    """What a walk from ``roots`` meets when the nodes of ``without`` are gone; shape (nodes,)."""
    seen = without.copy()
    flags = seen.view(np.uint8).data
    start, target = graph.edge_start.data, graph.edge_target.data
    ahead: list[int] = []
    for root in roots.tolist():
        if not flags[root]:
            flags[root] = 1
            ahead.append(root)
    while ahead:
        if len(ahead) > WIDE:
            ahead = _next_level(graph, seen, np.array(ahead, dtype=np.int64)).tolist()
            continue
        node = ahead.pop()
        for edge in range(start[node], start[node + 1]):
            child = target[edge]
            if not flags[child]:
                flags[child] = 1
                ahead.append(child)
    met: Bools = seen & ~without
    return met


def _next_level(graph: Graph, seen: Bools, level: Ints) -> Ints:
    """The nodes one reference below ``level`` that were not seen before; they are marked as seen."""
    first = graph.edge_start[level]
    counts = graph.edge_start[level + 1] - first
    before = np.cumsum(counts) - counts
    edges = np.repeat(first - before, counts) + np.arange(int(counts.sum()))
    below = graph.edge_target[edges]
    fresh: Ints = np.unique(below[~seen[below]])
    seen[fresh] = True
    return fresh


def retained_by_type(graph: Graph, roots: Ints) -> Ints:
    """The retained bytes of all objects of each type together, shape (types,); types of one name are one,
    in the row of the first.

    A type retains a node when every path from the roots to it passes an object of that type (the node
    itself counts). The types all paths pass are found as in a data-flow analysis: those of a node are
    its own and the ones common to everything that refers to it, begun with "all" and cut down until
    nothing changes. A set of types is one whole number, a bit per type. Each node's set only shrinks,
    so that the work is bounded by edges times types on a path; in practice it is a few times the edges.
    Nodes no root reaches count for their own type alone.
    """
    first: dict[str, int] = {}
    row_of = np.array([first.setdefault(name, row) for row, name in enumerate(graph.snapshot.types)], dtype=np.int64)
    own = [1 << row for row in range(len(row_of))]
    kinds: list[int] = row_of[graph.snapshot.columns["node_type"]].tolist()
    start, target = graph.edge_start.data, graph.edge_target.data
    covers = [-1] * graph.node_count  # -1 has every bit: nothing is known yet
    known: dict[int, int] = {}
    waiting = deque(dict.fromkeys(roots.tolist()))
    for root in waiting:
        covers[root] = own[kinds[root]]
    is_waiting = bytearray(graph.node_count)
    for root in waiting:
        is_waiting[root] = 1
    while waiting:
        node = waiting.popleft()
        is_waiting[node] = 0
        above = covers[node]
        for edge in range(start[node], start[node + 1]):
            child = target[edge]
            old = covers[child]
            new = old & (above | own[kinds[child]])
            if new != old:
                covers[child] = known.setdefault(new, new)  # equal sets share their memory
                if not is_waiting[child]:
                    is_waiting[child] = 1
                    waiting.append(child)
    return _bytes_per_bit(graph, covers, kinds)


def _bytes_per_bit(graph: Graph, covers: list[int], kinds: list[int]) -> Ints:
    sums: dict[int, int] = {}
    for cover, kind, size in zip(covers, kinds, graph.size_bytes.tolist(), strict=True):
        which = cover if cover >= 0 else 1 << kind
        sums[which] = sums.get(which, 0) + size
    retained = np.zeros(len(graph.snapshot.types), dtype=np.int64)
    for which, size in sums.items():
        while which:
            lowest = which & -which
            retained[lowest.bit_length() - 1] += size
            which ^= lowest
    return retained
