"""Who else keeps an accumulation alive: what still reaches it when its holder lets go.

The holder's references are cut and the heap is walked again, as a collector would. If most of the newcomers
are still reached, what they are now reached through is a second holder; it is cut as well, and so on. That
finds holders at any distance: an event loop that holds each task through its timer, a registry that holds
the registry.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labkit.findings import thresholds
from labkit.findings.accumulation import Accumulation
from labkit.findings.evidence import Evidence, FoldedHeap
from labkit.findings.holders import heap_of
from labkit.heap.graph import Ints
from labkit.heap.naming import dotted_name
from labkit.heap.paths import PathTree, nearest_paths
from labkit.heap.retained_sets import Bools, retained_set
from labkit.heap.roots import GAP_PROVES_NOTHING, GARBAGE, HELD_FROM_C

#: After so many further holders the rest is not asked for.
MOST = 4


@dataclass(frozen=True)
class CoHolders:
    """``names`` of the further holders; ``retained_bytes`` is what they and the retainer keep alive together.

    ``scattered``: most newcomers have a further holder each, and these have no name in common.
    """

    names: tuple[str, ...] = ()
    retained_bytes: int | None = None
    scattered: bool = False


def co_holders(evidence: Evidence, found: Accumulation) -> CoHolders:
    """Cut the retainer of ``found`` in the last heap, then whatever else still reaches its newcomers."""
    heap = heap_of(evidence, found)
    newcomers = np.isin(heap.numbers, found.leads)
    steady = _steady(evidence, found, heap)
    first = np.unique(heap.tree.parent[np.isin(heap.numbers, found.tops)])
    cut = [node for node in first.tolist() if node >= 0 and steady[node]]
    names: list[str] = []
    tree = nearest_paths(heap.graph, cut)
    for _ in range(MOST):
        kept = newcomers & _reached(tree)
        if not cut or not _most(kept, newcomers):
            break
        node = in_common(tree, kept, steady)
        if node is None:
            return _found(heap, cut, names, scattered=_most(kept & ~_only_from_c(tree), newcomers))
        names.append(dotted_name(tree, node))
        cut.append(node)
        tree = nearest_paths(heap.graph, cut)
    return _found(heap, cut, names)


def _found(heap: FoldedHeap, cut: list[int], names: list[str], *, scattered: bool = False) -> CoHolders:
    """Names are left out that are the retainer's own: its parts go by the same name."""
    own = {dotted_name(heap.tree, node) for node in cut[: len(cut) - len(names)]}
    others = tuple(dict.fromkeys(name for name in names if name not in own))
    if not others:
        return CoHolders((), None, scattered)
    freed = retained_set(heap.graph, heap.image.roots, cut)
    return CoHolders(others, int(heap.graph.size_bytes[freed].sum()), scattered)


def _steady(evidence: Evidence, found: Accumulation, heap: FoldedHeap) -> Bools:
    """The nodes of populations that do not grow along: only such can hold what grows."""
    gains = evidence.objects[:, -1] - evidence.objects[:, 0]
    least = max(thresholds.SAME_GROWTH_SHARE * int(found.objects[-1] - found.objects[0]), 1.0)
    steady: Bools = (gains < least)[heap.numbers]
    return steady


def _reached(tree: PathTree) -> Bools:
    alive = np.array([kind != GARBAGE for kind in tree.roots.kind], dtype=bool)
    reached: Bools = alive[tree.root_of]
    return reached


def _only_from_c(tree: PathTree) -> Bools:
    unnamed = np.array([kind == HELD_FROM_C for kind in tree.roots.kind], dtype=bool)
    types = np.array([name in GAP_PROVES_NOTHING for name in tree.graph.snapshot.types], dtype=bool)
    from_c: Bools = unnamed[tree.root_of] | types[tree.graph.snapshot.columns["node_type"]]
    return from_c


def _most(some: Bools, of: Bools) -> bool:
    return int(some.sum()) >= max(thresholds.CO_HOLDER_SHARE * int(of.sum()), 2)


def in_common(tree: PathTree, kept: Bools, steady: Bools) -> int | None:
    """The last node on the way to most of ``kept``; None when it says no more than a module does."""
    below = _counts_below(tree, kept)
    enough = np.flatnonzero(steady & (below >= max(thresholds.CO_HOLDER_SHARE * int(kept.sum()), 2)))
    if not len(enough):
        return None
    place = np.empty(len(tree.order), np.int64)
    place[tree.order] = np.arange(len(tree.order))
    node = int(enough[np.lexsort((-place[enough], below[enough]))[0]])
    return None if _is_namespace(tree, node) else node


def _counts_below(tree: PathTree, chosen: Bools) -> Ints:
    """How many of ``chosen`` each node's subtree has, shape (nodes,)."""
    counts = chosen.astype(np.int64)
    numbers, parent = counts.data, tree.parent.data
    for node in tree.order[::-1].tolist():
        if numbers[node] and parent[node] >= 0:
            numbers[parent[node]] += numbers[node]
    return counts


def _is_namespace(tree: PathTree, node: int) -> bool:
    """Whether ``node`` is a module, a frame or a module's namespace: too wide to be called a holder."""
    above = int(tree.parent[node])
    kinds = [tree.graph.type_of(node)] + ([tree.graph.type_of(above)] if above >= 0 else [])
    return kinds[0] in ("module", "frame") or kinds == ["dict", "module"]
