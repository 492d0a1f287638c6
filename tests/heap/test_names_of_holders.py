"""The dotted name and the steps a programmer would expect, and what is said where names are missing or hostile."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from drawing import Roots, draw, node

from labkit.heap.graph import Graph
from labkit.heap.naming import chain_steps, dotted_name
from labkit.heap.paths import nearest_paths

MODULES = [("M", "module")]
BASE = {"M": "module", "D": "dict"}


def said(
    text: str,
    types: Mapping[str, str],
    own: Mapping[str, str] | None = None,
    *,
    of: str = "L",
    roots: Roots = MODULES,
    extra_refs: Mapping[str, int] | None = None,
) -> tuple[str, list[str]]:
    """The name and the steps of node L in the module ``shop.api``."""
    names = {"M": "shop.api", **(own or {})}
    graph: Graph = draw(text, roots=roots, types={**BASE, **types}, own_names=names, extra_refs=extra_refs)
    tree = nearest_paths(graph)
    return dotted_name(tree, node(graph, of)), chain_steps(tree, node(graph, of))


def test_a_default_of_a_function() -> None:
    name, steps = said(
        "M<__dict__> -> D  D['view'] -> F  F<__defaults__> -> U  U[0] -> L",
        {"F": "function", "U": "tuple", "L": "list"},
        {"F": "shop.api.view"},
    )
    assert name == "shop.api.view.__defaults__"
    assert steps == ["module shop.api", "view", "shop.api.view", "__defaults__", "tuple", "[*]", "list"]


def test_a_default_given_by_keyword() -> None:
    name, _ = said(
        "M<__dict__> -> D  D['view'] -> F  F<__kwdefaults__> -> K  K['seen'] -> L",
        {"F": "function", "K": "dict", "L": "list"},
        {"F": "shop.api.view"},
    )
    assert name == "shop.api.view.__kwdefaults__.seen"


@pytest.mark.parametrize("inside", ["S.seen -> L", "S<__dict__> -> I  I['seen'] -> L"])
def test_the_self_of_a_bound_method(inside: str) -> None:
    name, steps = said(
        f"M<__dict__> -> D  D['hook'] -> B  B<__self__> -> S  {inside}",
        {"B": "method", "S": "shop.Bus", "I": "dict", "L": "list"},
    )
    assert name == "shop.api.hook.seen"
    assert steps == ["module shop.api", "hook", "method", "__self__", "shop.Bus", "seen", "list"]


@pytest.mark.parametrize("where", ["attributes", "namespaces"])
def test_three_plain_attributes_are_named_in_full_and_more_go_by_the_class(where: str) -> None:
    def link(owner: str, label: str, target: str) -> str:
        if where == "attributes":
            return f"{owner}.{label} -> {target}"
        return f"{owner}<__dict__> -> {owner}s  {owner}s['{label}'] -> {target}"

    types = {"A": "x.App", "B": "x.Bus", "C": "x.Cache", "L": "list", "As": "dict", "Bs": "dict", "Cs": "dict"}
    start = "M<__dict__> -> D  D['app'] -> A  "
    short, _ = said(start + link("A", "bus", "B") + "  " + link("B", "seen", "L"), types)
    long, steps = said(
        start + "  ".join((link("A", "bus", "B"), link("B", "cache", "C"), link("C", "seen", "L"))), types
    )
    assert short == "shop.api.app.bus.seen"
    assert long == "x.Cache.seen"
    assert steps == ["module shop.api", "app", "x.App", "bus", "x.Bus", "cache", "x.Cache", "seen", "list"]


def test_a_module_in_a_module_goes_by_its_own_name() -> None:
    name, _ = said(
        "M<__dict__> -> D  D['inner'] -> N  N<__dict__> -> E  E['STORE'] -> L",
        {"N": "module", "E": "dict", "L": "list"},
        {"N": "shop.inner"},
    )
    assert name == "shop.inner.STORE"


def test_containers_in_containers_are_said_once() -> None:
    name, steps = said(
        "M<__dict__> -> D  D['STORE'] -> A  A[0] -> B  B[*] -> C  C[1] -> L",
        {"A": "list", "B": "dict", "C": "list", "L": "list"},
    )
    assert name == "shop.api.STORE"
    assert steps == ["module shop.api", "STORE", "list", "[*]", "dict", "[*]", "list", "[*]", "list"]


def test_a_local_variable_of_a_thread() -> None:
    name, steps = said("F(seen) -> L", {"F": "frame", "L": "list"}, {"F": "shop.consume"}, roots=[("F", "thread")])
    assert name == "shop.consume.seen"
    assert steps == ["F, running shop.consume", "local seen", "list"]


@pytest.mark.parametrize("own", [{}, {"F": "?"}])
def test_a_thread_whose_function_has_no_name(own: Mapping[str, str]) -> None:
    _, steps = said("F(seen) -> L", {"F": "frame", "L": "list"}, own, roots=[("F", "thread")])
    assert steps == ["F", "local seen", "list"]


def test_a_part_of_what_c_holds() -> None:
    name, steps = said("P.items -> L", {"P": "native.Pool", "L": "list"}, roots=[], extra_refs={"P": 1})
    assert name == "native.Pool.items"
    assert steps == ["held from C", "[*]", "native.Pool", "items", "list"]


@pytest.mark.parametrize("own", [{}, {"P": "?"}])
def test_what_c_holds_goes_by_its_type_where_it_has_no_name(own: Mapping[str, str]) -> None:
    name, steps = said("P[0] -> L", {"P": "function", "L": "list"}, own, roots=[], extra_refs={"P": 1})
    assert (name, steps) == ("function held from C", ["held from C", "[*]", "function", "[*]", "list"])


def test_a_builtin_type_is_said_once() -> None:
    name, steps = said(
        "T<__subclasses__> -> S  S[*] -> L",
        {"T": "type", "S": "dict", "L": "weakref.ref"},
        {"T": "object"},
        roots=[("T", "builtin-type")],
    )
    assert name == "object.__subclasses__"
    assert steps == ["type object", "__subclasses__", "dict", "[*]", "weakref.ref"]


def test_garbage_says_so() -> None:
    _, steps = said("X.y -> L  L.x -> X", {"X": "x.X", "L": "x.Y"}, roots=[])
    assert steps[0] == "nothing: garbage that waits for the collector"


def test_a_kept_traceback_leads_to_the_local_variable() -> None:
    name, steps = said(
        "M<__dict__> -> D  D['last'] -> X  X<__traceback__> -> T  T.tb_frame -> F  F(body) -> L",
        {"X": "shop.Refused", "T": "traceback", "F": "frame", "L": "bytearray"},
        {"F": "shop.api.on_post"},
    )
    assert name == "shop.api.last.__traceback__.tb_frame.body"
    assert steps[-4:] == ["tb_frame", "shop.api.on_post", "local body", "bytearray"]


# ---- missing and hostile names -----------------------------------------------------------------------


@pytest.mark.parametrize("own", ["?", None])
def test_a_module_without_a_name_goes_by_its_entry_in_sys_modules(own: str | None) -> None:
    graph = draw(
        "M<__dict__> -> D  D['STORE'] -> L",
        roots=MODULES,
        types={**BASE, "L": "list"},
        own_names={"M": own} if own else {},
    )
    tree = nearest_paths(graph)
    assert dotted_name(tree, node(graph, "L")) == "M.STORE"
    assert chain_steps(tree, node(graph, "L"))[0] == "module M"


def test_a_name_that_may_not_be_shown() -> None:
    name, steps = said("M<__dict__> -> D  D[*] -> L", {"L": "list"})
    assert (name, steps) == ("shop.api", ["module shop.api", "[*]", "list"])


def test_a_nameless_closure_variable() -> None:
    name, _ = said(
        "M<__dict__> -> D  D['view'] -> F  F<__closure__> -> T  T[0] -> C  C{} -> L",
        {"F": "function", "T": "tuple", "C": "cell", "L": "list"},
        {"F": "?"},
    )
    assert name == "shop.api.view.?"


def test_a_label_of_100_000_characters_and_a_hundred_of_fifty() -> None:
    graph = draw("M<__dict__> -> D  D['x'] -> L", roots=MODULES, types={**BASE, "L": "list"})
    graph.snapshot.labels[:] = [label if label != "x" else "x" * 100_000 for label in graph.snapshot.labels]
    assert len(dotted_name(nearest_paths(graph), node(graph, "L"))) > 100_000  # one name is shown as it is
    text = "  ".join(f"K{i}['{'k' * 40}{i}'] -> K{i + 1}" for i in range(100))
    name, _ = said(f"M<__dict__> -> D  D['S'] -> K0  {text}", {f"K{i}": "dict" for i in range(101)}, of="K100")
    assert len(name) < 300
