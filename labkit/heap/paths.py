"""The nearest path from a root to every object, with a fixed order of preference among roots.

A breadth-first search in stages: modules are followed to the end before thread frames, those before
static types, then what is held from C, and last the garbage no root reaches. Within a stage the path
with the fewest references wins; ties go to the root and edge recorded first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from labkit.heap.graph import Graph, Rows
from labkit.heap.homes import Homes
from labkit.heap.kernels import loops
from labkit.heap.libraries import Libraries
from labkit.heap.roots import GARBAGE, HELD_FROM_C, Roots, named_roots, reference_gaps

#: How many steps from a root an object may be to be looked for at home; a chain of objects has no end.
NEAR_THE_ROOT = 12


@dataclass(frozen=True)
class PathTree:
    """Arrays of shape (nodes,). ``parent_edge[i]`` is the edge that reaches node *i*, -1 for roots.

    ``order`` lists parents before children; ``root_of[i]`` is a row in ``roots``.
    """

    graph: Graph
    roots: Roots
    order: Rows
    parent: Rows
    parent_edge: Rows
    root_of: Rows

    def chain(self, node: int) -> list[tuple[int, int]]:
        """``[(edge, node)]`` from the root (edge -1) down to ``node``.

        It is the nearest path, unless something near its root is at home elsewhere: see ``Homes``.
        """
        steps = self._nearest(node)
        for place in range(min(len(steps), NEAR_THE_ROOT) - 1, 0, -1):
            edge, here = steps[place]
            home = self._homes.edge_to(here, edge)
            above = self._nearest(self.graph.source_of(home)) if home is not None else []
            if home is not None and all(node != here for _, node in above):
                return [*above, (home, here), *steps[place + 1 :]]
        return steps

    def _nearest(self, node: int) -> list[tuple[int, int]]:
        steps = []
        while True:
            steps.append((int(self.parent_edge[node]), int(node)))
            if self.parent_edge[node] < 0:
                return steps[::-1]
            node = int(self.parent[node])

    @cached_property
    def _homes(self) -> Homes:
        return Homes(self.graph, self.roots, self.libraries)

    @cached_property
    def libraries(self) -> Libraries:
        """Whose code the classes and modules of the heap are."""
        return Libraries(self.graph)

    def root_kind(self, node: int) -> str:
        """The kind of the root the node's nearest path begins at."""
        return self.roots.kind[int(self.root_of[node])]


def nearest_paths(graph: Graph, cut: Iterable[int] = ()) -> PathTree:
    """Compute the tree of nearest paths; every node is in it. Linear in nodes and edges.

    The references of the nodes in ``cut`` are not followed: what hangs from them alone is then garbage.
    """
    roots = named_roots(graph)
    named = len(roots.node)
    stages = np.cumsum([row > 0 and roots.kind[row] != roots.kind[row - 1] for row in range(named)], dtype=np.int32)
    order, parent, parent_edge, root_of = (np.full(graph.node_count, -1, np.int32) for _ in range(4))
    held_from_c = loops.nearest(
        graph.edge_start,
        _targets_without(graph, cut),
        np.array(roots.node, np.int32),
        stages,
        (reference_gaps(graph) > 0).view(np.uint8),
        order,
        parent,
        parent_edge,
        root_of,
    )
    unnamed = order[(parent_edge[order] < 0) & (root_of[order] >= named)]
    for place, node in enumerate(unnamed.tolist()):
        roots.add(node, HELD_FROM_C if place < held_from_c else GARBAGE, "")
    return PathTree(graph, roots, order, parent, parent_edge, root_of)


def _targets_without(graph: Graph, cut: Iterable[int]) -> npt.NDArray[np.uint32]:
    """The targets of all edges, those that leave a node of ``cut`` bent back to it."""
    targets = graph.edge_target
    for number, node in enumerate(cut):
        targets = targets if number else targets.copy()
        targets[graph.edge_start[node] : graph.edge_start[node + 1]] = node
    return targets
