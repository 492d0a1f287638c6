"""A path begins where the code that defines a thing refers to it, not at somebody who imported it."""

from __future__ import annotations

import pytest
from drawing import draw, node

from labkit.heap.naming import chain_steps, dotted_name
from labkit.heap.paths import nearest_paths

TYPES = {
    "M": "module",
    "N": "module",
    "D": "dict",
    "E": "dict",
    "T": "dict",
    "K": "type",
    "S": "dict",
    "G": "lib.log.Table",
}
BOTH = "M<__dict__> -> D  N<__dict__> -> E  "


def said(
    text: str, first: str, second: str, libraries: tuple[str, ...] = ("lib",), **own: str
) -> tuple[str, list[str]]:
    graph = draw(
        BOTH + text, roots=[("M", "module"), ("N", "module")], types=TYPES, own_names={"M": first, "N": second, **own}
    )
    graph.snapshot.header["libraries"] = list(libraries)
    tree = nearest_paths(graph)
    return dotted_name(tree, node(graph, "T")), chain_steps(tree, node(graph, "T"))


def test_an_object_is_named_by_the_module_of_its_class() -> None:
    name, steps = said("D['log'] -> G  E['main'] -> G  G.rows -> T", "shop", "lib.log")
    assert name == "lib.log.main.rows"
    assert steps == ["module lib.log", "main", "lib.log.Table", "rows", "dict"]


def test_an_attribute_of_a_class_of_that_module_is_a_home_too() -> None:
    name, steps = said(
        "D['log'] -> G  E['Log'] -> K  K<__dict__> -> S  S['main'] -> G  G.rows -> T",
        "shop",
        "lib.log",
        K="lib.log.Log",
    )
    assert name == "lib.log.Log.main.rows"
    assert steps[:2] == ["module lib.log", "Log"]


def test_an_object_that_only_the_app_holds_stays_the_apps() -> None:
    assert said("D['log'] -> G  G.rows -> T", "shop", "lib.log")[0] == "shop.log.rows"


def test_a_foreign_module_that_holds_it_is_no_home() -> None:
    assert said("D['log'] -> G  E['main'] -> G  G.rows -> T", "shop", "other")[0] == "shop.log.rows"


def test_a_container_goes_by_the_library_rather_than_by_the_app() -> None:
    assert said("D['HANDLERS'] -> T  E['_handlers'] -> T", "shop", "lib.log")[0] == "lib.log._handlers"


def test_a_container_goes_by_the_module_rather_than_by_its_package() -> None:
    assert said("D['STORE'] -> T  E['STORE'] -> T", "shop", "shop.sessions")[0] == "shop.sessions.STORE"


@pytest.mark.parametrize(("first", "second"), [("shop", "market"), ("lib.log", "shop"), ("shop.sessions", "shop")])
def test_otherwise_the_nearest_path_stays(first: str, second: str) -> None:
    assert said("D['STORE'] -> T  E['STORE'] -> T", first, second)[0] == f"{first}.STORE"


def test_no_path_runs_through_a_thing_to_reach_it() -> None:
    """The class is reached only through its own instance, which is also its attribute."""
    text = "D['log'] -> G  G.kind -> K  K<__dict__> -> S  S['main'] -> G  G.rows -> T"
    assert said(text, "shop", "lib.log", K="lib.log.Log")[0] == "shop.log.rows"
