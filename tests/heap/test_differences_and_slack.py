"""What changed between two heaps against counting; room in containers against containers that grow."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable

import pytest
from drawing import draw, from_edges
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.heap.diff import Change, changes_by_population, changes_by_type
from labkit.heap.graph import Graph
from labkit.heap.paths import nearest_paths
from labkit.heap.slack import slack_by_type

NODES = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 99)), max_size=12)


def of_types(nodes: list[tuple[int, int]]) -> Graph:
    """Objects without references; two of the four types have one name."""
    snapshot = from_edges(len(nodes), [], [size for _, size in nodes]).snapshot
    snapshot.types[:] = ["a", "b", "a", "c"]
    snapshot.columns["node_type"][:] = [kind for kind, _ in nodes]
    return Graph(snapshot)


@settings(max_examples=200, deadline=None)
@given(NODES, NODES)
def test_types_against_counting(before: list[tuple[int, int]], after: list[tuple[int, int]]) -> None:
    graphs = of_types(before), of_types(after)
    found = {one.type: one for one in changes_by_type(*graphs)}
    counts = [Counter(graph.type_of(row) for row in range(graph.node_count)) for graph in graphs]
    assert set(found) == set(counts[0]) | set(counts[1])
    for name, one in found.items():
        sizes = [
            sum(int(graph.size_bytes[row]) for row in range(graph.node_count) if graph.type_of(row) == name)
            for graph in graphs
        ]
        assert one == Change(name, "", counts[0][name], counts[1][name], *sizes)
    gains = [one.bytes_after - one.bytes_before for one in changes_by_type(*graphs)]
    assert gains == sorted(gains, reverse=True)


def shop(sessions: int) -> Graph:
    text = "M<__dict__> -> D  D['STORE'] -> S  D['limit'] -> L  " + "  ".join(f"S[*] -> P{i}" for i in range(sessions))
    kinds = {"M": "module", "D": "dict", "S": "dict", "L": "int"} | {f"P{i}": "shop.Session" for i in range(sessions)}
    return draw(text, roots=[("M", "module")], types=kinds)


def test_a_population_is_followed_from_heap_to_heap() -> None:
    found = changes_by_population(nearest_paths(shop(3)), nearest_paths(shop(8)))
    assert found[0] == Change("shop.Session", "module M.STORE[*]", 3, 8, 30, 80)
    assert {(one.objects_before, one.objects_after) for one in found[1:]} == {(1, 1)}
    assert sum(one.bytes_after for one in found) == int(shop(8).size_bytes.sum())


def test_what_is_gone_is_the_smallest_gain() -> None:
    found = changes_by_population(nearest_paths(shop(2)), nearest_paths(shop(0)))
    assert (found[-1].type, found[-1].objects_before, found[-1].objects_after) == ("shop.Session", 2, 0)


def places(make: Callable[[int], object], count: int) -> tuple[int, int]:
    """Size of a container grown to ``count`` entries, and how many it takes until it must grow."""
    size = sys.getsizeof(make(count))
    while sys.getsizeof(make(count + 1)) == size:
        count += 1
    return size, count


def numbered(count: int) -> dict[int, None]:
    table: dict[int, None] = {}
    for key in range(count):
        table[key] = None
    return table


def named(count: int) -> dict[str, None]:
    table: dict[str, None] = {}
    for key in range(count):
        table[str(key)] = None
    return table


def members(count: int) -> set[int]:
    table: set[int] = set()
    for key in range(count):
        table.add(key)
    return table


def grown(count: int) -> list[None]:
    table: list[None] = []
    for _ in range(count):
        table.append(None)  # noqa: PERF401
    return table


@pytest.mark.parametrize("count", [1, 3, 5, 6, 11, 30, 100, 300, 2_000])
@pytest.mark.parametrize(
    ("make", "kind", "mark", "place_bytes"),
    [
        (numbered, "dict", "['k']", 24),
        (named, "dict", "['k']", 16),
        (members, "set", "", 16),
        (grown, "list", "[0]", 8),
    ],
)
def test_room_is_what_the_interpreter_still_takes(
    make: Callable[[int], object], kind: str, mark: str, place_bytes: int, count: int
) -> None:
    size, capacity = places(make, count)
    graph = draw("  ".join([f"C{mark} -> X"] * count), types={"C": kind}, sizes={"C": size})
    if kind == "set":
        graph.edge_kind[:] = 5
    (found,) = slack_by_type(graph)
    assert (found.type, found.objects, found.unread) == (kind, 1, 0)
    assert (found.capacity, found.used) == (capacity, count)
    assert found.unused_bytes == (capacity - count) * place_bytes


def test_empty_containers_and_odd_sizes() -> None:
    kinds = {"A": "list", "B": "dict", "C": "set", "D": "dict", "E": "list"}
    sizes = {name: sys.getsizeof(empty) for name, empty in (("A", []), ("B", {}), ("C", set()))}
    graph = draw("A -> B  B -> C  C -> D  D -> E", types=kinds, sizes=sizes | {"D": 104, "E": 61})
    found = {one.type: one for one in slack_by_type(graph)}
    assert (found["list"].objects, found["list"].unread, found["list"].capacity) == (2, 1, 0)
    assert (found["dict"].objects, found["dict"].unread, found["dict"].capacity) == (2, 1, 0)
    assert (found["set"].capacity, found["set"].unused_bytes) == (4, 64)
