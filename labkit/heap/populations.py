"""Path populations: objects grouped by the folded path that holds them, comparable across snapshots.

Addresses are reused at once, so objects cannot be followed from one snapshot to the next; the
population ``myapp.store.SESSIONS -> dict[*] -> Session`` can. Folding keeps the names of namespaces
(modules, classes, instances, locals, closures), drops keys and positions of containers, and closes
repetition: a linked list of any length is one population.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labkit.heap.graph import Graph
from labkit.heap.paths import PathTree
from labkit.store import layout

#: A step that recurs within this many steps above is the same population (list nodes, tree nodes).
FOLD_WITHIN = 8
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

    def fold(self, tree: PathTree) -> Counts:
        """Assign every node of ``tree`` to a population; return their numbers, shape (nodes,)."""
        graph = tree.graph
        steps = _Steps(graph)
        number_of = [0] * graph.node_count
        below: dict[tuple[int, int, int], int] = {}
        for node in tree.order:
            edge = tree.parent_edge[node]
            if edge < 0:
                text = _root_text(tree, node)
                number_of[node] = self._find(-1, text, graph.type_of(node), graph.own_name(node))
                continue
            label = steps.edge(edge, tree)
            key = (number_of[tree.parent[node]], label, steps.things[node])
            number = below.get(key)
            if number is None:
                number = self._find(key[0], steps.texts[label], graph.type_of(node), graph.own_name(node))
                below[key] = number
            number_of[node] = number
        return np.array(number_of, dtype=np.int64)

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


class _Steps:
    """Small integers for folded edges and node kinds of one snapshot."""

    def __init__(self, graph: Graph) -> None:
        columns = graph.snapshot.columns
        self.graph = graph
        self.kinds: list[int] = graph.edge_kind.tolist()
        self.labels: list[int] = graph.edge_label.tolist()
        self.targets: list[int] = graph.edge_target.tolist()
        names = columns["node_name"].astype(np.int64)
        self.things: list[int] = (columns["node_type"].astype(np.int64) << 32 | (names + 1)).tolist()
        self.texts: dict[int, str] = {}

    def edge(self, edge: int, tree: PathTree) -> int:
        """Folded edge in one number; its text is in ``texts``."""
        kind, label = self.kinds[edge], self.labels[edge]
        keeps_name = kind in NAMED_KINDS
        if kind == layout.VALUE:
            keeps_name = self._is_namespace(tree.parent[self.targets[edge]], tree)
        folded = kind << 40 | ((label + 1) if keeps_name else 0)
        if folded not in self.texts:
            named = self.graph.snapshot.labels[label] if keeps_name and label >= 0 else ""
            self.texts[folded] = edge_text(kind, named)
        return folded

    def _is_namespace(self, node: int, tree: PathTree) -> bool:
        edge = tree.parent_edge[node]
        return edge >= 0 and self.kinds[edge] == layout.INTERNAL


def _root_text(tree: PathTree, node: int) -> str:
    row = tree.root_of[node]
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
