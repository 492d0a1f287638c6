"""Which concrete objects hold an accumulation in the last heap."""

from __future__ import annotations

from collections import Counter

import numpy as np

from labkit.findings.accumulation import Accumulation
from labkit.findings.evidence import Evidence, FoldedHeap
from labkit.heap.naming import chain_steps, dotted_name, row_in_chain
from labkit.heap.retained_sets import retained_set

#: How many newcomers are looked at for the shortest path to show.
SAMPLE = 50
#: One holder is named when it has at least this share of the newcomers.
_MOST = 0.5


def heap_of(evidence: Evidence, found: Accumulation) -> FoldedHeap:
    """The last heap of the worker that shows best what grows."""
    # One that reaches it from a module, where there is such a path.
    from_modules = [top for top in found.tops if evidence.populations.path(top)[0].edge.startswith("module")]
    return evidence.lasts[evidence.heap_with(from_modules or found.tops)]


def holder_name(evidence: Evidence, found: Accumulation) -> str:
    """The dotted name of what holds most newcomers; of a chain of closures, of what holds its first link."""
    heap, holder = heap_of(evidence, found), holder_node(evidence, found)
    link = _function_around(heap, holder)
    newcomers = np.flatnonzero(np.isin(heap.numbers, found.leads))[:SAMPLE].tolist()
    own = heap.graph.own_name(link) if link is not None else ""
    if link is not None and own and {heap.graph.own_name(node) for node in newcomers} == {own}:
        return dotted_name(heap.tree, link, as_reached=True)
    return dotted_name(heap.tree, holder)


def _function_around(heap: FoldedHeap, node: int) -> int | None:
    """The function whose closure ``node`` is a part of, or which it is."""
    while heap.graph.type_of(node) in ("cell", "tuple") and heap.tree.parent[node] >= 0:
        node = int(heap.tree.parent[node])
    return node if heap.graph.type_of(node) == "function" else None


def retained_bytes(evidence: Evidence, found: Accumulation) -> int:
    """What the holders of that name keep alive together, in the worker that ``heap_of`` chose."""
    heap = heap_of(evidence, found)
    holder = holder_node(evidence, found)
    parents = _parents(evidence, found, heap)
    if len(parents) < 2 or holder not in parents:
        return int(heap.image.dominators.retained_bytes[holder])
    together = retained_set(heap.graph, heap.image.roots, list(parents))
    return int(heap.graph.size_bytes[together].sum())


def holder_node(evidence: Evidence, found: Accumulation) -> int:
    """The node that holds most newcomers; a newcomer itself when nothing with a name holds them."""
    heap = heap_of(evidence, found)
    newcomers = np.flatnonzero(np.isin(heap.numbers, found.tops))
    if found.grows_in_place:
        return int(np.flatnonzero(np.isin(heap.numbers, found.leads))[-1])
    if found.retainer < 0 or not len(newcomers):
        return int(newcomers[-1]) if len(newcomers) else 0
    parents = _parents(evidence, found, heap)
    first = _most(parents)
    if parents[first] >= _MOST * len(newcomers) or _go_by_one_name(heap, parents):
        return first
    return _holder_above(heap, parents)


def _parents(evidence: Evidence, found: Accumulation, heap: FoldedHeap) -> Counter[int]:
    """What the newcomers hang from by their nearest paths, with their numbers; empty where nothing is their holder."""
    if found.grows_in_place or found.retainer < 0:
        return Counter()
    return Counter(heap.tree.parent[np.flatnonzero(np.isin(heap.numbers, found.tops))].tolist())


def _most(parents: Counter[int]) -> int:
    return max(parents.items(), key=lambda item: (item[1], -item[0]))[0]


def _go_by_one_name(heap: FoldedHeap, parents: Counter[int]) -> bool:
    """Whether most of several holders are the same to a reader: one for each thread, tenant or worker, say."""
    names = Counter(dotted_name(heap.tree, node) for node, _ in parents.most_common(SAMPLE))
    return names.most_common(1)[0][1] > _MOST * names.total()


def _holder_above(heap: FoldedHeap, parents: Counter[int]) -> int:
    """The lowest object below which most of the newcomers are: of a tree that branches, where it begins."""
    holders = sorted(parents)[:: max(1, len(parents) // SAMPLE)]
    below: Counter[int] = Counter()
    depth: dict[int, int] = {}
    for holder in holders:
        for level, (_, node) in enumerate(heap.tree.chain(holder)):
            below[node] += parents[holder]
            depth[node] = level
    enough = _MOST * sum(parents[holder] for holder in holders)
    return max((node for node in below if below[node] >= enough), key=depth.__getitem__, default=_most(parents))


def newcomer_node(evidence: Evidence, found: Accumulation) -> int | None:
    """The nearest of the objects that grow, to show the path down to it; one of its own, where each holder has some."""
    heap = heap_of(evidence, found)
    nodes = np.flatnonzero(np.isin(heap.numbers, found.leads))
    own = nodes[heap.tree.parent[nodes] == holder_node(evidence, found)]
    nodes = own if len(own) else nodes
    depths = [len(heap.tree.chain(node)) for node in nodes[:SAMPLE].tolist()]
    return int(nodes[int(np.argmin(depths))]) if depths else None


def path_of(evidence: Evidence, found: Accumulation) -> tuple[list[str], int | None]:
    """The retaining path in words, from the root to one of the objects that grow, and its node that holds them."""
    tree, holder = heap_of(evidence, found).tree, holder_node(evidence, found)
    node = newcomer_node(evidence, found)
    end = holder if node is None else node
    return chain_steps(tree, end), row_in_chain(tree, end, holder)
