"""Which concrete objects hold an accumulation in the last heap."""

from __future__ import annotations

from collections import Counter

import numpy as np

from labkit.findings.accumulation import Accumulation
from labkit.findings.evidence import Evidence, FoldedHeap
from labkit.heap.naming import chain_steps, dotted_name, row_in_chain

#: How many newcomers are looked at for the shortest path to show.
SAMPLE = 50
#: Growing in place, these are replaced by a larger one each time; their holder is what keeps growing.
IMMUTABLE = ("str", "bytes", "int", "tuple")


def heap_of(evidence: Evidence, found: Accumulation) -> FoldedHeap:
    """The last heap of the worker that shows best what grows."""
    # One that reaches it from a module, where there is such a path.
    from_modules = [top for top in found.tops if evidence.populations.path(top)[0].edge.startswith("module")]
    return evidence.lasts[evidence.heap_with(from_modules or found.tops)]


def holder_name(evidence: Evidence, found: Accumulation) -> str:
    """The dotted name of what holds most newcomers."""
    return dotted_name(heap_of(evidence, found).tree, holder_node(evidence, found))


def retained_bytes(evidence: Evidence, found: Accumulation) -> int:
    """What the holder keeps alive, in the worker that ``heap_of`` chose."""
    return int(heap_of(evidence, found).image.dominators.retained_bytes[holder_node(evidence, found)])


def holder_node(evidence: Evidence, found: Accumulation) -> int:
    """The node that holds most newcomers; a newcomer itself when nothing with a name holds them."""
    heap = heap_of(evidence, found)
    newcomers = np.flatnonzero(np.isin(heap.numbers, found.tops))
    if found.grows_in_place and evidence.populations.rows[found.lead].type not in IMMUTABLE:
        return int(np.flatnonzero(np.isin(heap.numbers, found.leads))[-1])
    if found.retainer < 0 or not len(newcomers):
        return int(newcomers[-1]) if len(newcomers) else 0
    parents: Counter[int] = Counter(heap.tree.parent[newcomers].tolist())
    return max(parents.items(), key=lambda item: (item[1], -item[0]))[0]


def newcomer_node(evidence: Evidence, found: Accumulation) -> int | None:
    """The nearest of the objects that grow, to show the path down to it."""
    heap = heap_of(evidence, found)
    nodes = np.flatnonzero(np.isin(heap.numbers, found.leads))
    depths = [len(heap.tree.chain(node)) for node in nodes[:SAMPLE].tolist()]
    return int(nodes[int(np.argmin(depths))]) if depths else None


def path_of(evidence: Evidence, found: Accumulation) -> tuple[list[str], int | None]:
    """The retaining path in words, from the root to one of the objects that grow, and its node that holds them."""
    tree, holder = heap_of(evidence, found).tree, holder_node(evidence, found)
    node = newcomer_node(evidence, found)
    end = holder if node is None else node
    return chain_steps(tree, end), row_in_chain(tree, end, holder)
