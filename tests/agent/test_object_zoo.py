"""The object zoo: both walkers spell every reference as its row says, and find no more than are counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from agent_targets import BOTH, Picture, Target
from object_zoo import NUMPY_PROGRAM, NUMPY_ROWS, PROGRAM, ROWS, Row

END = "\ntake_both(); take_both()\nimport os; os._exit(0)\n"
WALKERS = {"c": "c.heap", "python": "p.heap"}
_PICTURES: dict[tuple[str, str], Picture] = {}


@pytest.fixture(params=WALKERS)
def zoo(request: pytest.FixtureRequest, python: str, target: Target, walker: Path) -> Picture:
    """One picture per walker and interpreter; both walkers look at the same process."""
    if (python, request.param) not in _PICTURES:
        target.run(BOTH.format(walker=str(walker)) + PROGRAM + NUMPY_PROGRAM + END)
        _PICTURES.update({(python, name): target.picture(file) for name, file in WALKERS.items()})
    picture = _PICTURES[python, request.param]
    assert picture.snapshot.header["walker"] == request.param
    return picture


def _node(picture: Picture, row: Row) -> int:
    node = picture.glob(str(row.path[0]))
    for step in row.path[1:]:
        if isinstance(step, str) and step.startswith("<"):
            (node,) = {node for _, _, node in picture.edges(node) if picture.type_of(node) == step[1:-1]}
        else:
            node = picture.follow(node, step)
    return node


def _spelled(picture: Picture, node: int) -> Counter[str]:
    return Counter(
        f"{kind}{'' if label is None else f' {label}'} > {picture.type_of(end).removeprefix('__main__.')}"
        for kind, label, end in picture.edges(node)
        if kind != "class"
    )


def _differences(picture: Picture, row: Row) -> str:
    """What a row's object has too little and too much; empty when it is as the row says."""
    version = ".".join(picture.snapshot.header["python"].split(".")[:2])
    expected, found = row.expected(version), _spelled(picture, _node(picture, row))
    missing, more = expected - found, found - expected
    if row.may_have_more:
        more = Counter({spelled: count for spelled, count in more.items() if spelled.startswith("unknown")})
    wrong = [*(f"missing {each}" for each in missing.elements()), *(f"unexpected {each}" for each in more.elements())]
    return f"{'.'.join(map(str, row.path))}: {'; '.join(wrong)}" if wrong else ""


def test_every_reference_is_spelled_as_its_row_says(zoo: Picture) -> None:
    assert [wrong for row in ROWS if (wrong := _differences(zoo, row))] == []


def test_what_a_view_of_numpys_pins_has_a_name(zoo: Picture) -> None:
    assert [wrong for row in NUMPY_ROWS if (wrong := _differences(zoo, row))] == []
    assert zoo.gap(zoo.glob("view")) == zoo.gap(zoo.glob("owner")) == zoo.gap(zoo.glob("over_bytes")) == 0


def test_a_row_that_is_wrong_would_be_seen(zoo: Picture) -> None:
    wrong = Row(("partial",), (("attribute fun > function", ("3.11", "3.12", "3.13")),), may_have_more=False)
    said = _differences(zoo, wrong)
    assert said.startswith("partial: missing attribute fun > function; unexpected attribute func > function")


def test_no_object_of_the_zoo_has_more_references_than_it_counts(zoo: Picture) -> None:
    nodes, gaps = zoo.mortal_gaps()
    assert {zoo.type_of(int(node)) for node in nodes[gaps < 0]} <= zoo.uncounted()


def test_every_treasure_has_all_its_references_explained(zoo: Picture) -> None:
    treasures = zoo.nodes_of("__main__.Treasure")
    assert len(treasures) > 100
    unexplained = [node for node in treasures if zoo.gap(node)]
    assert [zoo.referrers(node) for node in unexplained] == []


def test_what_only_c_holds_has_no_edge(zoo: Picture) -> None:
    node = zoo.one("__main__.OnlyInC")
    assert zoo.referrers(node) == []
    assert zoo.gap(node) == 1
