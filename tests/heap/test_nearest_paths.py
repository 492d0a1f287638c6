"""The nearest path and its order of preference."""

from __future__ import annotations

import random

import networkx as nx
import numpy as np
import pytest
from drawing import draw, from_edges, node
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.heap.graph import Graph
from labkit.heap.naming import chain_steps, dotted_name
from labkit.heap.paths import nearest_paths
from labkit.heap.roots import GARBAGE, HELD_FROM_C, held_from_c, reference_gaps
from labkit.store import layout

MODULES = [("M", "module")]
MODULE = {"M": "module"}
SHOP = {"M": "shop.sessions"}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=40))
def test_lengths_equal_networkx(edges: list[tuple[int, int]]) -> None:
    graph = from_edges(12, edges)
    graph.snapshot.labels.append("m")
    for name, value in (("root_node", 0), ("root_kind", 0), ("root_label", 0)):
        graph.snapshot.columns[name] = graph.snapshot.columns["node_type"][:1] * 0 + value
    tree = nearest_paths(graph)
    theirs = nx.DiGraph(edges)
    theirs.add_node(0)
    expected = nx.single_source_shortest_path_length(theirs, 0)
    assert sorted(tree.order) == list(range(12))
    for one in range(12):
        if tree.root_kind(one) == "module":
            assert len(tree.chain(one)) - 1 == expected[one]
        else:
            assert one not in expected


def kinds(graph: Graph) -> dict[str, str]:
    tree = nearest_paths(graph)
    return {name: tree.root_kind(place) for place, name in enumerate(graph.names)}  # type: ignore[attr-defined]


def test_modules_come_before_threads_however_near() -> None:
    graph = draw("M.a -> A  A.b -> B  B.x -> X  F.x -> X", roots=[("F", "thread"), ("M", "module")])
    assert kinds(graph)["X"] == "module"


def test_threads_come_before_builtin_types() -> None:
    graph = draw("T.x -> X  F.y -> Y  Y.x -> X", roots=[("T", "builtin-type"), ("F", "thread")])
    assert kinds(graph)["X"] == "thread"


def test_an_unseen_holder_is_held_from_c_and_a_cycle_is_garbage() -> None:
    graph = draw("M.a -> A  H.p -> P  X.y -> Y  Y.x -> X", roots=MODULES, extra_refs={"H": 1})
    found = kinds(graph)
    assert (found["H"], found["P"]) == (HELD_FROM_C, HELD_FROM_C)
    assert (found["X"], found["Y"]) == (GARBAGE, GARBAGE)


def test_parallel_edges_count_as_often_as_they_are_there() -> None:
    graph = draw("M.a -> A  A[0] -> X  A[1] -> X", roots=MODULES, extra_refs={"X": 1})
    assert reference_gaps(graph)[node(graph, "X")] == 1
    assert held_from_c(graph).tolist() == [node(graph, "X")]


def test_immortal_objects_prove_nothing() -> None:
    graph = draw("M.a -> A", roots=MODULES)
    graph.refcount[node(graph, "A")] = -1
    assert reference_gaps(graph)[node(graph, "A")] == 0


def name(graph: Graph, target: str) -> str:
    return dotted_name(nearest_paths(graph), node(graph, target))


def test_a_module_attribute() -> None:
    graph = draw(
        "M<__dict__> -> D  D['STORE'] -> S  S[*] -> X",
        roots=MODULES,
        types={"M": "module", "D": "dict", "S": "dict", "X": "shop.Session"},
        own_names=SHOP,
    )
    assert name(graph, "S") == "shop.sessions.STORE"
    steps = chain_steps(nearest_paths(graph), node(graph, "X"))
    assert steps == ["module shop.sessions", "STORE", "dict", "[*]", "shop.Session"]


def test_an_instance_attribute_far_from_its_module_goes_by_its_class() -> None:
    graph = draw(
        "M<__dict__> -> D  D['app'] -> A  A.router -> R  R.nodes -> L  L[0] -> E  E.held -> H",
        roots=MODULES,
        types={
            "M": "module",
            "D": "dict",
            "A": "falcon.App",
            "R": "falcon.Router",
            "L": "list",
            "E": "shop.Export",
            "H": "dict",
        },
        own_names=SHOP,
    )
    assert name(graph, "H") == "shop.Export.held"


def test_an_instance_attribute_near_its_module_goes_by_the_path() -> None:
    graph = draw(
        "M<__dict__> -> D  D['bus'] -> B  B._handlers -> L",
        roots=MODULES,
        types={"M": "module", "D": "dict", "B": "shop.Bus", "L": "list"},
        own_names=SHOP,
    )
    assert name(graph, "L") == "shop.sessions.bus._handlers"


def test_a_class_attribute_and_a_cached_method() -> None:
    graph = draw(
        "M<__dict__> -> D  D['Price'] -> C  C<__dict__> -> N  N['total'] -> W  W -> K  N['seen'] -> L",
        roots=MODULES,
        types={
            "M": "module",
            "D": "dict",
            "C": "type",
            "N": "dict",
            "W": "functools._lru_cache_wrapper",
            "K": "dict",
            "L": "list",
        },
        own_names={**SHOP, "C": "shop.prices.Price"},
    )
    assert name(graph, "L") == "shop.prices.Price.seen"
    assert name(graph, "W") == "shop.prices.Price.total"


def test_a_closure_variable() -> None:
    graph = draw(
        "M<__dict__> -> D  D['view'] -> F  F<__closure__> -> T  T[0] -> C  C{seen} -> L",
        roots=MODULES,
        types={"M": "module", "D": "dict", "F": "function", "T": "tuple", "C": "cell", "L": "list"},
        own_names={**SHOP, "F": "shop.make.<locals>.view"},
    )
    assert name(graph, "L") == "shop.make.<locals>.view.seen"


def test_a_dict_key_from_the_program_text_is_no_attribute() -> None:
    graph = draw(
        "M<__dict__> -> D  D['LOG'] -> S  S['text'] -> X",
        roots=MODULES,
        types={"M": "module", "D": "dict", "S": "dict", "X": "bytearray"},
        own_names=SHOP,
    )
    assert name(graph, "X") == "shop.sessions.LOG['text']"


@pytest.mark.parametrize("seed", range(20))
def test_cut_references_are_not_followed(seed: int) -> None:
    """Against a walk over the graph without them."""
    chance = random.Random(seed)
    edges = [(chance.randrange(40), chance.randrange(40)) for _ in range(90)]
    cut = chance.sample(range(40), 3)
    graph = from_edges(40, edges)
    graph.snapshot.labels.append("m")
    for name, value in (("root_node", 0), ("root_kind", layout.ROOT_KINDS.index("module")), ("root_label", 0)):
        graph.snapshot.columns[name] = np.array([value])
    seen, ahead = {0}, [0]
    while ahead:
        here = ahead.pop()
        below = {b for a, b in edges if a == here and a not in cut} - seen
        seen |= below
        ahead += below
    tree = nearest_paths(graph, cut)
    assert {row for row in range(40) if tree.root_kind(row) == "module"} == seen
    assert (tree.graph.edge_target == from_edges(40, edges).edge_target).all()
