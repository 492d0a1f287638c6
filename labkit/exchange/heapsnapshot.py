"""V8's ``.heapsnapshot``, which Chrome DevTools' Memory panel and memlab open.

One JSON object: ``snapshot.meta`` names the fields, ``nodes`` and ``edges`` are flat lists of whole
numbers, ``strings`` is the table their names point into. The edges of a node follow those of the node
before it. The first node is the root; it refers to every module (so that DevTools counts distances from
them) and to ``(GC roots)``, whose groups refer to the other roots labkit knows, those it concluded from
reference counts included. All edges are strong: what a tool computes about dominators and retained sizes
is about the same graph.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np

from labkit.heap.graph import Graph, Ints
from labkit.heap.image import HeapImage
from labkit.heap.roots import GARBAGE, HELD_FROM_C, held_from_c
from labkit.store import layout
from labkit.store.beside import written_beside

NODE_FIELDS = ("type", "name", "id", "self_size", "edge_count", "trace_node_id", "detachedness")
NODE_TYPES = (
    *("hidden", "array", "string", "object", "code", "closure", "regexp", "number", "native", "synthetic"),
    *("concatenated string", "sliced string", "symbol", "bigint", "object shape"),
)
EDGE_FIELDS = ("type", "name_or_index", "to_node")
EDGE_TYPES = ("context", "element", "property", "internal", "hidden", "shortcut", "weak")
#: Python types that V8 has a word for; all others are ``object`` and grouped by their name.
TYPE_WORDS = {
    **dict.fromkeys(("str", "bytes"), "string"),
    **dict.fromkeys(("int", "float", "complex"), "number"),
    **dict.fromkeys(("function", "builtin_function_or_method", "method"), "closure"),
    "code": "code",
}
#: What a Python reference is called there, and the name it gets when it has none.
EDGE_WORDS = {
    layout.UNKNOWN: ("internal", "?"),
    layout.ATTRIBUTE: ("property", "?"),
    layout.KEY: ("internal", "key"),
    layout.VALUE: ("property", "[*]"),
    layout.INDEX: ("element", ""),
    layout.ELEMENT: ("internal", "[*]"),
    layout.LOCAL: ("context", "?"),
    layout.CLOSURE: ("context", "?"),
    layout.CLASS: ("internal", "class"),
    layout.INTERNAL: ("internal", "?"),
}
#: The nodes in front of a heap's own: row *i* of a snapshot is node *i* + 6.
ROOT, GC_ROOTS = 0, 1
GROUPS = {"thread": 2, "builtin-type": 3, HELD_FROM_C: 4, GARBAGE: 5}
SYNTHETIC = ("", "(GC roots)", "(thread frames)", "(builtin types)", "(held from C)", "(garbage)")
ROWS_AT_A_TIME = 1 << 15


def write_heapsnapshot(image: HeapImage, path: Path) -> None:
    """Write the whole heap to ``path``, beside first and then renamed.

    Node ids are ``2 * row + 13``. Sizes are bytes. Memory stays at the heap's own: numbers are written
    some ten thousand rows at a time. Raises CannotWrite.
    """
    writer = _Writer(image)
    with written_beside(path) as stream:
        writer.write(stream)


class _Writer:
    def __init__(self, image: HeapImage) -> None:
        self.graph = image.graph
        self.strings: list[str] = []
        self.rows: dict[str, int] = {}
        self.root_edges = _root_edges(image)
        self.label_rows = np.array([self._string(name) for name in [*self.graph.snapshot.labels, "?"]], dtype=np.int64)

    def write(self, stream: TextIO) -> None:
        meta = {
            "node_fields": NODE_FIELDS,
            "node_types": [NODE_TYPES, "string", *["number"] * (len(NODE_FIELDS) - 2)],
            "edge_fields": EDGE_FIELDS,
            "edge_types": [EDGE_TYPES, "string_or_number", "node"],
            "trace_function_info_fields": [],
            "trace_node_fields": [],
            "sample_fields": ["timestamp_us", "last_assigned_id"],
            "location_fields": ["object_index", "script_id", "line", "column"],
        }
        counts = {
            "node_count": len(SYNTHETIC) + self.graph.node_count,
            "edge_count": sum(map(len, self.root_edges)) + len(self.graph.edge_target),
            "trace_function_count": 0,
        }
        stream.write('{"snapshot":' + json.dumps({"meta": meta, **counts}, separators=(",", ":")))
        _write_list(stream, "nodes", self._nodes())
        _write_list(stream, "edges", self._edges())
        for name in ("trace_function_infos", "trace_tree", "samples", "locations"):
            stream.write(f',\n"{name}":[]')
        stream.write(',\n"strings":[')
        for row, text in enumerate(self.strings):
            stream.write((",\n" if row else "") + json.dumps(text))
        stream.write("]}\n")

    def _string(self, text: str) -> int:
        row = self.rows.setdefault(text, len(self.strings))
        if row == len(self.strings):
            self.strings.append(text)
        return row

    def _nodes(self) -> Iterator[Ints]:
        """Chunks of shape (rows, 7)."""
        graph, columns = self.graph, self.graph.snapshot.columns
        synthetic = NODE_TYPES.index("synthetic")
        yield np.array(
            [
                [synthetic, self._string(name), 2 * row + 1, 0, len(self.root_edges[row]), 0, 0]
                for row, name in enumerate(SYNTHETIC)
            ],
            dtype=np.int64,
        )
        words = np.array(
            [NODE_TYPES.index(TYPE_WORDS.get(name, "object")) for name in graph.snapshot.types], dtype=np.int64
        )
        names = np.array([self._string(name) for name in graph.snapshot.types], dtype=np.int64)
        for first in range(0, graph.node_count, ROWS_AT_A_TIME):
            rows = np.arange(first, min(first + ROWS_AT_A_TIME, graph.node_count))
            kinds = columns["node_type"][rows].astype(np.int64)
            shown = names[kinds]
            for place in np.flatnonzero(columns["node_name"][rows] >= 0).tolist():
                node = first + place
                shown[place] = self._string(f"{graph.type_of(node)} {graph.own_name(node)}")
            nothing = np.zeros_like(rows)
            edges = graph.edge_start[rows + 1] - graph.edge_start[rows]
            ids = 2 * (rows + len(SYNTHETIC)) + 1
            yield np.column_stack((words[kinds], shown, ids, graph.size_bytes[rows], edges, nothing, nothing))

    def _edges(self) -> Iterator[Ints]:
        """Chunks of shape (rows, 3); a target is the place of its first number among the nodes'."""
        graph, width = self.graph, len(NODE_FIELDS)
        for edges in self.root_edges:
            for name, target in edges:
                word = EDGE_TYPES.index("property" if isinstance(name, str) else "element")
                number = self._string(name) if isinstance(name, str) else name
                yield np.array([[word, number, target * width]], dtype=np.int64)
        words = np.array([EDGE_TYPES.index(EDGE_WORDS[kind][0]) for kind in sorted(EDGE_WORDS)], dtype=np.int64)
        unnamed = np.array([self._string(EDGE_WORDS[kind][1]) for kind in sorted(EDGE_WORDS)], dtype=np.int64)
        for first in range(0, len(graph.edge_target), ROWS_AT_A_TIME):
            rows = slice(first, first + ROWS_AT_A_TIME)
            kinds, labels = graph.edge_kind[rows], graph.edge_label[rows]
            is_position = kinds == layout.INDEX
            named = np.where(labels >= 0, self.label_rows[np.where(is_position, -1, labels)], unnamed[kinds])
            numbers = np.where(is_position, np.maximum(labels, 0), named)
            yield np.column_stack(
                (words[kinds], numbers, (graph.edge_target[rows].astype(np.int64) + len(SYNTHETIC)) * width)
            )


