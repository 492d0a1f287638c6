"""One snapshot as it is asked questions: its graph, paths, roots and dominators, each computed once."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from labkit.heap.dominators import Dominators, dominators
from labkit.heap.graph import Graph, Ints
from labkit.heap.paths import PathTree, nearest_paths
from labkit.heap.roots import held_from_c
from labkit.store.snapshot import Snapshot


class HeapImage:
    """What several views of one heap share; nothing is computed before it is asked for."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.graph = Graph(snapshot)

    @cached_property
    def tree(self) -> PathTree:
        """The nearest path from a root to every node."""
        return nearest_paths(self.graph)

    @cached_property
    def roots(self) -> Ints:
        """All roots, named and concluded, shape (roots,); from them every node is reached.

        Those of ``tree`` come first, in their order; then what is held from C and has a named path as well.
        """
        return np.concatenate((np.array(self.tree.roots.node, dtype=np.int64), held_from_c(self.graph)))

    @cached_property
    def dominators(self) -> Dominators:
        """Immediate dominators and retained sizes from ``roots``."""
        return dominators(self.graph, self.roots.tolist())
