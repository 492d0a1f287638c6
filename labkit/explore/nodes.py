"""Thin views of objects in a heap: a row number and the image it is a row of; nothing is copied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import overload

import numpy as np

from labkit.errors import NoValues
from labkit.heap.graph import Ints
from labkit.heap.image import HeapImage
from labkit.heap.naming import chain_steps, dotted_name
from labkit.heap.retained_sets import Bools, Reference, references, retained_set, retainers
from labkit.store import layout
from labkit.views.names import shown
from labkit.views.units import bytes_text, plural

MOST_SHOWN = 10


class Node:
    """One object: ``row`` is its number in this snapshot, and means nothing in another."""

    __slots__ = ("_image", "row")

    def __init__(self, image: HeapImage, row: int) -> None:
        self._image = image
        self.row = row

    @property
    def type(self) -> str:
        """``module.qualname``, without the module for builtins."""
        return self._image.graph.type_of(self.row)

    @property
    def name(self) -> str:
        """The own name of a module, class, function, code object or frame; empty for everything else."""
        return self._image.graph.own_name(self.row)

    @property
    def value(self) -> str:
        """How its value begins, at most 80 characters; empty for an object that is no text and no number.

        Raises NoValues unless the snapshot was taken with values.
        """
        values = self._image.graph.snapshot.values
        if values is None:
            name = self._image.graph.snapshot.path.name
            raise NoValues(f"{name} holds no values.", hint="labkit capture --with-values takes one that does")
        return values.of(self.row) or ""

    @property
    def holder(self) -> str:
        """The name a programmer would search for: ``shop.sessions.SESSIONS``."""
        return dotted_name(self._image.tree, self.row)

    @property
    def shallow_size_bytes(self) -> int:
        """Bytes of the object itself."""
        return int(self._image.graph.size_bytes[self.row])

    @property
    def retained_size_bytes(self) -> int:
        """Bytes that would be freed if it were gone: its own and all it alone keeps alive."""
        return int(self._image.dominators.retained_bytes[self.row])

    @property
    def immediate_dominator(self) -> Node | None:
        """The nearest object every path to this one passes; None when only the whole heap does."""
        above = int(self._image.dominators.immediate[self.row])
        return Node(self._image, above) if above >= 0 else None

    def path_to_root(self) -> list[str]:
        """The nearest path, from the root down: ``["module shop.sessions", "SESSIONS", "dict", ...]``."""
        return chain_steps(self._image.tree, self.row)

    def retainers(self) -> list[Edge]:
        """Who refers to it: one edge per reference, parallel ones each."""
        return [Edge.of(self._image, one, one.source) for one in retainers(self._image.graph, self.row)]

    def references(self) -> list[Edge]:
        """What it refers to: one edge per reference, parallel ones each."""
        return [Edge.of(self._image, one, one.target) for one in references(self._image.graph, self.row)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and (other.row, other._image) == (self.row, self._image)

    def __hash__(self) -> int:
        return hash((self.row, id(self._image)))

    def __repr__(self) -> str:
        name = f" {shown(self.name)}" if self.name else ""
        return f"<{shown(self.type)}{name}, node {self.row}, {bytes_text(self.shallow_size_bytes)}>"

    def _repr_html_(self) -> str:
        sizes = f"{bytes_text(self.shallow_size_bytes)}, retains {bytes_text(self.retained_size_bytes)}"
        steps = " &rarr; ".join(escape(shown(step)) for step in self.path_to_root())
        name = f" {escape(shown(self.name))}" if self.name else ""
        return f"<div><b>{escape(shown(self.type))}</b>{name} (node {self.row}): {sizes}<br>{steps}</div>"


@dataclass(frozen=True)
class Edge:
    """A reference as seen from one of its ends: its ``name`` (empty if it has none), ``kind``, and the other end."""

    name: str
    kind: str
    node: Node

    @classmethod
    def of(cls, image: HeapImage, one: Reference, other_end: int) -> Edge:
        """The edge of ``one`` that leads to ``other_end``."""
        kind = layout.EDGE_KINDS[int(image.graph.edge_kind[one.edge])]
        return cls(image.graph.label_of(one.edge), kind, Node(image, other_end))


class Nodes(Sequence[Node]):
    """Objects of one heap in the order of their rows; ``rows`` has shape (nodes,)."""

    def __init__(self, image: HeapImage, rows: Ints) -> None:
        self._image = image
        self.rows = rows

    @property
    def shallow_size_bytes(self) -> int:
        """Bytes of all of them, without what they refer to."""
        return int(self._image.graph.size_bytes[self.rows].sum())

    @property
    def retained_size_bytes(self) -> int:
        """Bytes that would be freed if all of them were gone; nothing is counted twice."""
        return int(self._image.graph.size_bytes[self._retained()].sum())

    def retained_set(self) -> Nodes:
        """Everything that would be freed if all of them were gone, themselves included."""
        return Nodes(self._image, np.flatnonzero(self._retained()))

    def largest(self, count: int = 20) -> Nodes:
        """Those with the largest retained sizes, the largest first, equal ones by row; all are never sorted."""
        sizes = self._image.dominators.retained_bytes[self.rows]
        if 0 < count < len(sizes):
            places = np.flatnonzero(sizes >= np.partition(sizes, -count)[-count])
            return Nodes(self._image, self.rows[places[np.argsort(-sizes[places], kind="stable")[:count]]])
        return Nodes(self._image, self.rows[np.argsort(-sizes, kind="stable")[: max(count, 0)]])

    def _retained(self) -> Bools:
        return retained_set(self._image.graph, self._image.roots, self.rows.tolist())

    @overload
    def __getitem__(self, place: int) -> Node: ...
    @overload
    def __getitem__(self, place: slice) -> Nodes: ...
    def __getitem__(self, place: int | slice) -> Node | Nodes:
        if isinstance(place, slice):
            return Nodes(self._image, self.rows[place])
        return Node(self._image, int(self.rows[place]))

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Node]:
        return (Node(self._image, row) for row in self.rows.tolist())

    def __repr__(self) -> str:
        return f"<{plural(len(self), 'object')}, {bytes_text(self.shallow_size_bytes)}>"

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{escape(repr(node))}</li>" for node in self[:MOST_SHOWN])
        more = f"<li>and {len(self) - MOST_SHOWN:,} more</li>" if len(self) > MOST_SHOWN else ""
        return f"<div>{escape(repr(self)[1:-1])}<ul>{items}{more}</ul></div>"
