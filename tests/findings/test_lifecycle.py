"""Requests that outlived their responses stand out in a single snapshot; those being served do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded import Heap, record

from labkit.findings.lifecycle import classes_of_one_request, outlived
from labkit.heap.image import HeapImage
from labkit.heap.paths import PathTree
from labkit.pipeline import analyse, survey
from labkit.store.snapshot import read_snapshot

REQUEST = "falcon.request.Request"


def tree_of(heap: Heap, folder: Path) -> PathTree:
    heap.write(folder / "x.heap")
    return HeapImage(read_snapshot(folder / "x.heap")).tree


def with_history(kept: int, *, kind: str = REQUEST, served: int = 0, waiting: int = 0) -> Heap:
    """``kept`` requests in shop.HISTORY, ``served`` by calls on threads' stacks, ``waiting`` in coroutines."""
    heap = Heap()
    heap.filler(20)
    space = heap.module("shop")
    history = heap.new("list", 900, held_by=(space, "value", "HISTORY"))
    for _ in range(kept):
        heap.new(kind, 200, held_by=(history, "index"))
    for number in range(served):
        frame = heap.new("frame", 400, name="falcon.app.App.__call__", unseen_holders=1)
        heap.root("thread", f"thread {number}", frame)
        heap.new(kind, 200, held_by=(frame, "local", "req"))
    tasks = heap.new("set", 900, held_by=(space, "value", "TASKS"))
    for _ in range(waiting):
        coroutine = heap.new("coroutine", 200, held_by=(tasks, "index"))
        heap.new(kind, 200, held_by=(coroutine, "local", "req"))
    return heap


def test_who_keeps_them_is_named(tmp_path: Path) -> None:
    seen = outlived(tree_of(with_history(40, served=3, waiting=2), tmp_path))
    assert seen is not None
    assert (seen.alive, seen.kept, seen.types, seen.holders) == (45, 40, (REQUEST,), ("shop.HISTORY",))
    assert seen.shallow_size_bytes == 40 * 200
    assert seen.why() == (
        "40 of 45 living falcon.request.Request belong to no running call: their responses have ended; most are "
        "kept by shop.HISTORY."
    )


def test_two_holders_are_both_named(tmp_path: Path) -> None:
    heap = with_history(40)
    other = heap.new("dict", 900, held_by=(heap.module("audit"), "value", "OPEN"))
    for _ in range(30):
        heap.new(REQUEST, 200, held_by=(other, "value"))
    seen = outlived(tree_of(heap, tmp_path))
    assert seen is not None
    assert set(seen.holders) == {"shop.HISTORY", "audit.OPEN"}


@pytest.mark.parametrize(
    "heap",
    [with_history(0, served=8, waiting=8), with_history(4), with_history(40, kind="shop.Order")],
    ids=["all are being served", "the last ones of each thread", "no framework's"],
)
def test_what_is_being_served_is_as_it_should_be(heap: Heap, tmp_path: Path) -> None:
    assert outlived(tree_of(heap, tmp_path)) is None


def test_classes_derived_from_the_frameworks_count(tmp_path: Path) -> None:
    heap = with_history(40, kind="shop.MyRequest")
    base = heap.new("type", 1000, name=REQUEST, held_by=(heap.module("falcon.request"), "value", "Request"))
    mine = heap.new("type", 1000, name="shop.MyRequest", held_by=(heap.module("shop.requests"), "value", "MyRequest"))
    order = heap.new("tuple", 56, held_by=(mine, "internal", "__mro__"))
    heap.refer(order, mine, "index")
    heap.refer(order, base, "index")
    tree = tree_of(heap, tmp_path)
    assert classes_of_one_request(tree.graph) == {"shop.MyRequest"}
    seen = outlived(tree)
    assert seen is not None
    assert seen.types == ("shop.MyRequest",)


def test_a_single_snapshot_says_it_first_and_gives_no_verdict(tmp_path: Path) -> None:
    with_history(40).write(tmp_path / "x.heap")
    findings = survey([tmp_path / "x.heap"])
    assert findings.verdict == "inconclusive"
    assert findings.explained[0].kind == "kept-requests"
    assert "shop.HISTORY" in findings.explained[0].why


def test_a_suspect_that_keeps_requests_says_so(tmp_path: Path) -> None:
    capture = record(tmp_path / "c", lambda rung: with_history(20 + 100 * rung, served=2))
    (suspect,) = analyse(capture).suspects
    assert suspect.why.endswith(
        " 620 of 622 living falcon.request.Request belong to no running call: their responses have ended."
    )
    other = record(tmp_path / "o", lambda rung: with_history(20 + 100 * rung, kind="shop.Order"))
    assert "running call" not in analyse(other).suspects[0].why
