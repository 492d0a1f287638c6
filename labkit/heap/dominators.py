"""Immediate dominators and retained sizes.

Semi-NCA, from L. Georgiadis, *Linear-Time Algorithms for Dominators and Related Problems* (Princeton,
2005), section 2.3: semidominators by path compression, then the nearest common ancestor in the tree
built so far. Cooper, Harvey and Kennedy's iteration is shorter and quadratic on the shape of an LRU
cache (a doubly linked list held at both ends), see docs/decisions/0004. No recursion anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labkit.heap.graph import Graph, Ints


@dataclass(frozen=True)
class Dominators:
    """``immediate[i]`` is the immediate dominator of node *i*; -1: only the whole heap dominates it.

    ``retained_bytes[i]`` is what would be freed if every path through *i* were gone, itself included.
    """

    immediate: Ints
    retained_bytes: Ints


def dominators(graph: Graph, roots: list[int]) -> Dominators:
    """Compute dominators from a virtual root with an edge to each of ``roots``.

    Nodes no root reaches get -1 and their shallow size. Near linear in edges; peak memory is about
    12 lists of one machine word per node or edge.
    """
    flow = _Flow(graph.node_count, graph.edge_start.tolist(), graph.edge_target.tolist(), roots)
    idom = flow.immediate_dominators()
    order = flow.order
    retained = graph.size_bytes.tolist()
    immediate = [-1] * graph.node_count
    for number in range(len(order) - 1, 0, -1):
        above = idom[number]
        if above > 0:
            immediate[order[number]] = order[above]
            retained[order[above]] += retained[order[number]]
    return Dominators(np.array(immediate, dtype=np.int64), np.array(retained, dtype=np.int64))


class _Flow:
    """A depth-first numbering from the virtual root, number 0."""

    def __init__(self, nodes: int, start: list[int], target: list[int], roots: list[int]) -> None:
        self.order = [-1]  # number -> node
        self.number = [0] * nodes  # node -> number; 0: not reached
        self.tree_parent = [0]
        stack = [(root, 0) for root in reversed(roots)]
        predecessors: list[list[int]] = [[]]
        while stack:
            node, origin = stack.pop()
            known = self.number[node]
            if known:
                predecessors[known].append(origin)
                continue
            number = self.number[node] = len(self.order)
            self.order.append(node)
            self.tree_parent.append(origin)
            predecessors.append([origin])
            stack.extend((target[edge], number) for edge in range(start[node + 1] - 1, start[node] - 1, -1))
        self.predecessors = predecessors

    def immediate_dominators(self) -> list[int]:
        """By number; entry 0 is the virtual root."""
        count = len(self.order)
        semi = list(range(count))
        label = list(range(count))
        ancestor = list(self.tree_parent)
        for number in range(count - 1, 0, -1):
            best = semi[number]
            for origin in self.predecessors[number]:
                if origin > number:
                    _compress(origin, number, ancestor, label, semi)
                    origin = label[origin]
                best = min(best, semi[origin])
            semi[number] = best
        idom = list(self.tree_parent)
        for number in range(1, count):
            above = idom[number]
            while above > semi[number]:
                above = idom[above]
            idom[number] = above
        return idom


def _compress(node: int, last: int, ancestor: list[int], label: list[int], semi: list[int]) -> None:
    """Shorten the path above ``node`` to the part already linked (numbers above ``last``)."""
    path = []
    while ancestor[node] > last:
        path.append(node)
        node = ancestor[node]
    top = node
    for below in reversed(path):
        if semi[label[top]] < semi[label[below]]:
            label[below] = label[top]
        ancestor[below] = ancestor[top]
        top = below
