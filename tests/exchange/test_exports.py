"""What is written is what the heap says: V8's form read back, drawings, networkx, columns."""

from __future__ import annotations

import json
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from drawing import draw, node
from recorded import Heap

from labkit.errors import CannotWrite, MissingLibrary, NoSuchNode
from labkit.exchange.columns import to_arrow, to_columns
from labkit.exchange.dot import MOST_PER_NODE, neighbourhood_dot, path_dot
from labkit.exchange.export import export, largest
from labkit.exchange.heapsnapshot import EDGE_WORDS, SYNTHETIC, write_heapsnapshot
from labkit.exchange.networkx import to_networkx
from labkit.heap.image import HeapImage
from labkit.store import layout
from labkit.store.snapshot import read_snapshot


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A module with a dict of sessions, each with a list; an object held from C; a cycle nobody holds."""
    heap = Heap()
    store = heap.new("dict", 64, held_by=(heap.module("shop"), "value", "STORE"))
    for _ in range(20):
        session = heap.new("shop.Session", 48, held_by=(store, "value"))
        heap.new("list", 56, held_by=(session, "attribute", "basket"))
        heap.refer(session, store, "index")
        heap.refer(session, store, "local", "self")
    heap.new("shop.Held", 1_000, unseen_holders=1)
    one = heap.new("shop.Ring", 10)
    heap.refer(heap.new("shop.Ring", 10, held_by=(one, "attribute", "to")), one, "attribute", "back")
    heap.new("function", 100, name='say"hello"\n', held_by=(store, "closure", "f"))
    path = tmp_path / "shop.heap"
    heap.write(path)
    return path


@pytest.fixture
def image(shop: Path) -> HeapImage:
    return HeapImage(read_snapshot(shop))


def written(image: HeapImage, folder: Path) -> dict[str, Any]:
    path = folder / "x.heapsnapshot"
    write_heapsnapshot(image, path)
    found: dict[str, Any] = json.loads(path.read_text())
    assert [one.name for one in folder.iterdir() if one.name.endswith(".partial")] == []
    return found


def test_v8_form_says_the_same(image: HeapImage, tmp_path: Path) -> None:
    """Read back by the field names in ``meta`` alone, as V8's tools do."""
    found, graph = written(image, tmp_path), image.graph
    meta = found["snapshot"]["meta"]
    width, texts = len(meta["node_fields"]), found["strings"]
    nodes = [
        dict(zip(meta["node_fields"], row, strict=True)) for row in np.reshape(found["nodes"], (-1, width)).tolist()
    ]
    edges = [dict(zip(meta["edge_fields"], row, strict=True)) for row in np.reshape(found["edges"], (-1, 3)).tolist()]
    assert (len(nodes), len(edges)) == (found["snapshot"]["node_count"], found["snapshot"]["edge_count"])
    assert sum(one["edge_count"] for one in nodes) == len(edges)
    assert len({one["id"] for one in nodes}) == len(nodes)
    assert len(set(texts)) == len(texts)
    assert [texts[one["name"]] for one in nodes[: len(SYNTHETIC)]] == list(SYNTHETIC)
    for row, one in enumerate(nodes[len(SYNTHETIC) :]):
        assert texts[one["name"]] == f"{graph.type_of(row)} {graph.own_name(row)}".strip(" ")
        assert one["self_size"] == graph.size_bytes[row]
    own = edges[len(edges) - len(graph.edge_target) :]
    for row, one in enumerate(own):
        assert one["to_node"] == (graph.edge_target[row] + len(SYNTHETIC)) * width
        word, unnamed = EDGE_WORDS[int(graph.edge_kind[row])]
        assert meta["edge_types"][0][one["type"]] == word
        name = one["name_or_index"] if word in ("element", "hidden") else texts[one["name_or_index"]]
        assert str(name) == (graph.label_of(row) or unnamed)


def test_every_root_of_labkit_is_one_there(image: HeapImage, tmp_path: Path) -> None:
    found = written(image, tmp_path)
    counts = np.reshape(found["nodes"], (-1, 7))[: len(SYNTHETIC), 4]
    targets = np.reshape(found["edges"], (-1, 3))[: counts.sum(), 2] // 7 - len(SYNTHETIC)
    assert {int(one) for one in targets if one >= 0} == set(image.roots.tolist())
    kinds = Counter(image.tree.roots.kind)
    assert counts.tolist() == [kinds["module"] + 1, 4, 0, 0, 2, kinds["garbage"]]  # the module is held from C, too


def test_words_for_edges_are_v8s() -> None:
    assert sorted(EDGE_WORDS) == list(range(len(layout.EDGE_KINDS)))
    assert "weak" not in {word for word, _ in EDGE_WORDS.values()}