def _root_edges(image: HeapImage) -> list[list[tuple[str | int, int]]]:
    """The edges of each synthetic node: a name or a position, and the node they lead to."""
    edges: list[list[tuple[str | int, int]]] = [[] for _ in SYNTHETIC]
    roots = image.tree.roots
    rows = list(zip(roots.node, roots.kind, roots.label, strict=True))
    rows += [(node, HELD_FROM_C, "") for node in _not_yet(image.graph, rows)]
    for node, kind, label in rows:
        group = GROUPS.get(kind, ROOT)
        edges[group].append((label or len(edges[group]) + 1, node + len(SYNTHETIC)))
    edges[ROOT].append((1, GC_ROOTS))
    edges[GC_ROOTS] = [(place, group) for place, group in enumerate(GROUPS.values(), start=1)]
    return edges


def _not_yet(graph: Graph, rows: list[tuple[int, str, str]]) -> list[int]:
    """What is held from C and is not a root of that kind already."""
    known = {node for node, kind, _ in rows if kind == HELD_FROM_C}
    return [node for node in held_from_c(graph).tolist() if node not in known]


def _write_list(stream: TextIO, name: str, chunks: Iterator[Ints]) -> None:
    stream.write(f',\n"{name}":[')
    between = ""
    for chunk in chunks:
        stream.write(between + ",".join(map(str, chunk.ravel().tolist())))
        between = ",\n"
    stream.write("]")
