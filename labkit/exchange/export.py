"""Which exporter writes which form, and which node a drawing is of."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from labkit.errors import ExchangeError, NoSuchNode
from labkit.exchange.dot import neighbourhood_dot, path_dot, write_dot
from labkit.exchange.heapsnapshot import write_heapsnapshot
from labkit.heap.image import HeapImage
from labkit.store.snapshot import read_snapshot

FORMS = ("heapsnapshot", "dot")


def export(snapshot: Path, form: str, output: Path, *, type_name: str = "", around: bool = False) -> HeapImage:
    """Write the heap in ``snapshot`` to ``output``; returns what was read.

    ``dot`` draws the path to the object that retains most (of ``type_name``, if given), or with ``around``
    its neighbourhood; the other forms are of the whole heap. Raises ExchangeError, StoreError, NoSuchNode and
    CannotWrite.
    """
    if form != "dot" and (type_name or around):
        raise ExchangeError(
            f"A {form} is of the whole heap.",
            seen=f"--type {type_name}" if type_name else "--around",
            hint="leave it out, or --to dot for a drawing",
        )
    image = HeapImage(read_snapshot(snapshot))
    if form == "heapsnapshot":
        write_heapsnapshot(image, output)
    else:
        node = largest(image, type_name)
        write_dot(neighbourhood_dot(image, node) if around else path_dot(image, node), output)
    return image


def largest(image: HeapImage, type_name: str = "") -> int:
    """The object with the largest retained size, of one type or of all; raises NoSuchNode."""
    graph = image.graph
    kinds = graph.snapshot.columns["node_type"]
    rows = [row for row, name in enumerate(graph.snapshot.types) if name == type_name]
    nodes = np.flatnonzero(np.isin(kinds, rows)) if type_name else np.arange(graph.node_count)
    if not len(nodes):
        raise NoSuchNode(
            f"There is no object of type {type_name!r} in this heap." if type_name else "This heap is empty.",
            hint="types are written with their module: shop.sessions.Session, and dict or list for builtins",
        )
    return int(nodes[np.argmax(image.dominators.retained_bytes[nodes])])
