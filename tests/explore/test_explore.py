"""A heap in a notebook: tables, nodes, selections, groups, differences, HTML."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from recorded import Heap as Made

import labkit
from labkit.agent import layout
from labkit.errors import AnalysisError, NoSuchNode, NotASnapshot
from labkit.explore import Heap
from labkit.store.bundle import unpack

RECORDED = Path(__file__).resolve().parents[2] / "data"


def made(sessions: int) -> Made:
    heap = Made()
    space = heap.module("shop")
    store = heap.new("dict", 64, held_by=(space, "value", "STORE"))
    index = heap.new("list", 104, held_by=(space, "value", "INDEX"))
    heap.new("type", 1_000, name="shop.Session", held_by=(space, "value", "Session"))
    for _ in range(sessions):
        session = heap.new("shop.Session", 48, held_by=(store, "value"))
        heap.refer(index, session, "index")
        heap.new("list", 500, held_by=(session, "attribute", "basket"))
    return heap


@pytest.fixture
def heap(tmp_path: Path) -> Heap:
    made(5).write(tmp_path / "shop.heap")
    return labkit.open_snapshot(tmp_path / "shop.heap")


def test_importing_labkit_imports_neither_numpy_nor_pandas() -> None:
    script = "import sys, labkit; assert labkit.__version__; print('numpy' in sys.modules or 'pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    with pytest.raises(AttributeError, match="no attribute 'opensnapshot'"):
        _ = labkit.opensnapshot  # type: ignore[attr-defined]


def test_types(heap: Heap) -> None:
    table = heap.types().set_index("type")
    assert table.loc["shop.Session"].to_dict() == {
        "objects": 5,
        "shallow_bytes": 5 * 48,
        "retained_bytes": 5 * (48 + 500),  # held twice, so no single store retains them
    }
    assert table.loc["list", "objects"] == 6
    assert table.loc["list", "retained_bytes"] == 104 + 5 * 500
    assert table["shallow_bytes"].sum() == heap.image.graph.size_bytes.sum()
    assert table.loc["module", "retained_bytes"] == heap.image.graph.size_bytes.sum()


def test_top_retained(heap: Heap) -> None:
    table = heap.top_retained(3, type="shop.*")
    assert table["retained_bytes"].tolist() == [548, 548, 548]
    assert set(table["holder"]) == {"shop.STORE"}
    whole = heap.top_retained()
    assert whole["retained_bytes"].is_monotonic_decreasing
    assert whole.loc[0, "type"] == "module"


def test_top_retained_is_the_head_of_all_sorted(heap: Heap) -> None:
    retained = heap.image.dominators.retained_bytes
    in_order = np.argsort(-retained, kind="stable").tolist()  # many are equally large: the first rows come first
    for count in (0, 1, 3, 10, len(heap) - 1, len(heap), len(heap) + 5):
        assert heap.top_retained(count)["node"].tolist() == in_order[:count]
        assert heap.select().largest(count).rows.tolist() == in_order[:count]
    backwards = heap.select()[::-1].largest(3)
    assert [node.retained_size_bytes for node in backwards] == retained[in_order[:3]].tolist()


def test_a_heap_is_opened_and_asked_without_pandas(heap: Heap) -> None:
    """Importing it takes longer than opening a heap of a million objects."""
    path = heap.image.graph.snapshot.path
    ask = f"import labkit, sys; labkit.open_snapshot({str(path)!r}).select().largest(3)[0].path_to_root()"
    done = subprocess.run(
        [sys.executable, "-c", f"{ask}; print('pandas' in sys.modules)"], capture_output=True, text=True
    )
    assert done.stdout == "False\n", done.stderr


def test_select(heap: Heap) -> None:
    assert len(heap.select("shop.Session")) == len(heap.select("*Sess?on")) == 5
    assert len(heap.select("Session")) == 0
    assert [node.name for node in heap.select(name="shop.Session")] == ["shop.Session"]
    assert [node.type for node in heap.select(type="mod*", name="sh*")] == ["module"]
    assert len(heap.select()) == len(heap)
    assert len(heap.select("shop.Session")[1:3]) == 2


def test_a_node(heap: Heap) -> None:
    session = heap.select("shop.Session")[0]
    assert (session.shallow_size_bytes, session.retained_size_bytes) == (48, 548)
    assert session.path_to_root() == ["module shop", "STORE", "dict", "[*]", "shop.Session"]
    assert session.holder == "shop.STORE"
    assert sorted((edge.node.type, edge.kind, edge.name) for edge in session.retainers()) == [
        ("dict", "value", ""),
        ("list", "index", "0"),
    ]
    assert [(edge.name, edge.node.type) for edge in session.references()] == [("basket", "list")]
    basket = session.references()[0].node
    assert basket.immediate_dominator == session
    assert basket in {basket}
    above = session.immediate_dominator
    assert above is not None
    assert above.type == "dict"
    assert heap.select("module")[0].immediate_dominator is None


def test_a_group_is_no_sum(heap: Heap) -> None:
    holders = [edge.node for edge in heap.select("shop.Session")[0].retainers()]
    group = heap.retained_set(holders)
    assert group.shallow_size_bytes == 64 + 104 + 5 * 548
    assert sum(node.retained_size_bytes for node in holders) == 64 + 104
    assert heap.select("shop.Session").retained_size_bytes == 5 * 548
    assert len(heap.retained_set([])) == 0
    assert heap.retained_set([0]).rows.tolist() == np.arange(len(heap)).tolist()


@pytest.mark.parametrize("row", [-1, 10_000])
def test_no_such_node(row: int, heap: Heap) -> None:
    with pytest.raises(NoSuchNode, match=f"no node {row}"):
        _ = heap[row]
    with pytest.raises(NoSuchNode):
        heap.retained_set([row])


def test_diff(heap: Heap, tmp_path: Path) -> None:
    made(9).write(tmp_path / "later.heap")
    later = labkit.open_snapshot(str(tmp_path / "later.heap"))
    table = heap.diff(later)
    assert list(table) == ["type", *(f"{w}_{n}" for w in ("objects", "bytes") for n in ("before", "after", "delta"))]
    assert table.loc[0].to_dict() == {
        "type": "list",
        "objects_before": 6,
        "objects_after": 10,
        "objects_delta": 4,
        "bytes_before": 104 + 2_500,
        "bytes_after": 104 + 4_500,
        "bytes_delta": 2_000,
    }
    row = heap.diff(later, by="population").loc[1]
    assert (row["path"], row["type"], row["objects_delta"]) == ("module shop.STORE[*]", "shop.Session", 4)
    assert heap.diff(heap)["bytes_delta"].abs().sum() == 0
    with pytest.raises(AnalysisError, match="by type or by population"):
        heap.diff(later, by="object")  # type: ignore[arg-type]


def test_waste_in_containers(heap: Heap) -> None:
    table = heap.waste().set_index("type")
    assert (table.loc["list", "capacity"], table.loc["list", "used"], table.loc["list", "unused_bytes"]) == (6, 5, 8)
    assert table.loc["list", "unread"] == 5  # 500 bytes are no whole number of places


def test_html_escapes_names(tmp_path: Path) -> None:
    odd = made(1)
    odd.new("<script>\x1b", 8, name="<b>", held_by=(1, "value", "X"))
    odd.write(tmp_path / "<i>.heap")
    heap = labkit.open_snapshot(tmp_path / "<i>.heap")
    nodes = heap.select("<script>\x1b")
    for html in (heap._repr_html_(), nodes._repr_html_(), nodes[0]._repr_html_(), heap.select()._repr_html_()):
        assert "<script>" not in html
        assert "<b>," not in html
        assert "<i>" not in html
        assert "\x1b" not in html
    assert "\x1b" not in repr(nodes[0])


def test_errors_are_those_of_reading(tmp_path: Path) -> None:
    with pytest.raises(NotASnapshot):
        labkit.open_snapshot(tmp_path / "none.heap")


def test_opening_a_heap_imports_no_more_than_it_needs() -> None:
    """pandas and pydantic take longer to import than a large heap to open."""
    unwanted = "{'pandas', 'pydantic', 'matplotlib'}"
    ask = f"import labkit, sys; labkit.open_snapshot; print(sorted({unwanted} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", ["session_cache", "bounded_cache"])
def test_the_recordings_say_all_that_a_snapshot_says_today(name: str, tmp_path: Path) -> None:
    capture = unpack(RECORDED / f"{name}.capture", tmp_path / "c")
    heap = labkit.open_snapshot(capture.path_of(capture.snapshots[-1]))
    assert heap.image.graph.snapshot.header["version"] == layout.VERSION
    assert heap.copies()["copies"].sum() > 1_000
    assert "falcon" in heap.image.graph.snapshot.header["libraries"]
    assert "leaky" not in heap.image.graph.snapshot.header["libraries"]
