"""What changed from one heap to another, per type and per path population.

Objects cannot be followed from snapshot to snapshot, since addresses are reused; types and populations
can (``labkit.heap.populations``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from labkit.heap.graph import Graph, Ints
from labkit.heap.paths import PathTree
from labkit.heap.populations import Population, Populations


@dataclass(frozen=True)
class Change:
    """Objects and shallow bytes of one type, or of one population, before and after.

    ``path`` is the population's folded path, empty when the change is a type's.
    """

    type: str
    path: str
    objects_before: int
    objects_after: int
    bytes_before: int
    bytes_after: int


def changes_by_type(before: Graph, after: Graph) -> list[Change]:
    """One change per type name found in either heap; the largest gain of bytes first."""
    old, new = _per_type(before), _per_type(after)
    nothing = (0, 0)
    rows = []
    for name in dict.fromkeys([*new, *old]):
        (objects_before, bytes_before), (objects_after, bytes_after) = old.get(name, nothing), new.get(name, nothing)
        rows.append(Change(name, "", objects_before, objects_after, bytes_before, bytes_after))
    return _largest_gain_first(rows)


def changes_by_population(before: PathTree, after: PathTree) -> list[Change]:
    """One change per population of either heap; the largest gain of bytes first."""
    populations = Populations()
    numbers = [populations.fold(tree) for tree in (before, after)]
    count = len(populations.rows)
    objects = [np.bincount(each, minlength=count) for each in numbers]
    sizes = [
        bytes_per_group(tree.graph.size_bytes, each, count) for tree, each in zip((before, after), numbers, strict=True)
    ]
    rows = [
        Change(
            row.type,
            folded_path(populations.path(number)),
            int(objects[0][number]),
            int(objects[1][number]),
            int(sizes[0][number]),
            int(sizes[1][number]),
        )
        for number, row in enumerate(populations.rows)
    ]
    return _largest_gain_first(rows)


def folded_path(steps: list[Population]) -> str:
    """A population's path in one line: ``module shop.sessions.STORE[*]``."""
    text = ""
    for step in steps:
        if step.parent < 0:
            text = step.edge
        elif step.edge.startswith((".", "[")):
            text += step.edge
        elif step.edge != "__dict__":
            text += f" {step.edge}"
    return text


def _per_type(graph: Graph) -> dict[str, tuple[int, int]]:
    """Objects and bytes by type name; two types of one name are one here."""
    rows = graph.snapshot.columns["node_type"].astype(np.int64)
    count = len(graph.snapshot.types)
    objects = np.bincount(rows, minlength=count).tolist()
    sizes = bytes_per_group(graph.size_bytes, rows, count).tolist()
    found: dict[str, tuple[int, int]] = {}
    for name, number, size in zip(graph.snapshot.types, objects, sizes, strict=True):
        known = found.get(name, (0, 0))
        found[name] = (known[0] + number, known[1] + size)
    return {name: figures for name, figures in found.items() if figures[0]}


def bytes_per_group(sizes: Ints, group_of: Ints, count: int) -> Ints:
    """Exact sums: weights of ``bincount`` would be floats."""
    sums = np.zeros(count, dtype=np.int64)
    np.add.at(sums, group_of, sizes)
    return sums


def _largest_gain_first(rows: Iterable[Change]) -> list[Change]:
    return sorted(rows, key=lambda row: (row.bytes_before - row.bytes_after, row.type, row.path))
