"""The compiled loops give what their plain twins give, are linear on hard shapes, and refuse what is no graph."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from drawing import from_edges
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.heap import kernels, plain
from labkit.heap.dominators import dominators
from labkit.heap.graph import Graph

compiled = kernels.compiled


def test_the_loops_are_compiled_here() -> None:
    """Where the tests run there is a compiler; without this test a broken build would pass as slow."""
    assert compiled is not None, "labkit.heap._kernels was not built; was there a C compiler at set-up?"


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Graph, list[int]]:
    """Any graph: cycles, self-loops, parallel edges, parts no root reaches, roots given twice."""
    count = draw(st.integers(1, 25))
    node = st.integers(0, count - 1)
    edges = draw(st.lists(st.tuples(node, node), max_size=80))
    sizes = draw(st.lists(st.integers(0, 1000), min_size=count, max_size=count))
    return from_edges(count, edges, sizes), draw(st.lists(node, max_size=6))


def columns(count: int, *, number: int) -> list[np.ndarray]:
    return [np.full(count, -1, np.int32) for _ in range(number)]


@given(graphs(), st.data())
@settings(max_examples=400, deadline=None)
def test_nearest_paths(made: tuple[Graph, list[int]], data: st.DataObject) -> None:
    graph, roots = made
    stages = sorted(data.draw(st.lists(st.integers(0, 3), min_size=len(roots), max_size=len(roots))))
    gaps = data.draw(st.lists(st.integers(0, 1), min_size=graph.node_count, max_size=graph.node_count))
    given_ = (np.array(roots, np.int32), np.array(stages, np.int32), np.array(gaps, np.uint8))
    answers = []
    for loops in (compiled, plain):
        filled = columns(graph.node_count, number=4)
        held = loops.nearest(graph.edge_start, graph.edge_target, *given_, *filled)
        answers.append((held, [column.tolist() for column in filled]))
    assert answers[0] == answers[1]


@given(graphs())
@settings(max_examples=400, deadline=None)
def test_dominators(made: tuple[Graph, list[int]]) -> None:
    graph, roots = made
    answers = []
    for loops in (compiled, plain):
        (immediate,), retained = columns(graph.node_count, number=1), graph.size_bytes.copy()
        loops.dominators(graph.edge_start, graph.edge_target, np.array(roots, np.int32), immediate, retained)
        answers.append((immediate.tolist(), retained.tolist()))
    assert answers[0] == answers[1]


@given(graphs())
@settings(max_examples=200, deadline=None)
def test_incoming_edges(made: tuple[Graph, list[int]]) -> None:
    graph, _ = made
    answers = []
    for loops in (compiled, plain):
        start, edges = np.zeros(graph.node_count + 2, np.int64), np.empty(len(graph.edge_target), np.int32)
        loops.incoming(graph.edge_start, graph.edge_target, start, edges)
        answers.append((start[:-1].tolist(), edges.tolist()))
    assert answers[0] == answers[1]
    start, edges = answers[0]
    sources = np.repeat(np.arange(graph.node_count), np.diff(graph.edge_start)).tolist()
    for node in range(graph.node_count):
        slow = [edge for edge in range(len(sources)) if graph.edge_target[edge] == node]
        assert edges[start[node] : start[node + 1]] == slow


@given(graphs(), st.data())
@settings(max_examples=300, deadline=None)
def test_populations(made: tuple[Graph, list[int]], data: st.DataObject) -> None:
    graph, roots = made
    order, parent, parent_edge, root_of = columns(graph.node_count, number=4)
    no_gaps = np.zeros(graph.node_count, np.uint8)
    nodes = np.array(roots, np.int32)
    stages = np.zeros(len(roots), np.int32)
    plain.nearest(graph.edge_start, graph.edge_target, nodes, stages, no_gaps, order, parent, parent_edge, root_of)
    few = st.lists(st.integers(0, 2), min_size=graph.node_count, max_size=graph.node_count)
    step, thing = np.array(data.draw(few), np.int64) << 40, np.array(data.draw(few), np.int64) << 32
    answers = []
    for loops in (compiled, plain):
        asked: list[tuple[int, int]] = []

        def ask(node: int, above: int, asked: list[tuple[int, int]] = asked) -> int:
            asked.append((node, above))
            return len(asked) // 2  # numbers come again, as in a path that repeats itself

        number = np.zeros(graph.node_count, np.int32)
        loops.fold(order, parent, step, thing, number, ask)
        answers.append((number.tolist(), asked))
    assert answers[0] == answers[1]


def test_many_populations() -> None:
    """More combinations than the table has places at first."""
    count = 50_000
    order, parent = np.arange(count, dtype=np.int32), np.full(count, 0, np.int32)
    parent[0] = -1
    step, thing = np.arange(count, dtype=np.int64) % 9_973, np.arange(count, dtype=np.int64) // 9_973
    number = np.zeros(count, np.int32)
    compiled.fold(order, parent, step, thing, number, lambda node, above: node)
    assert number.tolist() == list(range(count))


def test_a_fault_while_folding_is_passed_on() -> None:
    def ask(node: int, above: int) -> int:
        raise KeyError(node)

    row = np.zeros(1, np.int32)
    with pytest.raises(KeyError):
        compiled.fold(row, row - 1, np.zeros(1, np.int64), np.zeros(1, np.int64), row.copy(), ask)


# ---- shapes that some algorithms cannot bear ---------------------------------------------------------


def chain(count: int) -> list[tuple[int, int]]:
    return [(place, place + 1) for place in range(count - 1)]


def linked_both_ways(count: int) -> list[tuple[int, int]]:
    return chain(count) + [(b, a) for a, b in chain(count)]


@pytest.mark.parametrize(
    ("count", "edges", "roots", "immediate"),
    [
        (1_000_000, chain, [0], lambda node: node - 1),
        (1_000_000, lambda count: [(0, node) for node in range(1, count)], [0], lambda node: 0 if node else -1),
        (100_000, linked_both_ways, [0, 99_999], lambda node: -1),
        (
            2_000,
            lambda count: [(a, b) for a in range(count) for b in range(count)],
            [0],
            lambda node: 0 if node else -1,
        ),
    ],
    ids=["a chain", "a star", "a list held at both ends", "a complete graph"],
)
def test_hard_shapes(
    count: int, edges: Callable[[int], list[tuple[int, int]]], roots: list[int], immediate: Callable[[int], int]
) -> None:
    graph = from_edges(count, edges(count))
    found = dominators(graph, roots)
    assert found.immediate.tolist() == [immediate(node) for node in range(count)]


# ---- what is no graph is refused ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "target", "roots"),
    [
        ([0, 1], [7], [0]),  # an edge to no node
        ([0, 2], [0], [0]),  # more edges than there are
        ([1, 1], [0], [0]),  # the first edge belongs to nobody
        ([0, 2, 1], [0], [0]),  # starts that descend
        ([0, 1], [0], [1]),  # a root that is no node
        ([0, 1], [0], [-1]),
    ],
)
def test_what_is_no_graph_is_refused(start: list[int], target: list[int], roots: list[int]) -> None:
    nodes = len(start) - 1
    edges = np.array(start, np.int64), np.array(target, np.uint32)
    with pytest.raises(ValueError, match="does not fit the graph"):
        compiled.dominators(*edges, np.array(roots, np.int32), np.zeros(nodes, np.int32), np.zeros(nodes, np.int64))


def test_columns_of_the_wrong_kind_are_refused() -> None:
    start, target, root = np.array([0, 1], np.int64), np.array([0], np.uint32), np.zeros(1, np.int32)
    for wrong in (start.astype(np.int32), start[:1]):
        with pytest.raises(ValueError, match="does not fit the graph"):
            compiled.dominators(wrong, target, root, root.copy(), np.zeros(1, np.int64))
    with pytest.raises(ValueError, match="immediate does not fit the graph"):
        compiled.dominators(start, target, root, np.zeros(2, np.int32), np.zeros(1, np.int64))
    frozen = np.zeros(1, np.int64)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        compiled.dominators(start, target, root, root.copy(), frozen)