def test_hostile_names_stay_json(tmp_path: Path) -> None:
    heap = Heap()
    odd = 'a"b\\c\n\x1b\u202e</script>"nodes":[1]' + "é" * 10
    heap.new(odd, 8, name=odd, held_by=(heap.module("shop"), "value", odd))
    heap.write(tmp_path / "x.heap")
    found = written(HeapImage(read_snapshot(tmp_path / "x.heap")), tmp_path)
    assert {odd, f"{odd} {odd}"} <= set(found["strings"])


def test_positions_below_zero_are_written_as_none(tmp_path: Path) -> None:
    graph = draw("A[3] -> B")
    graph.snapshot.columns["edge_label"][:] = -7
    found = written(HeapImage(graph.snapshot), tmp_path)
    assert found["edges"][-3:-1] == [1, 0]


def test_chunks_join(image: HeapImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = written(image, tmp_path)
    monkeypatch.setattr("labkit.exchange.heapsnapshot.ROWS_AT_A_TIME", 7)
    assert written(image, tmp_path) == whole


def test_an_old_file_stays_when_writing_fails(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotWrite):
        export(shop, "heapsnapshot", tmp_path / "no" / "such" / "x")
    with pytest.raises(CannotWrite, match="could not be written"):
        export(shop, "heapsnapshot", tmp_path)
    out = tmp_path / "x.dot"
    out.write_text("old")
    with pytest.raises(NoSuchNode):
        export(shop, "dot", out, type_name="shop.Nobody")
    assert out.read_text() == "old"


# ---- DOT ---------------------------------------------------------------------------------------------


def test_a_path_is_drawn_step_by_step(image: HeapImage) -> None:
    session = largest(image, "shop.Session")
    text = path_dot(image, session)
    for _, here in image.tree.chain(session):
        assert f"  {here} [label=" in text
    rows = [here for _, here in image.tree.chain(session)]
    for above, below in pairwise(rows):
        assert f"  {above} -> {below} [label=" in text
    assert 'root [label="module shop", shape=plaintext]' in text
    assert text.count("{") == text.count("}") == 1


def test_a_neighbourhood_says_what_it_leaves_out(image: HeapImage) -> None:
    store = largest(image, "dict")
    store = next(row for row in image.graph.edge_target.tolist() if len(image.graph.edges_of(row)) == 21)
    text = neighbourhood_dot(image, store)
    assert f'below [label="and {21 - MOST_PER_NODE} more"' in text
    assert f'above [label="and {41 - MOST_PER_NODE} more"' in text
    assert text.count(f"  {store} -> ") == MOST_PER_NODE + 1


def test_names_in_a_drawing_are_quoted() -> None:
    graph = draw("A.x -> B", types={"B": 'sh"op\\\n.X'}, roots=[("A", "module")])
    text = path_dot(HeapImage(graph.snapshot), node(graph, "B"))
    assert r'label="sh\"op\\\\n.X\nretains 10 B"' in text


# ---- networkx and columns ----------------------------------------------------------------------------


def test_networkx_finds_the_same_dominators(image: HeapImage) -> None:
    graph = to_networkx(image)
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (image.graph.node_count, len(image.graph.edge_target))
    theirs = nx.DiGraph(graph)
    theirs.add_edges_from(("root", one) for one in graph.graph["roots"])
    found = nx.immediate_dominators(theirs, "root")
    for row, facts in graph.nodes(data=True):
        assert facts["immediate_dominator"] == (-1 if found[row] == "root" else found[row])
        assert facts["type"] == image.graph.type_of(row)
    ours = Counter((s, t, d["kind"], d["name"]) for s, t, d in graph.edges(data=True))
    rows = zip(image.graph.edge_source.tolist(), image.graph.edge_target.tolist(), image.graph.edge_kind, strict=True)
    expected = ((s, t, layout.EDGE_KINDS[k], image.graph.label_of(e)) for e, (s, t, k) in enumerate(rows))
    assert ours == Counter(expected)


def test_columns_have_one_length_each(image: HeapImage) -> None:
    tables = to_columns(image)
    assert {len(column) for column in tables["nodes"].values()} == {image.graph.node_count}
    assert {len(column) for column in tables["edges"].values()} == {len(image.graph.edge_target)}
    own = [image.graph.own_name(row) for row in range(image.graph.node_count)]
    assert tables["nodes"]["name"].tolist() == own


@pytest.mark.parametrize(("make", "library"), [(to_arrow, "pyarrow"), (to_networkx, "networkx")])
def test_a_missing_library_is_named(make: Any, library: str, image: HeapImage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingLibrary) as caught:
        make(image)
    assert caught.value.seen == f"no module {library}"
    assert "to_columns()" in caught.value.hint


def test_arrow_gets_the_columns(image: HeapImage, monkeypatch: pytest.MonkeyPatch) -> None:
    class Tables:
        table = staticmethod(lambda columns: sorted(columns))

    monkeypatch.setitem(sys.modules, "pyarrow", Tables)  # type: ignore[arg-type]
    assert to_arrow(image)["edges"] == ["kind", "name", "source", "target"]
