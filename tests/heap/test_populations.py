"""Folded paths: the same population across snapshots, however long a chain and wherever objects lie."""

from __future__ import annotations

from collections import Counter

import pytest
from drawing import draw

from labkit.heap.graph import Graph
from labkit.heap.paths import nearest_paths
from labkit.heap.populations import Populations

MODULES = [("M", "module")]


def folded(populations: Populations, graph: Graph) -> Counter[str]:
    """Objects per folded path, the path as text."""
    numbers = populations.fold(nearest_paths(graph))
    return Counter(" ".join(f"{row.edge}:{row.type}" for row in populations.path(one)) for one in numbers.tolist())


def store(count: int) -> Graph:
    text = "M<__dict__> -> D  D['STORE'] -> S  " + "  ".join(f"S[*] -> X{i}  X{i}.who -> W{i}" for i in range(count))
    types = {"M": "module", "D": "dict", "S": "dict"} | {f"X{i}": "shop.Session" for i in range(count)}
    return draw(text, roots=MODULES, types=types, own_names={"M": "shop"})


def test_members_of_a_container_are_one_population() -> None:
    found = folded(Populations(), store(40))
    assert found["module M:module __dict__:dict .STORE:dict [*]:shop.Session"] == 40
    assert found["module M:module __dict__:dict .STORE:dict [*]:shop.Session .who:object"] == 40


def test_snapshots_share_their_numbers() -> None:
    populations = Populations()
    first = Counter(populations.fold(nearest_paths(store(10))).tolist())
    second = Counter(populations.fold(nearest_paths(store(25))).tolist())
    assert set(first) == set(second)
    assert sorted(second[one] - first[one] for one in first) == [0, 0, 0, 15, 15]


@pytest.mark.parametrize("length", [10, 500])
def test_a_linked_list_of_any_length_is_few_populations(length: int) -> None:
    text = "M<__dict__> -> D  D['head'] -> N0  " + "  ".join(f"N{i}.next -> N{i + 1}" for i in range(length))
    types = {"M": "module", "D": "dict"} | {f"N{i}": "shop.Node" for i in range(length + 1)}
    found = folded(Populations(), draw(text, roots=MODULES, types=types))
    assert len(found) <= 4
    assert max(found.values()) >= length


def test_a_list_in_a_list_is_kept_apart_once() -> None:
    text = "M<__dict__> -> D  D['L'] -> A  A[0] -> B  B[0] -> C  C[0] -> E  E[0] -> F"
    types = {"M": "module", "D": "dict"} | dict.fromkeys("ABCEF", "list")
    found = folded(Populations(), draw(text, roots=MODULES, types=types))
    assert found["module M:module __dict__:dict .L:list [*]:list"] == 1
    assert found["module M:module __dict__:dict .L:list [*]:list [*]:list"] == 3


def test_an_instances_namespace_is_not_its_modules() -> None:
    """Both are reached by ``__dict__``; folding one into the other once made a module the retainer."""
    text = "M<__dict__> -> D  D['kept'] -> L  L[0] -> X  X<__dict__> -> I  I['v'] -> V"
    types = {"M": "module", "D": "dict", "L": "list", "X": "shop.Error", "I": "dict"}
    found = folded(Populations(), draw(text, roots=MODULES, types=types))
    assert found["module M:module __dict__:dict"] == 1
    assert found["module M:module __dict__:dict .kept:list [*]:shop.Error __dict__:dict"] == 1
