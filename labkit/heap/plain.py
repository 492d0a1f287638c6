"""The loops over heap graphs in plain Python: what ``_kernels.c`` is tested against, and its stand-in.

Same names, arguments and results as the compiled ones; arrays that receive results are filled in place. A graph
is compressed sparse rows: the edges of node *i* are ``start[i]`` up to ``start[i + 1]``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def nearest(
    start: Array,
    target: Array,
    root_node: Array,
    root_stage: Array,
    has_gap: Array,
    order: Array,
    parent: Array,
    parent_edge: Array,
    root_of: Array,
) -> int:
    """Staged breadth-first search; see ``labkit.heap.paths``. Fills the last four, which hold -1.

    Roots of one stage are followed together to the end; then each node not reached becomes a root of its own, those
    with a gap first. Returns the number of the former.
    """
    search = _Search(start.tolist(), target.tolist())
    nodes, stages = root_node.tolist(), root_stage.tolist()
    for row, node in enumerate(nodes):
        search.add(node, row)
        if row + 1 == len(nodes) or stages[row + 1] != stages[row]:
            search.run()
    following, with_gap = len(nodes), 0
    gaps = has_gap.tolist()
    for wanted in (1, 0):
        for node in range(len(gaps)):
            if search.root_of[node] < 0 and gaps[node] == wanted:
                search.add(node, following)
                search.run()
                following += 1
        if wanted:
            with_gap = following - len(nodes)
    order[:], parent[:], parent_edge[:], root_of[:] = search.order, search.parent, search.parent_edge, search.root_of
    return with_gap


class _Search:
    def __init__(self, start: list[int], target: list[int]) -> None:
        self.start, self.target = start, target
        nodes = len(start) - 1
        self.order: list[int] = []
        self.parent = [-1] * nodes
        self.parent_edge = [-1] * nodes
        self.root_of = [-1] * nodes
        self.done = 0

    def add(self, node: int, row: int) -> None:
        if self.root_of[node] < 0:
            self.root_of[node] = row
            self.order.append(node)

    def run(self) -> None:
        while self.done < len(self.order):
            node = self.order[self.done]
            self.done += 1
            for edge in range(self.start[node], self.start[node + 1]):
                child = self.target[edge]
                if self.root_of[child] < 0:
                    self.root_of[child] = self.root_of[node]
                    self.parent[child] = node
                    self.parent_edge[child] = edge
                    self.order.append(child)


def dominators(start: Array, target: Array, roots: Array, immediate: Array, retained: Array) -> None:
    """Semi-NCA; see ``labkit.heap.dominators``. ``retained`` holds shallow sizes and receives retained ones."""
    flow = _Flow(start.tolist(), target.tolist(), roots.tolist())
    above_of = flow.immediate_dominators()
    order = flow.order
    sizes: list[int] = retained.tolist()
    immediate[:] = -1
    for number in range(len(order) - 1, 0, -1):
        above = above_of[number]
        if above > 0:
            immediate[order[number]] = order[above]
            sizes[order[above]] += sizes[order[number]]
    retained[:] = sizes


class _Flow:
    """A depth-first numbering from the virtual root, number 0."""

    def __init__(self, start: list[int], target: list[int], roots: list[int]) -> None:
        self.order = [-1]  # number -> node
        self.number = [0] * (len(start) - 1)  # node -> number; 0: not reached
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


def fold(order: Array, parent: Array, step: Array, thing: Array, number: Array, ask: Callable[[int, int], int]) -> None:
    """Give every node the number of its parent's number, its step and its thing together; see ``populations``.

    ``ask(node, number of the parent or -1)`` is called for each combination not seen before, and for each root.
    """
    parents, steps, things = parent.tolist(), step.tolist(), thing.tolist()
    found = [0] * len(parents)
    known: dict[tuple[int, int, int], int] = {}
    for node in order.tolist():
        if parents[node] < 0:
            found[node] = ask(node, -1)
            continue
        key = (found[parents[node]], steps[node], things[node])
        if key not in known:
            known[key] = ask(node, key[0])
        found[node] = known[key]
    number[:] = found


def incoming(start: Array, target: Array, in_start: Array, in_edge: Array) -> None:
    """The edges into node *i* are ``in_edge[in_start[i]:in_start[i + 1]]``; ``in_start`` has nodes + 2 rows."""
    nodes = len(start) - 1
    in_edge[:] = np.argsort(target, kind="stable")
    in_start[1:-1] = np.cumsum(np.bincount(target, minlength=nodes))[:nodes]
    in_start[-1] = len(target)
