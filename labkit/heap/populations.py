"""Path populations: objects grouped by the folded path that holds them, comparable across snapshots.

Addresses are reused at once, so objects cannot be followed from one snapshot to the next; the
population ``myapp.store.SESSIONS -> dict[*] -> Session`` can. Folding keeps the names of namespaces
(modules, classes, instances, locals, closures), drops keys and positions of containers, and closes
repetition: a linked list of any length is one population. Classes, functions and modules in a container are one
population, and so is what they consist of, whatever their names: made while serving, each has a new one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labkit.heap.graph import Graph
from labkit.heap.kernels import loops
from labkit.heap.paths import PathTree
from labkit.store import layout

#: A step that recurs within this many steps above is the same population (list nodes, tree nodes).
FOLD_WITHIN = 8
#: Types whose own name says where somebody is, and not which one of many this is.
NAMED_PLACES = ("code", "frame")
UNNAMED_EDGES = ("[*]", "key")
NAMED_EDGES = (".", "local ", "closure ")
#: Parts of objects that say nothing about whose parts they are.
PARTS = ("dict", "tuple", "cell")
NAMED_KINDS = (layout.ATTRIBUTE, layout.LOCAL, layout.CLOSURE, layout.INTERNAL)

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Population:
    """One step of a folded path: ``parent`` is a population's number, -1 for a root."""

    parent: int
    edge: str
    type: str
    name: str
    depth: int


class Populations:
    """The populations of several snapshots under one numbering; ``rows[i]`` describes number *i*.

    Parents have smaller numbers than their children.
    """

    def __init__(self) -> None:
        self.rows: list[Population] = []
        self._number: dict[tuple[int, str, str, str], int] = {}
        self._nameless: set[int] = set()

    def fold(self, tree: PathTree) -> Counts:
        """Assign every node of ``tree`` to a population; return their numbers, shape (nodes,)."""
        graph = tree.graph
        steps = _folded_steps(tree)
        # memory views: single items of NumPy arrays are slow to read
        kinds, edges = graph.edge_kind.data, tree.parent_edge.data
        labels, folded = graph.snapshot.labels, steps.data
        columns, types = graph.snapshot.columns, graph.snapshot.types
        type_rows, name_rows = columns["node_type"].data, columns["node_name"].data
        numbers = np.zeros(graph.node_count, np.int32)

        def ask(node: int, above: int) -> int:
            name = labels[name_rows[node]] if name_rows[node] >= 0 else ""
            if above < 0:
                return self._find(-1, _root_text(tree, node), types[type_rows[node]], name)
            label = (folded[node] & _LABEL_BITS) - 1
            text = edge_text(kinds[edges[node]], labels[label] if label >= 0 else "")
            kind = types[type_rows[node]]
            if above in self._nameless or (text in UNNAMED_EDGES and name and kind not in NAMED_PLACES):
                number = self._find(above, text, kind, "")
                self._nameless.add(number)
                return number
            return self._find(above, text, kind, name)

        loops.fold(tree.order, tree.parent, steps, _things(graph), numbers, ask)
        return numbers.astype(np.int64)

    def path(self, number: int) -> list[Population]:
        """The steps from the root down to population ``number``."""
        steps = []
        while number >= 0:
            steps.append(self.rows[number])
            number = self.rows[number].parent
        return steps[::-1]

    def children(self) -> list[list[int]]:
        """Children of each population."""
        found: list[list[int]] = [[] for _ in self.rows]
        for number, row in enumerate(self.rows):
            if row.parent >= 0:
                found[row.parent].append(number)
        return found

    def _find(self, parent: int, edge: str, kind: str, name: str) -> int:
        key = (parent, edge, kind, name)
        number = self._number.get(key)
        if number is None:
            number = self._repeated(parent, edge, kind, name)
            if number is None:
                number = len(self.rows)
                depth = self.rows[parent].depth + 1 if parent >= 0 else 0
                self.rows.append(Population(parent, edge, kind, name, depth))
            self._number[key] = number
        return number

    def _repeated(self, parent: int, edge: str, kind: str, name: str) -> int | None:
        """The nearest population above that is the same step, if the path repeats itself.

        A named step (``.next``) repeats when it recurs below an owner of the same kind; one without a name
        (``[*]``) may be a container in a container, and repeats from its third time on.
        """
        if edge == "class" or (kind in PARTS and not edge.startswith(NAMED_EDGES) and edge not in UNNAMED_EDGES):
            return None
        unnamed = edge in UNNAMED_EDGES
        wanted = 2 if unnamed else 1
        above, nearest = parent, None
        for _ in range(FOLD_WITHIN):
            if above < 0 or wanted == 0:
                break
            row = self.rows[above]
            same = row.parent >= 0 and (row.edge, row.type, row.name) == (edge, kind, name)
            if same and (unnamed or self._owner(row.parent) == self._owner(parent)):
                nearest = above if nearest is None else nearest
                wanted -= 1
            above = row.parent
        return nearest if wanted == 0 else None

    def _owner(self, number: int) -> tuple[str, str]:
        """Type and name of what has the attributes: of an object's namespace, the object."""
        row = self.rows[number]
        if row.edge == "__dict__" and row.parent >= 0:
            row = self.rows[row.parent]
        return row.type, row.name


_LABEL_BITS = (1 << 40) - 1


def _folded_steps(tree: PathTree) -> Counts:
    """The edge that reaches each node as one number: its kind and, where the step keeps its name, the label plus 1."""
    graph, edges = tree.graph, tree.parent_edge
    reached = edges >= 0
    kind = np.where(reached, graph.edge_kind[edges] if len(graph.edge_kind) else 0, layout.UNKNOWN).astype(np.int64)
    label = np.where(reached, graph.edge_label[edges] if len(graph.edge_label) else -1, -1).astype(np.int64)
    is_namespace = reached & (kind == layout.INTERNAL)
    keeps_name = np.isin(kind, NAMED_KINDS) | ((kind == layout.VALUE) & is_namespace[tree.parent])
    steps: Counts = kind << 40 | np.where(keeps_name, label + 1, 0)
    return steps


def _things(graph: Graph) -> Counts:
    """Type and own name of each node as one number."""
    columns = graph.snapshot.columns
    things: Counts = columns["node_type"].astype(np.int64) << 32 | (columns["node_name"].astype(np.int64) + 1)
    return things


def _root_text(tree: PathTree, node: int) -> str:
    row = int(tree.root_of[node])
    kind, label = tree.roots.kind[row], tree.roots.label[row]
    if kind == "thread" and label != "main thread":
        label = "thread"  # threads come and go; their numbers mean nothing
    return f"{kind} {label}".strip()


def edge_text(kind: int, name: str) -> str:
    """How a folded reference is written: ``.name``, ``[*]``, ``key`` ..."""
    if kind == layout.VALUE and not name:
        return "[*]"
    if kind in (layout.INDEX, layout.ELEMENT):
        return "[*]"
    if kind == layout.KEY:
        return "key"
    if kind == layout.CLASS:
        return "class"
    if kind == layout.LOCAL:
        return f"local {name or '?'}"
    if kind == layout.CLOSURE:
        return f"closure {name or '?'}"
    if kind == layout.INTERNAL:
        return name or "internal"
    return f".{name}" if name else ".?"
