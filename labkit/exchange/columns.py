"""A heap as plain columns, for whatever reads columns; as Arrow tables where pyarrow is installed."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from labkit.errors import MissingLibrary
from labkit.heap.image import HeapImage
from labkit.store import layout
from labkit.store.snapshot import Column

Columns = dict[str, dict[str, Column]]


def to_columns(image: HeapImage) -> Columns:
    """Two tables of NumPy columns: ``nodes`` (shape (nodes,)) and ``edges`` (shape (edges,)).

    ``nodes``: ``node``, ``type``, ``name``, ``shallow_size_bytes``, ``retained_size_bytes``,
    ``immediate_dominator`` (-1: none). ``edges``: ``source``, ``target``, ``kind``, ``name`` (a position
    is its digits). Texts are columns of Python strings; an empty one means there is no name.
    """
    graph, snapshot = image.graph, image.graph.snapshot
    types = np.array(snapshot.types, dtype=object)
    labels = np.array([*snapshot.labels, ""], dtype=object)  # row -1 is the empty one
    kinds = np.array(layout.EDGE_KINDS, dtype=object)
    is_position = graph.edge_kind == layout.INDEX
    names = labels[np.where(is_position, -1, graph.edge_label)]
    names[is_position] = [str(position) for position in graph.edge_label[is_position].tolist()]
    nodes = {
        "node": np.arange(graph.node_count),
        "type": types[snapshot.columns["node_type"]],
        "name": labels[snapshot.columns["node_name"]],
        "shallow_size_bytes": graph.size_bytes,
        "retained_size_bytes": image.dominators.retained_bytes,
        "immediate_dominator": image.dominators.immediate,
    }
    edges = {"source": graph.edge_source, "target": graph.edge_target, "kind": kinds[graph.edge_kind], "name": names}
    return {"nodes": nodes, "edges": edges}


def to_arrow(image: HeapImage) -> dict[str, Any]:
    """The tables of ``to_columns`` as ``pyarrow.Table``; raises MissingLibrary without pyarrow."""
    arrow = optional("pyarrow", "Arrow tables", "to_columns() gives the same as NumPy columns, without pyarrow")
    return {name: arrow.table(table) for name, table in to_columns(image).items()}


def optional(library: str, makes: str, otherwise: str) -> Any:
    """The library, which labkit does not bring; raises MissingLibrary when it is not there."""
    try:
        return importlib.import_module(library)
    except ImportError:
        raise MissingLibrary(
            f"{makes} need {library}, which is not installed.", seen=f"no module {library}", hint=otherwise
        ) from None
