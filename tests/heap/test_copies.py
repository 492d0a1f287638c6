"""Equal texts, counted by type and by what holds them."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from recorded import Heap as Made

import labkit
from labkit.errors import AnalysisError
from labkit.heap.copies import copies_by_population, copies_by_type
from labkit.heap.graph import Graph
from labkit.heap.paths import nearest_paths
from labkit.store.snapshot import read_snapshot


def written(made: Made, folder: Path) -> Graph:
    made.write(folder / "made.heap")
    return Graph(read_snapshot(folder / "made.heap"))


def shop() -> Made:
    """Five orders in two countries, each with a text of its own for it, and one payload twice."""
    made = Made()
    orders = made.new("list", held_by=(made.module("shop"), "value", "ORDERS"))
    first: dict[str, int] = {}
    for number, country in enumerate(["Chile", "Chile", "Peru", "Chile", "Peru"]):
        order = made.new("dict", held_by=(orders, "index"))
        row = made.new("str", 50 + len(country), held_by=(order, "value", "country"))
        made.new("str", 60, held_by=(order, "value", "id"))
        if first.setdefault(country, row) != row:
            made.copies[row] = first[country]
        if number > 2:
            made.new("bytes", 400, held_by=(order, "value", "payload"))
    made.copies[len(made.nodes) - 1] = len(made.nodes) - 5
    return made


def test_by_type(tmp_path: Path) -> None:
    graph = written(shop(), tmp_path)
    assert graph.type_of(len(shop().nodes) - 5) == "bytes"
    found = [(one.type, one.objects, one.copies, one.texts, one.copied_bytes) for one in copies_by_type(graph)]
    assert found == [("bytes", 2, 1, 1, 400), ("str", 10, 3, 2, 55 + 54 + 55)]


def test_by_population(tmp_path: Path) -> None:
    found = copies_by_population(nearest_paths(written(shop(), tmp_path)))
    assert [(one.path, one.type, one.objects, one.copies, one.texts) for one in found] == [
        ("module shop.ORDERS[*][*]", "bytes", 2, 1, 1),
        ("module shop.ORDERS[*][*]", "str", 10, 3, 2),
    ]


@pytest.mark.parametrize("seed", range(20))
def test_equals_counting_the_texts(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    made, said = Made(), defaultdict(list)
    space = made.module("shop")
    for number in range(chance.randint(0, 60)):
        kind, text = chance.choice(["str", "bytes", "other.str"]), chance.randrange(12)
        row = made.new(kind, 40 + text, held_by=(space, "value", f"name_{number}"))
        if said[kind, text]:
            made.copies[row] = said[kind, text][0]
        said[kind, text].append(row)
    expected: Counter[tuple[str, str]] = Counter()
    for (kind, text), rows in said.items():
        again = len(rows) - 1
        expected += Counter({(kind, "copies"): again, (kind, "texts"): again > 0, (kind, "bytes"): again * (40 + text)})
    found: Counter[tuple[str, str]] = Counter()
    for one in copies_by_type(written(made, tmp_path)):
        found += Counter(
            {(one.type, "copies"): one.copies, (one.type, "texts"): one.texts, (one.type, "bytes"): one.copied_bytes}
        )
    assert found == expected


def test_as_a_table(tmp_path: Path) -> None:
    shop().write(tmp_path / "made.heap")
    heap = labkit.open_snapshot(tmp_path / "made.heap")
    assert list(heap.copies()) == ["type", "objects", "copies", "texts", "copied_bytes"]
    assert heap.copies(by="population").loc[0, "path"] == "module shop.ORDERS[*][*]"
    with pytest.raises(AnalysisError, match="by type or by population"):
        heap.copies(by="object")  # type: ignore[arg-type]


def test_no_copies_and_no_objects(tmp_path: Path) -> None:
    empty = Made()
    assert copies_by_type(written(empty, tmp_path)) == []
    empty.filler(3)
    assert copies_by_population(nearest_paths(written(empty, tmp_path))) == []


def test_a_snapshot_of_the_first_version_does_not_know(tmp_path: Path) -> None:
    graph = written(shop(), tmp_path)
    graph.snapshot.header["version"] = 1
    with pytest.raises(AnalysisError, match="does not tell which texts are equal") as caught:
        copies_by_type(graph)
    assert (caught.value.seen, caught.value.hint) == ("version 1 of the format", "take a new snapshot")
