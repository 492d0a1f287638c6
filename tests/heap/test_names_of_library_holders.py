"""An object of a library that the app holds goes by the app's name; what a library holds goes by the library's."""

from __future__ import annotations

import re

import pytest
from drawing import draw, node

from labkit.heap.naming import chain_steps, dotted_name
from labkit.heap.paths import nearest_paths

TYPES = {
    "M": "module",
    "D": "dict",
    "O": "shop.api.Mailer",
    "Q": "queue.Queue",
    "L": "collections.deque",
    "C": "type",
    "R": "tuple",
    "N": "dict",
}
#: The queue's class, with ``put`` in its namespace; C is its class, R its order of classes, N its namespace.
CLASS = "Q@ -> C  C<__mro__> -> R  R[0] -> C  C<__dict__> -> N  N['{method}'] -> P  "
LIBRARIES = ["queue", "collections", "lib"]


def said(
    text: str, types: dict[str, str] | None = None, *, method: str = "put", libraries: object = LIBRARIES, **own: str
) -> tuple[str, list[str]]:
    graph = draw(
        CLASS.replace("{method}", method) + text,
        roots=[("M", "module")],
        types=TYPES | (types or {}),
        own_names={"M": "shop.api", "C": "queue.Queue", "P": "queue.Queue.put", **own},
    )
    graph.snapshot.header["libraries"] = libraries
    tree = nearest_paths(graph)
    return dotted_name(tree, node(graph, "L")), chain_steps(tree, node(graph, "L"))


AT_ONCE = "M<__dict__> -> D  D['OUTBOX'] -> Q  "
IN_AN_INSTANCE = "M<__dict__> -> D  D['app'] -> A  A.router -> B  B.table -> T  T[0] -> O  O.outbox -> Q  "
IN_A_CLASS = "M<__dict__> -> D  D['Mailer'] -> K  K<__dict__> -> S  S['outbox'] -> Q  "
OTHERS = {"A": "lib.App", "B": "lib.Router", "T": "list", "K": "type", "S": "dict"}


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (AT_ONCE, "shop.api.OUTBOX"),
        (IN_AN_INSTANCE, "shop.api.Mailer.outbox"),
        (IN_A_CLASS, "shop.api.Mailer.outbox"),
        ("M<__dict__> -> D  D['QUEUES'] -> T  T[0] -> Q  ", "shop.api.QUEUES"),
    ],
)
@pytest.mark.parametrize("inside", ["Q.queue -> L", "Q<__dict__> -> I  I['queue'] -> L"])
def test_a_container_of_a_library_goes_by_the_apps_name(start: str, name: str, inside: str) -> None:
    found, steps = said(start + inside, {**OTHERS, "I": "dict"}, K="shop.api.Mailer")
    assert found == name
    assert steps[-3:] == ["queue.Queue", "queue", "collections.deque"]


def test_what_is_no_container_keeps_its_attribute() -> None:
    found, _ = said(IN_AN_INSTANCE + "Q.queue -> L", OTHERS, method="run")
    assert found == "shop.api.Mailer.outbox.queue"


def test_a_part_deep_inside_a_library_goes_by_the_librarys_class() -> None:
    found, _ = said(IN_AN_INSTANCE + "Q.pool -> E  E.free -> L", {**OTHERS, "E": "lib.Pool"})
    assert found == "lib.Pool.free"


def test_the_key_in_a_container_is_told() -> None:
    found, _ = said(AT_ONCE + "Q.queue -> E  E['page'] -> L", {"E": "dict"})
    assert found == "shop.api.OUTBOX['page']"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("M<__dict__> -> D  D['lib'] -> W  W<__dict__> -> X  X['SEEN'] -> Q  Q.queue -> L", "lib.registry.SEEN.queue"),
        ("M<__dict__> -> D  D['Base'] -> W  W<__dict__> -> X  X['seen'] -> L", "lib.registry.seen"),
    ],
)
def test_what_a_library_holds_goes_by_the_librarys_name(text: str, name: str) -> None:
    found, _ = said(text, {"W": "module", "X": "dict"}, W="lib.registry")
    assert found == name


def test_an_object_of_the_app_in_a_library_begins_anew() -> None:
    found, _ = said(AT_ONCE + "Q.queue -> E  E[0] -> O  O.seen -> L", {"E": "list", "L": "list"})
    assert found == "shop.api.Mailer.seen"


@pytest.mark.parametrize(("libraries", "name"), [(None, "shop.api.Mailer.outbox"), ([], "queue.Queue.queue")])
def test_without_a_list_the_standard_library_is_known(libraries: object, name: str) -> None:
    found, _ = said(IN_AN_INSTANCE + "Q.queue -> L", OTHERS, libraries=libraries)
    assert found == name


@pytest.mark.parametrize("libraries", ["queue", {"queue": 1}, [1, None, ["queue"]], 7])
def test_a_list_that_is_none_is_no_reason_to_fail(libraries: object) -> None:
    found, _ = said(AT_ONCE + "Q.queue -> L", libraries=libraries)
    assert re.fullmatch(r"shop\.api\.OUTBOX(\.queue)?", found)
