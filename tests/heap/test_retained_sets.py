"""Retained sets of groups and of types against taking the group out and walking again."""

from __future__ import annotations

import numpy as np
import pytest
from drawing import draw, from_edges, node
from hypothesis import given, settings
from hypothesis import strategies as st
from test_dominators_against_references import graphs

from labkit.heap import retained_sets
from labkit.heap.dominators import dominators
from labkit.heap.graph import Graph
from labkit.heap.retained_sets import references, retained_by_type, retained_set, retainers

Made = tuple[int, list[tuple[int, int]], list[int], list[int]]


def alive(edges: list[tuple[int, int]], roots: list[int], gone: set[int]) -> set[int]:
    """Slow and obvious: repeat over all edges until nothing new is reached."""
    found = set(roots) - gone
    while True:
        more = {b for a, b in edges if a in found and b not in gone} - found
        if not more:
            return found
        found |= more


def freed(edges: list[tuple[int, int]], roots: list[int], gone: set[int]) -> set[int]:
    return (alive(edges, roots, set()) - alive(edges, roots, gone)) | gone


def typed(made: Made, kinds: list[int], names: list[str]) -> Graph:
    count, edges, _, sizes = made
    snapshot = from_edges(count, edges, sizes).snapshot
    snapshot.types[:] = names
    snapshot.columns["node_type"] = np.array(kinds[:count], dtype="<u4")
    return Graph(snapshot)


@pytest.mark.parametrize("wide", [0, retained_sets.WIDE])
def test_a_group_against_walking_without_it(wide: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of walking: a whole level at a time, and one node after the other."""
    monkeypatch.setattr(retained_sets, "WIDE", wide)

    @settings(max_examples=300, deadline=None)
    @given(graphs(), st.sets(st.integers(0, 13)))
    def check(made: Made, group: set[int]) -> None:
        count, edges, roots, sizes = made
        group = {one for one in group if one < count}
        found = retained_set(from_edges(count, edges, sizes), np.array(roots), group)
        assert set(np.flatnonzero(found).tolist()) == freed(edges, roots, group)

    check()


@settings(max_examples=300, deadline=None)
@given(graphs())
def test_a_group_of_one_is_what_dominators_say(made: Made) -> None:
    count, edges, roots, sizes = made
    graph = from_edges(count, edges, sizes)
    expected = dominators(graph, roots).retained_bytes
    for one in range(count):
        assert graph.size_bytes[retained_set(graph, np.array(roots), [one])].sum() == expected[one]


@settings(max_examples=500, deadline=None)
@given(graphs(), st.lists(st.integers(0, 4), min_size=14, max_size=14))
def test_types_against_taking_out_each(made: Made, kinds: list[int]) -> None:
    count, edges, roots, sizes = made
    found = retained_by_type(typed(made, kinds, list("abcde")), np.array(roots))
    for kind in range(5):
        group = {one for one in range(count) if kinds[one] == kind}
        assert found[kind] == sum(sizes[one] for one in freed(edges, roots, group))


@settings(max_examples=200, deadline=None)
@given(graphs(), st.lists(st.integers(0, 2), min_size=14, max_size=14))
def test_types_of_one_name_are_one(made: Made, kinds: list[int]) -> None:
    found = retained_by_type(typed(made, kinds, ["a", "b", "a"]), np.array(made[2]))
    merged = retained_by_type(typed(made, [kind % 2 for kind in kinds], ["a", "b"]), np.array(made[2]))
    assert found.tolist() == [*merged.tolist(), 0]


@settings(max_examples=200, deadline=None)
@given(graphs())
def test_retainers_and_references_are_the_edges(made: Made) -> None:
    count, edges, _, _ = made
    graph = from_edges(count, edges)
    for one in range(count):
        assert sorted(ref.source for ref in retainers(graph, one)) == sorted(a for a, b in edges if b == one)
        assert sorted(ref.target for ref in references(graph, one)) == sorted(b for a, b in edges if a == one)
        for ref in (*retainers(graph, one), *references(graph, one)):
            assert (graph.edge_source[ref.edge], graph.edge_target[ref.edge]) == (ref.source, ref.target)
            assert graph.source_of(ref.edge) == ref.source


def test_two_holders_keep_together_what_neither_keeps() -> None:
    graph = draw("R.a -> A  R.b -> B  A.p -> P  B.p -> P", sizes={"A": 1, "B": 2, "P": 1000})
    group = [node(graph, "A"), node(graph, "B")]
    freed_ = retained_set(graph, np.array([node(graph, "R")]), group)
    assert graph.size_bytes[freed_].sum() == 1003
    assert dominators(graph, [node(graph, "R")]).retained_bytes[group].sum() == 3


@pytest.mark.parametrize("held", ["one end", "both ends"])
def test_a_long_linked_list(held: str) -> None:
    length = 30_000
    edges = [(0, 1), *((i, i + 1) for i in range(1, length - 1)), *((i + 1, i) for i in range(1, length - 1))]
    edges += [(0, length - 1)] if held == "both ends" else []
    graph = from_edges(length, edges)
    assert retained_by_type(graph, np.array([0])).tolist() == [length]
    assert retained_set(graph, np.array([0]), [1, length - 1]).sum() == length - 1


def test_a_wide_heap() -> None:
    graph = from_edges(50_000, [(0, i) for i in range(1, 50_000)])
    assert retained_set(graph, np.array([0]), [0]).all()
    assert retained_set(graph, np.array([0]), [7]).sum() == 1


def test_a_wide_heap_of_three_levels() -> None:
    """The second level is wider than what is walked singly; each of its nodes holds one of its own and a shared one."""
    wide = 5 * retained_sets.WIDE
    second, third, shared = range(1, wide + 1), range(wide + 1, 2 * wide + 1), 2 * wide + 1
    edges = [*((0, one) for one in second), *zip(second, third, strict=True), *((one, shared) for one in second)]
    graph = from_edges(2 * wide + 2, edges)
    assert set(np.flatnonzero(retained_set(graph, np.array([0]), [1]))) == {1, wide + 1}
    assert retained_set(graph, np.array([0]), second).sum() == 2 * wide + 1
    assert retained_set(graph, np.array([0]), [0]).all()
