"""A heap as a networkx graph, for questions labkit has no answer to."""

from __future__ import annotations

from typing import Any

from labkit.exchange.columns import optional, to_columns
from labkit.heap.image import HeapImage


def to_networkx(image: HeapImage) -> Any:
    """A ``networkx.MultiDiGraph``: a node per object, an edge per reference, parallel ones kept.

    Nodes are rows with ``type``, ``name``, ``shallow_size_bytes``, ``retained_size_bytes`` and
    ``immediate_dominator``; edges have ``kind`` and ``name``; ``graph.graph["roots"]`` lists the roots.
    About 1 kB of memory per object: meant for heaps of some hundred thousand. Raises MissingLibrary
    without networkx.
    """
    networkx = optional("networkx", "networkx graphs", "install networkx, or use to_columns(), which needs nothing")
    tables = to_columns(image)
    graph = networkx.MultiDiGraph(roots=sorted(set(image.roots.tolist())))
    facts = {name: column.tolist() for name, column in tables["nodes"].items()}
    names = [name for name in facts if name != "node"]
    for values in zip(facts["node"], *(facts[name] for name in names), strict=True):
        graph.add_node(values[0], **dict(zip(names, values[1:], strict=True)))
    edges = tables["edges"]
    rows = zip(*(edges[name].tolist() for name in ("source", "target", "kind", "name")), strict=True)
    graph.add_edges_from((source, target, {"kind": kind, "name": name}) for source, target, kind, name in rows)
    return graph
