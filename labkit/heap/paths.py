"""The nearest path from a root to every object, with a fixed order of preference among roots.

A breadth-first search in stages: modules are followed to the end before thread frames, those before
static types, then what is held from C, and last the garbage no root reaches. Within a stage the path
with the fewest references wins; ties go to the root and edge recorded first.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from labkit.heap.graph import Graph
from labkit.heap.roots import GARBAGE, HELD_FROM_C, Roots, named_roots, reference_gaps

UNREACHED = -1


@dataclass(frozen=True)
class PathTree:
    """``parent_edge[i]`` is the edge that reaches node *i*, -1 for roots; ``order`` lists parents first.

    ``root_of[i]`` is a row in ``roots``.
    """

    graph: Graph
    roots: Roots
    order: list[int]
    parent: list[int]
    parent_edge: list[int]
    root_of: list[int]

    def chain(self, node: int) -> list[tuple[int, int]]:
        """``[(edge, node)]`` from the root (edge -1) down to ``node``."""
        steps = []
        while True:
            steps.append((self.parent_edge[node], node))
            if self.parent_edge[node] < 0:
                return steps[::-1]
            node = self.parent[node]

    def root_kind(self, node: int) -> str:
        """The kind of the root the node's nearest path begins at."""
        return self.roots.kind[self.root_of[node]]


def nearest_paths(graph: Graph) -> PathTree:
    """Compute the tree of nearest paths; every node is in it. Linear in nodes and edges."""
    roots = named_roots(graph)
    search = _Search(graph, roots)
    for _, rows in groupby(range(len(roots.node)), key=lambda row: roots.kind[row]):
        search.run(list(rows))
    gaps = reference_gaps(graph).tolist()
    for kind, wanted in ((HELD_FROM_C, True), (GARBAGE, False)):
        for node in range(graph.node_count):
            if search.root_of[node] == UNREACHED and (gaps[node] > 0) is wanted:
                roots.add(node, kind, "")
                search.run([len(roots.node) - 1])
    return PathTree(graph, roots, search.order, search.parent, search.parent_edge, search.root_of)


class _Search:
    def __init__(self, graph: Graph, roots: Roots) -> None:
        self.start = graph.edge_start.tolist()
        self.target = graph.edge_target.tolist()
        self.roots = roots
        self.order: list[int] = []
        self.parent = [UNREACHED] * graph.node_count
        self.parent_edge = [-1] * graph.node_count
        self.root_of = [UNREACHED] * graph.node_count

    def run(self, rows: list[int]) -> None:
        """Follow the roots in ``rows`` together to the end."""
        start, target, order = self.start, self.target, self.order
        parent, parent_edge, root_of = self.parent, self.parent_edge, self.root_of
        done = len(order)
        for row in rows:
            node = self.roots.node[row]
            if root_of[node] == UNREACHED:
                root_of[node] = row
                order.append(node)
        while done < len(order):
            node = order[done]
            done += 1
            for edge in range(start[node], start[node + 1]):
                child = target[edge]
                if root_of[child] == UNREACHED:
                    root_of[child] = root_of[node]
                    parent[child] = node
                    parent_edge[child] = edge
                    order.append(child)
