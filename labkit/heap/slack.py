"""Room that containers hold and do not use, as far as shallow sizes and references tell it.

CPython's lists, dictionaries and sets are tables with free places. How many places a table has follows
from its size, how many are taken from its references; the layouts are those of 64-bit CPython 3.11 to
3.13 (Objects/listobject.c, Objects/dictobject.c, Objects/setobject.c). A size no table of these has
(a dictionary that shares its keys, another interpreter) is counted as unread and not guessed at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labkit.heap.graph import Graph, Ints
from labkit.store import layout

COLLECTOR_BYTES = 16
LIST_BYTES, LIST_PLACE_BYTES = 40 + COLLECTOR_BYTES, 8
SET_BYTES, SET_PLACE_BYTES, SET_INSIDE_PLACES = 200 + COLLECTOR_BYTES, 16, 8
DICT_BYTES, DICT_KEYS_BYTES = 48 + COLLECTOR_BYTES, 32
#: An entry whose keys are all texts has no room for a hash.
DICT_ENTRY_BYTES = (16, 24)


@dataclass(frozen=True)
class Slack:
    """Of one container type: ``capacity`` entries fit before its tables grow, ``used`` are taken.

    ``unused_bytes`` is what the free places occupy. ``unread`` objects have a size that tells nothing.
    """

    type: str
    objects: int
    capacity: int
    used: int
    unused_bytes: int
    unread: int


def slack_by_type(graph: Graph) -> list[Slack]:
    """The room lists, dictionaries and sets do not use, the most first; subclasses are left out."""
    readers = {"list": _lists, "dict": _dicts, "set": _sets, "frozenset": _sets}
    kinds = {"list": layout.INDEX, "dict": layout.VALUE, "set": layout.ELEMENT, "frozenset": layout.ELEMENT}
    rows = [
        _slack(graph, name, row, kinds[name], readers[name](graph.size_bytes))
        for row, name in enumerate(graph.snapshot.types)
        if name in readers
    ]
    return sorted(rows, key=lambda one: -one.unused_bytes)


def _slack(graph: Graph, name: str, row: int, kind: int, tables: tuple[Ints, Ints]) -> Slack:
    nodes = np.flatnonzero(graph.snapshot.columns["node_type"] == row)
    taken = np.bincount(graph.edge_source[graph.edge_kind == kind], minlength=graph.node_count)[nodes]
    capacity, place_bytes = tables[0][nodes], tables[1][nodes]
    read = capacity >= taken  # a table that holds more than it has places for was not understood: capacity is -1
    free = (capacity - taken)[read]
    unused = int((free * place_bytes[read]).sum())
    return Slack(name, len(nodes), int(capacity[read].sum()), int(taken[read].sum()), unused, int((~read).sum()))


def _lists(sizes: Ints) -> tuple[Ints, Ints]:
    places, rest = np.divmod(sizes - LIST_BYTES, LIST_PLACE_BYTES)
    return np.where((rest == 0) & (places >= 0), places, -1), np.full_like(sizes, LIST_PLACE_BYTES)


def _sets(sizes: Ints) -> tuple[Ints, Ints]:
    """Small sets have their table inside; a set grows when three in five places are taken."""
    places, rest = np.divmod(sizes - SET_BYTES, SET_PLACE_BYTES)
    places = np.where(places == 0, SET_INSIDE_PLACES, places)
    is_table = (rest == 0) & (places >= SET_INSIDE_PLACES) & ((places & (places - 1)) == 0)
    return np.where(is_table, ((places - 1) * 3 - 1) // 5, -1), np.full_like(sizes, SET_PLACE_BYTES)


def _dicts(sizes: Ints) -> tuple[Ints, Ints]:
    capacity, entry_bytes = np.full_like(sizes, -1), np.zeros_like(sizes)
    capacity[sizes == DICT_BYTES] = 0  # all empty dictionaries share one table
    for log2 in range(3, 32):
        usable = (2 << log2) // 3
        index_bytes = (1 << log2) * (1 if log2 < 8 else 2 if log2 < 16 else 4)
        for entry in DICT_ENTRY_BYTES:
            here = sizes == DICT_BYTES + DICT_KEYS_BYTES + index_bytes + usable * entry
            capacity[here], entry_bytes[here] = usable, entry
    return capacity, entry_bytes
