"""Roots of a CPython heap: those with a name, completed by what reference counts prove.

CPython has no table of roots. Its own collector calls an object reachable from outside when its
reference count exceeds the references found inside (InternalDocs/garbage_collector.md). We first
follow the roots that have a name (modules, thread frames, static types); an object none of them
reaches, whose count shows a reference we have not seen, is held from C. What is left after that is
garbage waiting for the collector.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labkit.heap.graph import Graph, Ints
from labkit.store import layout

HELD_FROM_C = "held-from-c"
GARBAGE = "garbage"

#: Of these a gap in the reference count proves nothing: the interpreter keeps counted references to
#: them that no traversal shows (interned names, constants, type caches).
GAP_PROVES_NOTHING = frozenset({"str", "int", "float", "bytes", "code", "tuple", "type", "NoneType", "bool"})


@dataclass(frozen=True)
class Roots:
    """Ordered roots; ``node``, ``kind`` and ``label`` run in parallel. Earlier roots are preferred."""

    node: list[int]
    kind: list[str]
    label: list[str]

    def add(self, node: int, kind: str, label: str) -> None:
        """Append a root."""
        self.node.append(node)
        self.kind.append(kind)
        self.label.append(label)


def named_roots(graph: Graph) -> Roots:
    """The roots the walker found, modules first, then threads, then static types."""
    columns = graph.snapshot.columns
    order = np.argsort(columns["root_kind"], kind="stable")
    labels = graph.snapshot.labels
    return Roots(
        [int(columns["root_node"][row]) for row in order],
        [layout.ROOT_KINDS[int(columns["root_kind"][row])] for row in order],
        [labels[int(columns["root_label"][row])] for row in order],
    )


def reference_gaps(graph: Graph) -> Ints:
    """Reference count minus references seen, shape (nodes,); 0 where the object is immortal."""
    gaps = graph.in_degree()
    np.subtract(graph.refcount, gaps, out=gaps)
    gaps[graph.refcount < 0] = 0
    return np.maximum(gaps, 0, out=gaps)


def held_from_c(graph: Graph) -> Ints:
    """Nodes whose reference count proves a holder the walk has not seen, shape (n,)."""
    kinds = graph.snapshot.types
    telling = np.array([name not in GAP_PROVES_NOTHING for name in kinds], dtype=bool)
    gaps = reference_gaps(graph)
    return np.flatnonzero((gaps > 0) & telling[graph.snapshot.columns["node_type"]])
