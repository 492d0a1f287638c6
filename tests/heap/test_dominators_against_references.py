"""Dominators and retained sizes against networkx, against deleting each node, and on shapes that hurt."""

from __future__ import annotations

import networkx as nx
import pytest
from drawing import draw, from_edges, node
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.heap.dominators import dominators
from labkit.heap.graph import Graph


@st.composite
def graphs(draw_: st.DrawFn) -> tuple[int, list[tuple[int, int]], list[int], list[int]]:
    """Up to 14 nodes; cycles, self-loops, parallel edges, unreachable parts and several roots included."""
    count = draw_(st.integers(1, 14))
    nodes = st.integers(0, count - 1)
    edges = draw_(st.lists(st.tuples(nodes, nodes), max_size=40))
    roots = draw_(st.lists(nodes, min_size=1, max_size=3, unique=True))
    sizes = draw_(st.lists(st.integers(1, 100), min_size=count, max_size=count))
    return count, edges, roots, sizes


def reached(graph: Graph, roots: list[int], without: int = -1) -> set[int]:
    """Slow and obvious: everything a walk from the roots meets when one node is gone."""
    found: set[int] = set()
    ahead = [root for root in roots if root != without]
    while ahead:
        here = ahead.pop()
        if here not in found:
            found.add(here)
            ahead += [
                int(graph.edge_target[edge]) for edge in graph.edges_of(here) if graph.edge_target[edge] != without
            ]
    return found


@settings(max_examples=400, deadline=None)
@given(graphs())
def test_against_deleting_each_node(made: tuple[int, list[tuple[int, int]], list[int], list[int]]) -> None:
    count, edges, roots, sizes = made
    graph = from_edges(count, edges, sizes)
    found = dominators(graph, roots)
    alive = reached(graph, roots)
    for one in range(count):
        freed = alive - reached(graph, roots, without=one) if one in alive else {one}
        assert found.retained_bytes[one] == sum(sizes[other] for other in freed)


@settings(max_examples=400, deadline=None)
@given(graphs())
def test_against_networkx(made: tuple[int, list[tuple[int, int]], list[int], list[int]]) -> None:
    count, edges, roots, _ = made
    theirs = nx.DiGraph(edges)
    theirs.add_edges_from(("super", root) for root in roots)
    expected = nx.immediate_dominators(theirs, "super")
    found = dominators(from_edges(count, edges), roots).immediate.tolist()
    for one in range(count):
        above = expected.get(one, "super")
        assert found[one] == (-1 if above in ("super", None) else above)


def test_a_diamond_belongs_to_its_top() -> None:
    r"""
          R
          |
          A        A: 10 + 20 + 30 + 40
         / \
        B   C
         \ /
          D
    """
    graph = draw("R.a -> A  A.b -> B  A.c -> C  B.d -> D  C.d -> D", sizes={"A": 10, "B": 20, "C": 30, "D": 40})
    found = dominators(graph, [node(graph, "R")])
    assert found.immediate[node(graph, "D")] == node(graph, "A")
    assert found.retained_bytes[node(graph, "A")] == 10 + 20 + 30 + 40
    assert found.retained_bytes[node(graph, "B")] == 20


def test_two_holders_keep_neither() -> None:
    graph = draw("R.a -> A  R.b -> B  A.p -> P  B.p -> P", sizes={"A": 1, "B": 2, "P": 1000})
    found = dominators(graph, [node(graph, "R")])
    assert found.retained_bytes[node(graph, "A")] == 1
    assert found.immediate[node(graph, "P")] == node(graph, "R")


def test_a_cycle_is_retained_whole() -> None:
    """Reference counting would stop at the cycle; that is where other tools report 0.3 % of the truth."""
    graph = draw("R.s -> S  S.q -> Q  Q.back -> S", sizes={"S": 100, "Q": 2000})
    assert dominators(graph, [node(graph, "R")]).retained_bytes[node(graph, "S")] == 100 + 2000


def test_the_unreachable_keep_their_own_size() -> None:
    graph = draw("R.a -> A  X.y -> Y  Y.x -> X", sizes={"X": 7, "Y": 8})
    found = dominators(graph, [node(graph, "R")])
    assert (found.retained_bytes[node(graph, "X")], found.immediate[node(graph, "X")]) == (7, -1)


@pytest.mark.parametrize("length", [100_000])
def test_a_deep_chain_needs_no_recursion(length: int) -> None:
    graph = from_edges(length, [(i, i + 1) for i in range(length - 1)])
    found = dominators(graph, [0])
    assert found.retained_bytes[0] == length
    assert found.immediate[-1] == length - 2


def test_a_linked_list_held_at_both_ends() -> None:
    """The shape of an LRU cache, on which iterative algorithms are quadratic."""
    length = 30_000
    forth = [(i, i + 1) for i in range(1, length - 1)]
    edges = [(0, 1), (0, length - 1), *forth, *((b, a) for a, b in forth)]
    found = dominators(from_edges(length, edges), [0])
    assert set(found.immediate[1:].tolist()) == {0}
    assert found.retained_bytes[0] == length


def test_a_star() -> None:
    found = dominators(from_edges(50_000, [(0, i) for i in range(1, 50_000)]), [0])
    assert found.retained_bytes[0] == 50_000
