"""``labkit export``: what it prints, its exit status, its errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from recorded import Heap

from labkit.cli import main


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    heap = Heap()
    store = heap.new("dict", 64, held_by=(heap.module("shop"), "value", "STORE"))
    heap.new("shop.Session", 48, held_by=(store, "value"))
    heap.write(tmp_path / "shop.heap")
    return tmp_path / "shop.heap"


def test_a_heapsnapshot(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = shop.with_suffix(".heapsnapshot")
    assert main(["export", str(shop), "--to", "heapsnapshot", "-o", str(out)]) == 0
    assert json.loads(out.read_text())["snapshot"]["node_count"] == 4 + 6
    assert capsys.readouterr().out == f"heapsnapshot of 4 objects: {out}\n"


@pytest.mark.parametrize("around", [[], ["--around"]])
def test_a_drawing(shop: Path, around: list[str]) -> None:
    out = shop.with_suffix(".dot")
    assert main(["export", str(shop), "--to", "dot", "--type", "shop.Session", *around, "-o", str(out)]) == 0
    text = out.read_text()
    assert "shop.Session" in text
    assert ("module shop" in text) is not bool(around)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing.heap", "--to", "dot", "-o", "x.dot"], "missing.heap is not a heap snapshot."),
        (["shop.heap", "--to", "dot", "--type", "Nobody", "-o", "x.dot"], "There is no object of type 'Nobody'"),
        (["shop.heap", "--to", "heapsnapshot", "-o", "no/x"], "x could not be written."),
        (
            ["shop.heap", "--to", "heapsnapshot", "--type", "shop.Session", "-o", "x"],
            "A heapsnapshot is of the whole heap.\n  seen: --type shop.Session\n  try:  leave it out, or --to dot",
        ),
        (["shop.heap", "--to", "heapsnapshot", "--around", "-o", "x"], "seen: --around"),
    ],
)
def test_errors(
    words: list[str], said: str, shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(shop.parent)
    assert main(["export", *words]) == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in shop.parent.iterdir()] == ["shop.heap"]
