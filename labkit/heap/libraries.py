"""What in a heap is somebody else's code, and which of its classes are containers."""

from __future__ import annotations

import sys

from labkit.heap.graph import Graph
from labkit.store import layout

#: By one of these, things are put into an instance of a class that has it.
PUTTING_IN = frozenset(
    ("__setitem__", "add", "append", "appendleft", "enqueue", "insert", "push", "put", "put_nowait", "register", "set")
)


class Libraries:
    """The packages of one snapshot that are not the app's: the standard library, and what lies in library folders."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        told = graph.snapshot.header.get("libraries")  # older files do not say
        names = {name for name in told if isinstance(name, str)} if isinstance(told, list) else None
        self._packages = sys.stdlib_module_names if names is None else names

    def owns(self, dotted: str) -> bool:
        """Whether a module, class or function of this name is a library's; a name without a dot may be a module's."""
        return dotted.partition(".")[0] in self._packages

    def is_container(self, node: int) -> bool:
        """Whether the class of ``node``, or one it derives from, has a method that puts things in."""
        graph = self._graph
        kinds = self._targets(node, layout.CLASS)
        orders = [order for kind in kinds for order in self._targets(kind, layout.INTERNAL, "__mro__")]
        classes = [kind for order in orders for kind in self._targets(order, layout.INDEX)]
        spaces = [space for kind in classes for space in self._targets(kind, layout.INTERNAL, "__dict__")]
        return any(graph.label_of(edge) in PUTTING_IN for space in spaces for edge in graph.edges_of(space))

    def _targets(self, node: int, kind: int, label: str = "") -> list[int]:
        graph = self._graph
        return [
            int(graph.edge_target[edge])
            for edge in graph.edges_of(node)
            if graph.edge_kind[edge] == kind and (not label or graph.label_of(edge) == label)
        ]
