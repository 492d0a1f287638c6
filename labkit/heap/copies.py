"""Texts that are there more than once: equal ``str`` and ``bytes`` objects, of which one would do.

A snapshot holds no texts; the walker compared them in the process and wrote which object says the same
as which (``copy_node``, ``copy_of`` in ``labkit.agent.layout``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from labkit.errors import AnalysisError
from labkit.heap.diff import bytes_per_group, folded_path
from labkit.heap.graph import Graph, Ints
from labkit.heap.paths import PathTree
from labkit.heap.populations import Populations


@dataclass(frozen=True)
class Copies:
    """Of the ``objects`` of a type, or of one population of it: ``copies`` repeat an object found earlier.

    ``texts`` is how many different texts the copies are of, ``copied_bytes`` what they occupy: what would be
    saved if one object of each text served all. ``path`` is the population's, empty for a type.
    """

    type: str
    path: str
    objects: int
    copies: int
    texts: int
    copied_bytes: int


def copies_by_type(graph: Graph) -> list[Copies]:
    """One row per type that has copies, the most bytes first.

    Raises AnalysisError for a snapshot of the format's first version, which does not know copies.
    """
    types = graph.snapshot.types
    return _by_group(graph, graph.snapshot.columns["node_type"].astype(np.int64), lambda row: (types[row], ""))


def copies_by_population(tree: PathTree) -> list[Copies]:
    """One row per population that has copies, the most bytes first; an original may be in another.

    Raises AnalysisError for a snapshot of the format's first version, which does not know copies.
    """
    populations = Populations()
    numbers = populations.fold(tree)

    def name(number: int) -> tuple[str, str]:
        return populations.rows[number].type, folded_path(populations.path(number))

    return _by_group(tree.graph, numbers, name)


def _by_group(graph: Graph, group_of: Ints, name: Callable[[int], tuple[str, str]]) -> list[Copies]:
    """``group_of`` has shape (nodes,); ``name`` gives a group's type and path."""
    columns = graph.snapshot.columns
    if graph.snapshot.header.get("version") == 1:
        raise AnalysisError(
            "This snapshot does not tell which texts are equal.",
            seen="version 1 of the format",
            hint="take a new snapshot",
        )
    copies = columns["copy_node"].astype(np.int64)
    groups = group_of[copies]
    count = int(group_of.max(initial=-1)) + 1
    objects, copied = np.bincount(group_of, minlength=count), np.bincount(groups, minlength=count)
    distinct = np.unique(np.stack((groups, columns["copy_of"].astype(np.int64))), axis=1)[0]
    texts = np.bincount(distinct, minlength=count)
    sizes = bytes_per_group(graph.size_bytes[copies], groups, count)
    order = sorted(np.flatnonzero(copied).tolist(), key=lambda number: (-int(sizes[number]), number))
    return [
        Copies(*name(number), *(int(figures[number]) for figures in (objects, copied, texts, sizes)))
        for number in order
    ]
