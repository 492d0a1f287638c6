"""Where an object is at home: the variable of the code that defines it, rather than somebody's who imported it.

A nearest path may begin at any module that happens to refer to an object of a library (``log = logging.getLogger()``
leads to the table of all loggers). What a programmer looks for is the library's own name for it, or, of a container
that several modules import from each other, the name where it was made.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from labkit.heap.graph import Graph, Ints
from labkit.heap.libraries import Libraries
from labkit.heap.roots import Roots
from labkit.store import layout


class Homes:
    """The variables of all modules of one heap, and the attributes of the classes they define."""

    def __init__(self, graph: Graph, roots: Roots, libraries: Libraries) -> None:
        self._graph = graph
        self._libraries = libraries
        self._module: dict[int, str] = {}  # of each namespace
        modules = [node for node, kind in zip(roots.node, roots.kind, strict=True) if kind == "module"]
        edges = [edge for module in modules for edge in self._namespace(module, graph.own_name(module))]
        for kind, module in dict(self._classes(edges)).items():
            edges += self._namespace(kind, module)
        self._edges: Ints = np.array(edges, np.int64)
        self._targets = graph.edge_target[self._edges]

    def edge_to(self, node: int, reached_by: int) -> int | None:
        """The edge by which the code that defines ``node`` itself refers to it; None where that is ``reached_by``.

        For an object of a class: a variable of the module of that class, or of a package around it, or an attribute of
        a class there. For a container without a class of its own that is a variable: one of a library rather than of
        the app, and of a module rather than of the package around it.
        """
        now = self._module.get(self._graph.source_of(reached_by), "") if reached_by >= 0 else ""
        edges = self._edges[self._targets == node].tolist()
        kind = self._graph.type_of(node)
        if "." in kind:
            fits = [edge for edge in edges if _is_within(kind, self._module_of(edge))]
            best = max(fits, key=lambda edge: len(self._module_of(edge)), default=None)
            return None if best is None or now == self._module_of(best) else best
        fits = [edge for edge in edges if now and self._is_nearer(self._module_of(edge), now)]
        return max(fits, key=lambda edge: self._rank(self._module_of(edge)), default=None)

    def _is_nearer(self, module: str, now: str) -> bool:
        if self._libraries.owns(module) != self._libraries.owns(now):
            return self._libraries.owns(module)
        return module != now and _is_within(module, now)

    def _rank(self, module: str) -> tuple[bool, int]:
        return self._libraries.owns(module), len(module)

    def _module_of(self, edge: int) -> str:
        return self._module[self._graph.source_of(edge)]

    def _namespace(self, node: int, module: str) -> Iterator[int]:
        graph = self._graph
        for edge in graph.edges_of(node):
            if graph.edge_kind[edge] == layout.INTERNAL and graph.label_of(edge) == "__dict__":
                space = int(graph.edge_target[edge])
                self._module[space] = module
                yield from graph.edges_of(space)

    def _classes(self, variables: list[int]) -> Iterator[tuple[int, str]]:
        """What is a variable of the module that it says it is from."""
        graph = self._graph
        for edge in variables:
            node = int(graph.edge_target[edge])
            own = graph.own_name(node)
            if own and own.rpartition(".")[0] == self._module_of(edge):
                yield node, self._module_of(edge)


def _is_within(name: str, module: str) -> bool:
    return name == module or name.startswith(module + ".")
