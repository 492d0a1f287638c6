"""One snapshot as a directed graph: node *i* is row *i* of the snapshot, edges are CSR rows."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from labkit.heap.kernels import loops
from labkit.store import layout
from labkit.store.snapshot import Snapshot

Ints = npt.NDArray[np.int64]
#: Rows of nodes or edges; a snapshot has less than 2**31 of each.
Rows = npt.NDArray[np.int32]


class Graph:
    """Rows are thin views over the snapshot's columns; nothing is copied until it is asked for."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        columns = snapshot.columns
        self.node_count = snapshot.node_count
        self.size_bytes: Ints = columns["node_size"].view(np.int64)
        self.refcount: Ints = columns["node_refcount"]
        self.edge_start: Ints = columns["edge_start"].view(np.int64)
        self.edge_target: npt.NDArray[np.uint32] = columns["edge_target"]
        self.edge_kind: npt.NDArray[np.uint8] = columns["edge_kind"]
        self.edge_label: Rows = columns["edge_label"]

    @cached_property
    def edge_source(self) -> Rows:
        """Source node of each edge, shape (edges,)."""
        return np.repeat(np.arange(self.node_count, dtype=np.int32), np.diff(self.edge_start))

    def in_degree(self) -> Ints:
        """Number of edges into each node, parallel edges counted, shape (nodes,); made anew, rather than kept."""
        return np.bincount(self.edge_target, minlength=self.node_count).astype(np.int64, copy=False)

    @cached_property
    def incoming(self) -> tuple[Ints, Rows]:
        """``(start, edges)``: the edge rows into node *i* are ``edges[start[i]:start[i + 1]]``."""
        start, edges = np.zeros(self.node_count + 2, np.int64), np.empty(len(self.edge_target), np.int32)
        loops.incoming(self.edge_start, self.edge_target, start, edges)
        return start[:-1], edges

    def type_of(self, node: int) -> str:
        """The node's type, ``module.qualname`` (no module for builtins)."""
        return self.snapshot.types[int(self.snapshot.columns["node_type"][node])]

    def own_name(self, node: int) -> str:
        """The own name of a module, class, function or frame; empty for everything else."""
        row = int(self.snapshot.columns["node_name"][node])
        return self.snapshot.labels[row] if row >= 0 else ""

    def label_of(self, edge: int) -> str:
        """The edge's name: an attribute or key name, a position, or empty."""
        row = int(self.edge_label[edge])
        if row < 0:
            return ""
        return str(row) if self.edge_kind[edge] == layout.INDEX else self.snapshot.labels[row]

    def source_of(self, edge: int) -> int:
        """The node one edge leaves; for many edges there is ``edge_source``."""
        return int(np.searchsorted(self.edge_start, edge, side="right")) - 1

    def edges_of(self, node: int) -> range:
        """Edge rows that leave ``node``."""
        return range(int(self.edge_start[node]), int(self.edge_start[node + 1]))
