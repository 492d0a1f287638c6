"""Small heaps drawn in text, as graphs: ``A.x -> B`` is a reference from A to B by the attribute x."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from labkit.agent import layout
from labkit.heap.graph import Graph
from labkit.store.snapshot import Snapshot

EDGE = re.compile(r"(\w+)(\S*) -> (\w+)")
Roots = Sequence[tuple[str, str]]


def draw(
    text: str,
    *,
    roots: Roots = (),
    types: Mapping[str, str] | None = None,
    sizes: Mapping[str, int] | None = None,
    extra_refs: Mapping[str, int] | None = None,
    own_names: Mapping[str, str] | None = None,
) -> Graph:
    """Read edges ``A.name -> B`` (attribute), ``A[3] -> B`` (position), ``A['k'] -> B`` (dict value),
    ``A{x} -> B`` (closure), ``A(x) -> B`` (local), ``A<x> -> B`` (internal part), ``A@ -> B`` (class),
    ``A -> B`` (unnamed).

    ``roots`` are ``(node, kind)``; a node's reference count is its in-degree, its place as a root, and
    ``extra_refs``. Types default to ``object``, sizes to 10.
    """
    edges = [match.groups() for match in EDGE.finditer(text)]
    names = sorted({name for a, _, b in edges for name in (a, b)} | {node for node, _ in roots})
    row = {name: place for place, name in enumerate(names)}
    labels: list[str] = []
    rows = sorted(((row[a], *_kind_and_label(mark, labels), row[b]) for a, mark, b in edges), key=lambda one: one[0])
    kinds = sorted({(types or {}).get(name, "object") for name in names})
    counts = np.bincount([target for *_, target in rows], minlength=len(names))
    for node, number in (extra_refs or {}).items():
        counts[row[node]] += number
    starts = np.concatenate(([0], np.cumsum(np.bincount([source for source, *_ in rows], minlength=len(names)))))
    columns = {
        "node_address": np.arange(len(names)) * 64 + 4096,
        "node_type": [kinds.index((types or {}).get(name, "object")) for name in names],
        "node_size": [(sizes or {}).get(name, 10) for name in names],
        "node_refcount": counts,
        "node_name": [_label((own_names or {}).get(name), labels) for name in names],
        "node_site": [-1] * len(names),
        "edge_start": starts,
        "edge_target": [target for *_, target in rows],
        "edge_kind": [kind for _, kind, _, _ in rows],
        "edge_label": [label for _, _, label, _ in rows],
        "root_node": [row[node] for node, _ in roots],
        "root_kind": [layout.ROOT_KINDS.index(kind) for _, kind in roots],
        "root_label": [_label(node, labels) for node, _ in roots],
        "copy_node": [],
        "copy_of": [],
    }
    typed = {name: np.array(column, dtype=layout.COLUMNS[name][0]) for name, column in columns.items()}
    graph = Graph(Snapshot(Path("drawn"), {}, kinds, labels, [], typed))
    graph.names = names  # type: ignore[attr-defined]
    return graph


def node(graph: Graph, name: str) -> int:
    """The row of a drawn node."""
    place: int = graph.names.index(name)  # type: ignore[attr-defined]
    return place


def from_edges(count: int, edges: Sequence[tuple[int, int]], sizes: Sequence[int] | None = None) -> Graph:
    """A graph of ``count`` numbered nodes, every edge unnamed."""
    ordered = sorted(edges)
    out = np.bincount([a for a, _ in ordered], minlength=count) if ordered else np.zeros(count, int)
    columns: dict[str, object] = {name: [] for name in layout.COLUMNS}
    columns |= {
        "node_address": np.arange(count),
        "node_type": np.zeros(count, int),
        "node_size": sizes if sizes is not None else np.ones(count, int),
        "node_refcount": np.zeros(count, int),
        "node_name": -np.ones(count, int),
        "node_site": -np.ones(count, int),
        "edge_start": np.concatenate(([0], np.cumsum(out))),
        "edge_target": [b for _, b in ordered],
        "edge_kind": np.zeros(len(ordered), int),
        "edge_label": -np.ones(len(ordered), int),
    }
    typed = {name: np.array(column, dtype=layout.COLUMNS[name][0]) for name, column in columns.items()}
    return Graph(Snapshot(Path("numbers"), {}, ["object"], [], [], typed))


def _label(name: str | None, labels: list[str]) -> int:
    if name is None:
        return -1
    if name not in labels:
        labels.append(name)
    return labels.index(name)


def _kind_and_label(mark: str, labels: list[str]) -> tuple[int, int]:
    if mark.startswith("."):
        return layout.ATTRIBUTE, _label(mark[1:], labels)
    if mark.startswith("['"):
        return layout.VALUE, _label(mark[2:-2], labels)
    if mark.startswith("[*"):
        return layout.VALUE, -1
    if mark.startswith("["):
        return layout.INDEX, int(mark[1:-1])
    if mark.startswith("{"):
        return layout.CLOSURE, _label(mark[1:-1], labels)
    if mark.startswith("("):
        return layout.LOCAL, _label(mark[1:-1], labels)
    if mark.startswith("<"):
        return layout.INTERNAL, _label(mark[1:-1], labels)
    if mark == "@":
        return layout.CLASS, -1
    return layout.UNKNOWN, -1
