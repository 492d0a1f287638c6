"""One heap as tables and nodes: what is large, what holds it, what changed since another."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from labkit.errors import AnalysisError, NoSuchNode
from labkit.exchange import columns
from labkit.exchange.heapsnapshot import write_heapsnapshot
from labkit.exchange.networkx import to_networkx
from labkit.explore.nodes import Node, Nodes
from labkit.heap.copies import copies_by_population, copies_by_type
from labkit.heap.diff import changes_by_population, changes_by_type
from labkit.heap.image import HeapImage
from labkit.heap.naming import dotted_name
from labkit.heap.retained_sets import retained_by_type
from labkit.heap.slack import slack_by_type
from labkit.store.snapshot import read_snapshot
from labkit.views.names import shown
from labkit.views.units import bytes_text

if TYPE_CHECKING:
    import pandas as pd

WILDCARDS = frozenset("*?[")


def open_snapshot(path: str | Path) -> Heap:
    """Read and check the snapshot at ``path`` (a ``.heap`` file of a capture's ``heap`` folder).

    Raises NotASnapshot, TruncatedSnapshot, CorruptSnapshot, UnsupportedVersion or IncompleteWalk.
    """
    return Heap(HeapImage(read_snapshot(Path(path))))


class Heap:
    """The objects of one snapshot; paths and dominators are computed when they are first needed.

    ``heap[row]`` is the node of that row, ``len(heap)`` the number of objects.
    """

    def __init__(self, image: HeapImage) -> None:
        self.image = image

    def types(self) -> pd.DataFrame:
        """One row per type name, the most retained bytes first.

        Columns: ``type``, ``objects``, ``shallow_bytes``, ``retained_bytes``: what would be freed if all
        objects of the type were gone, nothing counted twice. The column does not add up to the heap:
        types hold each other.
        """
        graph = self.image.graph
        retained: dict[str, int] = {}
        for name, size in zip(graph.snapshot.types, retained_by_type(graph, self.image.roots).tolist(), strict=True):
            retained.setdefault(name, size)  # of types of one name, the first has the figure
        found = changes_by_type(graph, graph)
        rows = [(one.type, one.objects_after, one.bytes_after, retained[one.type]) for one in found]
        table = _table(rows, columns=["type", "objects", "shallow_bytes", "retained_bytes"])
        return table.sort_values(["retained_bytes", "type"], ascending=[False, True], ignore_index=True)

    def top_retained(self, count: int = 20, type: str = "*") -> pd.DataFrame:  # noqa: A002
        """The objects with the largest retained sizes, of ``type`` if given (wildcards allowed).

        Columns: ``node`` (row), ``holder`` (the path by name), ``type``, ``shallow_bytes``,
        ``retained_bytes``. An object and what it alone holds are both listed: sizes do not add up.
        """
        largest = self.select(type=type).largest(count).rows
        return _table(
            {
                "node": largest,
                "holder": [dotted_name(self.image.tree, row) for row in largest.tolist()],
                "type": [self.image.graph.type_of(row) for row in largest.tolist()],
                "shallow_bytes": self.image.graph.size_bytes[largest],
                "retained_bytes": self.image.dominators.retained_bytes[largest],
            }
        )

    def select(self, type: str = "*", name: str = "*") -> Nodes:  # noqa: A002
        """The objects of a type and with an own name, each exact or with wildcards: ``shop.*``, ``*Session``.

        Only modules, classes, functions, code objects and frames have own names. Nothing found is an
        empty sequence. With a wildcard, ``?`` is any one character and ``[ab]`` one of them.
        """
        columns_, snapshot = self.image.graph.snapshot.columns, self.image.graph.snapshot
        wanted = np.array([_matches(text, type) for text in snapshot.types], dtype=bool)[columns_["node_type"]]
        if name != "*":
            named = np.array([*(_matches(text, name) for text in snapshot.labels), False], dtype=bool)
            wanted &= named[columns_["node_name"]]
        return Nodes(self.image, np.flatnonzero(wanted))

    def retained_set(self, nodes: Nodes | Iterable[Node | int]) -> Nodes:
        """Everything that would be freed if all of ``nodes`` were gone, themselves included.

        What two of them hold together is in it and counted once; sums of retained sizes miss the one and
        double the other. Raises NoSuchNode for a row that is not there.
        """
        rows = [self._row(node) for node in nodes]
        return Nodes(self.image, np.array(rows, dtype=np.int64)).retained_set()

    def diff(self, other: Heap, by: Literal["type", "population"] = "type") -> pd.DataFrame:
        """What changed from this heap to ``other``, the largest gain of bytes first.

        Columns: ``type``, for populations ``path`` (folded: keys and positions are dropped), then
        ``objects_before``, ``objects_after``, ``objects_delta`` and the same of shallow ``bytes``.
        Objects themselves cannot be compared: addresses are reused.
        """
        if by == "type":
            found = changes_by_type(self.image.graph, other.image.graph)
        elif by == "population":
            found = changes_by_population(self.image.tree, other.image.tree)
        else:
            raise AnalysisError("Heaps are compared by type or by population.", seen=f"by={by!r}")
        table = _table([vars(one) for one in found])
        for what in ("objects", "bytes"):
            table[f"{what}_delta"] = table[f"{what}_after"] - table[f"{what}_before"]
        figures = [f"{what}_{when}" for what in ("objects", "bytes") for when in ("before", "after", "delta")]
        return table[["type", *(["path"] if by == "population" else []), *figures]]

    def waste(self) -> pd.DataFrame:
        """Room that lists, dictionaries and sets hold and do not use, the most first.

        Columns: ``type``, ``objects``, ``capacity`` and ``used`` (entries), ``unused_bytes``, ``unread``
        (objects whose size tells nothing, left out).
        """
        return _table([vars(one) for one in slack_by_type(self.image.graph)])

    def copies(self, by: Literal["type", "population"] = "type") -> pd.DataFrame:
        """Equal ``str`` and ``bytes`` objects, of which one would do; the most bytes first.

        Columns: ``type``, for populations ``path`` (folded), ``objects`` (all of them), ``copies`` (those
        that repeat an earlier one), ``texts`` (different ones among the copies), ``copied_bytes``. Raises
        AnalysisError for a snapshot that does not tell which texts are equal.
        """
        if by not in ("type", "population"):
            raise AnalysisError("Copies are counted by type or by population.", seen=f"by={by!r}")
        found = copies_by_type(self.image.graph) if by == "type" else copies_by_population(self.image.tree)
        figures = ["objects", "copies", "texts", "copied_bytes"]
        names = ["type", *(["path"] if by == "population" else []), *figures]
        return _table([[getattr(one, name) for name in names] for one in found], columns=names)

    def to_heapsnapshot(self, path: str | Path) -> None:
        """Write V8's ``.heapsnapshot`` for Chrome DevTools or memlab; raises CannotWrite."""
        write_heapsnapshot(self.image, Path(path))

    def to_columns(self) -> columns.Columns:
        """``{"nodes": ..., "edges": ...}``, each a dictionary of NumPy columns of one length."""
        return columns.to_columns(self.image)

    def to_arrow(self) -> dict[str, Any]:
        """The same as ``pyarrow.Table``; raises MissingLibrary without pyarrow, which labkit does not bring."""
        return columns.to_arrow(self.image)

    def to_networkx(self) -> Any:
        """A ``networkx.MultiDiGraph``; raises MissingLibrary without networkx, which labkit does not bring."""
        return to_networkx(self.image)

    def __getitem__(self, row: int) -> Node:
        return Node(self.image, self._row(row))

    def __len__(self) -> int:
        return self.image.graph.node_count

    def _row(self, node: Node | int) -> int:
        row = node.row if isinstance(node, Node) else int(node)
        if not 0 <= row < len(self):
            raise NoSuchNode(f"There is no node {row} in this heap.", seen=f"it has nodes 0 to {len(self) - 1}")
        return row

    def __repr__(self) -> str:
        graph = self.image.graph
        counts = f"{len(self):,} objects, {len(graph.edge_target):,} references"
        values = "; WITH VALUES of the service" if graph.snapshot.values is not None else ""
        return f"<heap {graph.snapshot.path.name}: {counts}, {bytes_text(int(graph.size_bytes.sum()))}{values}>"

    def _repr_html_(self) -> str:
        python = escape(shown(str(self.image.graph.snapshot.header.get("python", "?"))))
        largest = sorted(changes_by_type(self.image.graph, self.image.graph), key=lambda one: -one.bytes_after)[:5]
        rows = "".join(
            f"<tr><td>{escape(shown(one.type))}</td><td>{one.objects_after:,}</td>"
            f"<td>{bytes_text(one.bytes_after)}</td></tr>"
            for one in largest
        )
        head = "<tr><th>type</th><th>objects</th><th>shallow</th></tr>"
        return f"<div><b>{escape(shown(repr(self)[1:-1]))}</b>, Python {python}<table>{head}{rows}</table></div>"


def _table(rows: Any, columns: list[str] | None = None) -> pd.DataFrame:
    import pandas as pd  # here: it takes longer to import than a heap of a million objects to open

    return pd.DataFrame(rows, columns=columns)


def _matches(text: str, pattern: str) -> bool:
    return fnmatchcase(text, pattern) if WILDCARDS.intersection(pattern) else text == pattern
