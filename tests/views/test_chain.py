"""The retaining chain: which step is what, as a picture and as text."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

import made_findings as made
import pytest

from labkit.views.chain import NAME_COLUMNS, WIDTH, chain_sentence, chain_svg, chain_text, wrapped_name
from labkit.views.steps import shortened, steps_of

SVG = "{http://www.w3.org/2000/svg}"
WITH_SUSPECT = [name for name, make in made.ALL.items() if make().suspects]


def test_the_steps_and_their_parts() -> None:
    root, holder, growing = steps_of(made.SESSIONS)
    assert (root.name, root.edge, root.is_root) == ("module shop.sessions", "", True)
    assert (holder.name, holder.edge, holder.is_retainer, holder.is_guilty) == ("dict", "STORE", True, False)
    assert (growing.name, growing.edge, growing.is_guilty, growing.grows) == (
        "shop.sessions.Session",
        "[*]",
        True,
        True,
    )


def test_the_guilty_reference_is_the_first_of_many_below_the_retainer() -> None:
    guilty = [step.edge for step in steps_of(made.REFUSALS) if step.is_guilty]
    assert guilty == ["[*]"]
    plain = made.SESSIONS.model_copy(update={"retaining_path": ["module a", "b", "Node", "next", "Node"]})
    assert [step.edge for step in steps_of(plain) if step.is_guilty] == ["next"]


def test_a_container_on_the_way_is_not_taken_for_the_holder() -> None:
    """Every resource of a Falcon app hangs from the list of its router."""
    path = ["module orders", "app", "falcon.App", "_return_values", "list", "[*]", "Node", "resource", "orders.Bus"]
    path += ["_handlers", "dict", "paid", "list", "[*]", "method"]
    changes = {"retaining_path": path, "retainer": "orders.Bus._handlers['paid']"}
    steps = steps_of(made.SESSIONS.model_copy(update=changes))
    assert [row for row, step in enumerate(steps) if step.is_retainer] == [path.index("paid") // 2 + 1]
    assert [row for row, step in enumerate(steps) if step.is_guilty] == [len(steps) - 1]


def test_what_grows_is_marked_where_it_stands_not_at_the_end() -> None:
    assert [step.name for step in steps_of(made.REFUSALS) if step.grows] == ["orders.errors.OrderRefused"]


def test_no_path_and_a_path_that_stops_at_a_reference() -> None:
    bare = made.SESSIONS.model_copy(update={"retaining_path": []})
    assert [step.name for step in steps_of(bare)] == ["shop.sessions.STORE", "shop.sessions.Session"]
    open_end = made.SESSIONS.model_copy(update={"retaining_path": ["module a", "STORE"]})
    assert [step.name for step in steps_of(open_end)] == ["module a", "shop.sessions.Session"]


def test_a_long_chain_keeps_both_ends() -> None:
    steps = steps_of(made.endless_names().suspects[0])
    short, left_out = shortened(steps, 12)
    assert len(short) == 12
    assert left_out == len(steps) - 12
    assert short[0] is steps[0]
    assert short[-1] is steps[-1]


def test_text_and_sentence() -> None:
    assert chain_text(made.SESSIONS).splitlines() == [
        "module shop.sessions",
        "  STORE -> dict",
        "    [*] -> shop.sessions.Session   <- grows here",
    ]
    assert chain_sentence(made.SESSIONS) == "module shop.sessions → STORE: dict → [*]: shop.sessions.Session"
    assert "(20 more steps)" in chain_text(made.endless_names().suspects[0], limit=12)


@pytest.mark.parametrize("name", ["Session", "enterprise.platform." * 4 + "Session", "x" * 60, "y" * 500])
def test_a_name_takes_at_most_two_lines_of_the_card(name: str) -> None:
    lines = wrapped_name(name)
    assert 1 <= len(lines) <= 2
    assert all(len(line) <= NAME_COLUMNS for line in lines)
    if len(name) <= 2 * NAME_COLUMNS - 10:
        assert "".join(lines) == name


@pytest.mark.parametrize("name", WITH_SUSPECT)
def test_the_picture_is_well_formed_within_bounds_and_named(name: str) -> None:
    suspect = made.ALL[name]().suspects[0]
    svg = Xml.fromstring(chain_svg(suspect, id_prefix="c"))
    width, height = (float(number) for number in svg.attrib["viewBox"].split()[2:])
    assert width == WIDTH
    for box in svg.iter(f"{SVG}rect"):
        assert float(box.attrib["x"]) + float(box.attrib["width"]) <= width
        assert float(box.attrib["y"]) + float(box.attrib["height"]) <= height
    assert svg.attrib["aria-labelledby"] == "c-title c-desc"
    assert svg.find(f"{SVG}title") is not None
    assert not list(svg.iter(f"{SVG}script"))


def test_memory_of_c_code_has_no_count_of_objects() -> None:
    bare = made.SESSIONS.grows.model_copy(update={"objects_per_request": 0.0})
    svg = chain_svg(made.SESSIONS.model_copy(update={"grows": bare}))
    assert ">+1.83 kB per request<" in svg
    assert "objects" not in svg


def test_the_guilty_edge_stands_out() -> None:
    svg = chain_svg(made.SESSIONS)
    assert svg.count("stroke-width: 3.2") == 1
    assert svg.count("grows here") == 1
    assert svg.count("shop.sessions.STORE holds the growth") == 1
    assert "+0.333 objects, +1.83 kB per request" in svg
