"""Chains of every make fold, names of namespaces stay apart, and the order of rows and addresses means nothing."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest
from drawing import draw, from_edges, node

from labkit.agent import layout
from labkit.heap.graph import Graph
from labkit.heap.naming import chain_steps, dotted_name
from labkit.heap.paths import nearest_paths
from labkit.heap.populations import Populations

MODULES = [("M", "module")]
SHOP = {"M": "shop"}


def folded(graph: Graph, populations: Populations | None = None) -> Counter[str]:
    """Objects per folded path, the path as text."""
    known = populations if populations is not None else Populations()
    numbers = known.fold(nearest_paths(graph))
    return Counter(" ".join(f"{row.edge}:{row.type}" for row in known.path(one)) for one in numbers.tolist())


# ---- chains ------------------------------------------------------------------------------------------

#: One link of a chain from node ``{0}`` to node ``{1}``, and the types of its nodes.
LINKS = {
    "attribute": ("N{0}.next -> N{1}", {"N": "shop.Node"}),
    "attribute in a namespace": ("N{0}<__dict__> -> D{0}  D{0}['next'] -> N{1}", {"N": "shop.Node", "D": "dict"}),
    "both ways": ("N{0}.next -> N{1}  N{1}.last -> N{0}", {"N": "shop.Node"}),
    "two types in turn": ("N{0}.link -> L{0}  L{0}.node -> N{1}", {"N": "shop.Node", "L": "shop.Link"}),
    "pairs": ("N{0}[0] -> N{1}", {"N": "tuple"}),
    "dicts": ("N{0}['next'] -> N{1}", {"N": "dict"}),
    "lists of dicts": ("N{0}[0] -> D{0}  D{0}[*] -> N{1}", {"N": "list", "D": "dict"}),
    "unnamed": ("N{0} -> N{1}", {"N": "itertools.chain"}),
    "closures": (
        "N{0}<__closure__> -> T{0}  T{0}[0] -> C{0}  C{0}{{call}} -> N{1}",
        {"N": "function", "T": "tuple", "C": "cell"},
    ),
    "generators": ("N{0}(inner) -> N{1}", {"N": "generator"}),
    "exceptions": ("N{0}<__context__> -> N{1}", {"N": "shop.Refused"}),
    "frames": ("N{0}<f_back> -> N{1}", {"N": "frame"}),
    "partials": ("N{0}.func -> N{1}  N{0}.args -> A{0}", {"N": "functools.partial", "A": "tuple"}),
}


def chain(link: str, length: int) -> Graph:
    drawn, kinds = LINKS[link]
    text = "M<__dict__> -> G  G['head'] -> N0  " + "  ".join(drawn.format(i, i + 1) for i in range(length))
    types = {f"{letter}{i}": kind for letter, kind in kinds.items() for i in range(length + 1)}
    return draw(text, roots=MODULES, types={"M": "module", "G": "dict", **types}, own_names=SHOP)


@pytest.mark.parametrize("link", LINKS)
def test_a_chain_of_any_make_is_few_populations(link: str) -> None:
    """Few, as many for 300 links as for 30, and the links all in one: else no rung would gain in any of them."""
    short, long = folded(chain(link, 30)), folded(chain(link, 300))
    assert set(short) == set(long)
    assert len(long) <= 14
    per_path = [long[path] - short[path] for path in long]
    assert sum(per_path) == chain(link, 300).node_count - chain(link, 30).node_count
    assert {gain for gain in per_path if gain} <= {300 - 30}


def test_a_tree_is_few_populations() -> None:
    text = "M<__dict__> -> G  G['root'] -> N1  " + "  ".join(
        f"N{i}.children -> L{i}  L{i}[0] -> N{2 * i}  L{i}[1] -> N{2 * i + 1}" for i in range(1, 128)
    )
    types = {f"N{i}": "shop.Node" for i in range(256)} | {f"L{i}": "list" for i in range(256)}
    found = folded(draw(text, roots=MODULES, types={"M": "module", "G": "dict", **types}))
    assert len(found) <= 7
    assert max(found.values()) >= 128


def test_a_chain_of_100_000_is_folded_and_named_without_recursion() -> None:
    length = 100_000
    graph = from_edges(length, [(i, i + 1) for i in range(length - 1)])
    graph.snapshot.labels.append("m")
    for name in ("root_node", "root_kind", "root_label"):
        graph.snapshot.columns[name] = np.zeros(1, dtype=layout.COLUMNS[name][0])
    tree = nearest_paths(graph)
    populations = Populations()
    assert len(tree.chain(length - 1)) == length
    assert Counter(populations.fold(tree).tolist()).most_common(1)[0][1] >= length - 3
    assert len(chain_steps(tree, length - 1)) < 10


@pytest.mark.parametrize("link", LINKS)
def test_the_name_of_the_last_of_a_long_chain_is_short(link: str) -> None:
    graph = chain(link, 300)
    tree = nearest_paths(graph)
    last = node(graph, "N300")
    assert dotted_name(tree, last).startswith(("shop.head", "shop.Node.", "shop.Link.", "functools.partial."))
    assert len(dotted_name(tree, last)) < 300
    assert dotted_name(tree, node(graph, "N0")) == "shop.head"


# ---- what must stay apart ----------------------------------------------------------------------------


def test_an_attribute_called_like_the_modules_store_is_no_repetition() -> None:
    """``shop.items`` holds orders, and each order has ``items``: folded into one, the module would be the retainer."""
    orders = "  ".join(f"S[*] -> O{i}  O{i}<__dict__> -> I{i}  I{i}['items'] -> L{i}" for i in range(40))
    types = {"M": "module", "G": "dict", "S": "dict"}
    types |= {f"O{i}": "shop.Order" for i in range(40)} | {f"{k}{i}": "dict" for k in "IL" for i in range(40)}
    found = folded(draw(f"M<__dict__> -> G  G['items'] -> S  {orders}", roots=MODULES, types=types))
    store = "module M:module __dict__:dict .items:dict"
    assert found[store] == 1
    assert found[f"{store} [*]:shop.Order __dict__:dict .items:dict"] == 40


def test_attributes_of_one_container_stay_apart_by_name() -> None:
    text = "M<__dict__> -> G  G['A'] -> A  G['B'] -> B  A[*] -> X  A[*] -> Y  B[*] -> Z"
    types = {"M": "module", "G": "dict", "A": "dict", "B": "dict", "X": "x.X", "Y": "x.X", "Z": "x.X"}
    found = folded(draw(text, roots=MODULES, types=types))
    assert found["module M:module __dict__:dict .A:dict [*]:x.X"] == 2
    assert found["module M:module __dict__:dict .B:dict [*]:x.X"] == 1


def test_keys_of_a_store_fold_though_they_could_be_shown() -> None:
    text = "M<__dict__> -> G  G['S'] -> S  S['admin'] -> X  S['guest'] -> Y"
    types = {"M": "module", "G": "dict", "S": "dict", "X": "x.X", "Y": "x.X"}
    found = folded(draw(text, roots=MODULES, types=types))
    assert found["module M:module __dict__:dict .S:dict [*]:x.X"] == 2


def test_classes_and_functions_in_a_container_are_one_population() -> None:
    """Made while serving, each has a name of its own, and so have its parts."""
    text = "M<__dict__> -> G  G['L'] -> L  L[0] -> A  L[1] -> B  A<__dict__> -> D  B<__dict__> -> E"
    text += "  D['f'] -> F  E['f'] -> H"
    types = {"M": "module", "G": "dict", "L": "list", "A": "type", "B": "shop.Meta", "D": "dict", "E": "dict"}
    types |= {"B": "type", "F": "function", "H": "function"}
    graph = draw(text, roots=MODULES, types=types, own_names={"A": "shop.A", "B": "shop.B", "F": "A.f", "H": "B.f"})
    populations = Populations()
    folded(graph, populations)
    assert [(row.type, row.name) for row in populations.rows if row.type in ("type", "function")] == [
        ("type", ""),
        ("function", ""),
    ]


def test_classes_and_functions_with_a_name_in_a_namespace_stay_apart() -> None:
    text = "M<__dict__> -> G  G['A'] -> A  G['B'] -> B  G['C'] -> C"
    types = {"M": "module", "G": "dict", "A": "function", "B": "function", "C": "function"}
    graph = draw(text, roots=MODULES, types=types, own_names={"A": "shop.a", "B": "shop.b", "C": "shop.b"})
    populations = Populations()
    folded(graph, populations)
    assert sorted(row.name for row in populations.rows if row.type == "function") == ["shop.a", "shop.b", "shop.b"]


def test_threads_are_told_from_the_main_thread_but_not_from_each_other() -> None:
    roots = [("F1", "thread"), ("F2", "thread"), ("main thread", "thread")]
    graph = draw("F1(x) -> X  F2(x) -> Y", roots=roots, types={"F1": "frame", "F2": "frame", "main thread": "frame"})
    found = folded(graph)
    assert found["thread thread:frame"] == 2
    assert found["thread thread:frame local x:object"] == 2
    assert found["thread main thread:frame"] == 1


def test_numbers_of_earlier_snapshots_stay_and_parents_come_first() -> None:
    populations = Populations()
    first = folded(chain("attribute", 3), populations)
    before = list(populations.rows)
    folded(chain("closures", 12), populations)
    assert populations.rows[: len(before)] == before
    assert folded(chain("attribute", 3), populations) == first
    assert all(row.parent < number for number, row in enumerate(populations.rows))
    assert all(row.depth == len(populations.path(number)) - 1 for number, row in enumerate(populations.rows))
    for number, children in enumerate(populations.children()):
        assert all(populations.rows[child].parent == number for child in children)


# ---- order -------------------------------------------------------------------------------------------


def rearranged(graph: Graph, seed: int) -> Graph:
    """The same heap with its rows in another order and at other addresses; edges keep their order per object."""
    old = graph.snapshot.columns
    order = np.random.default_rng(seed).permutation(graph.node_count)  # new row -> old row
    new_row = np.argsort(order)
    columns = {name: column[order] if name.startswith("node_") else column for name, column in old.items()}
    columns["node_address"] = old["node_address"] + np.uint64(0x7F00_0000_0000)
    edges = np.concatenate([np.arange(*old["edge_start"][row : row + 2]) for row in order]).astype(int)
    columns["edge_target"] = new_row[old["edge_target"][edges]].astype("<u4")
    columns["edge_kind"], columns["edge_label"] = old["edge_kind"][edges], old["edge_label"][edges]
    columns["edge_start"] = np.concatenate(([0], np.cumsum(np.diff(old["edge_start"])[order]))).astype("<u8")
    columns["root_node"] = new_row[old["root_node"]].astype("<u4")
    return Graph(dataclasses.replace(graph.snapshot, columns=columns))


def mixed() -> Graph:
    """Two modules, a thread and a native holder, with much that several of them refer to."""
    text = """
        M<__dict__> -> G     G['STORE'] -> S     G['view'] -> V     V<__closure__> -> T   T[0] -> C   C{seen} -> L
        N<__dict__> -> H     H['index'] -> J     J['a'] -> X1       J['b'] -> X2
        F(request) -> R      R.session -> X3     R.again -> X1      P.items -> Q          Q[0] -> X3  Q[1] -> Z
        L[0] -> X1   L[1] -> X1   L[2] -> Y
    """ + "  ".join(f"S[*] -> X{i}  X{i}<__dict__> -> A{i}  A{i}['basket'] -> B{i}" for i in range(12))
    types = {"M": "module", "N": "module", "G": "dict", "H": "dict", "S": "dict", "J": "dict", "V": "function"}
    types |= {"T": "tuple", "C": "cell", "L": "list", "F": "frame", "R": "web.Request", "P": "native.Pool", "Q": "list"}
    types |= {f"X{i}": "shop.Session" for i in range(12)} | {f"A{i}": "dict" for i in range(12)}
    types |= {f"B{i}": "list" for i in range(12)}
    roots = [("F", "thread"), ("M", "module"), ("N", "module")]
    own = {"M": "shop", "N": "shop.index", "V": "shop.make.<locals>.view", "F": "shop.serve"}
    return draw(text, roots=roots, types=types, own_names=own, extra_refs={"P": 2})


@pytest.mark.parametrize("seed", range(10))
def test_row_order_and_addresses_mean_nothing(seed: int) -> None:
    graph = mixed()
    other = rearranged(graph, seed)
    assert folded(other) == folded(graph)
    populations = Populations()
    assert set(populations.fold(nearest_paths(graph)).tolist()) == set(populations.fold(nearest_paths(other)).tolist())


def test_the_same_file_gives_the_same_tree() -> None:
    first, second = nearest_paths(mixed()), nearest_paths(mixed())
    for column in ("order", "parent", "parent_edge", "root_of"):
        assert getattr(first, column).tolist() == getattr(second, column).tolist()


def test_of_equally_near_holders_the_first_recorded_wins() -> None:
    graph = draw("M.a -> A  M.b -> B  A.x -> X  B.x -> X", roots=MODULES)
    tree = nearest_paths(graph)
    assert tree.parent[node(graph, "X")] == node(graph, "A")
    roots = [("B", "module"), ("A", "module")]
    graph = draw("A.x -> X  B.x -> X", roots=roots)
    assert nearest_paths(graph).parent[node(graph, "X")] == node(graph, "B")


def test_a_node_that_is_two_roots_is_reached_once() -> None:
    graph = draw("M.x -> X", roots=[("M", "module"), ("M", "module"), ("X", "thread"), ("M", "builtin-type")])
    tree = nearest_paths(graph)
    assert sorted(tree.order) == [0, 1]
    assert tree.root_kind(node(graph, "X")) == "module"
