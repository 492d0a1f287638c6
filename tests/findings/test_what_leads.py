"""Which of many things that grow together an accumulation is called after, and what holds a chain of its like."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded import Heap, record

from labkit.pipeline import analyse


def made_classes(rung: int) -> Heap:
    heap = Heap()
    kept = heap.new("dict", 64, held_by=(heap.module("shop"), "value", "SCHEMAS"))
    for number in range(10 + 40 * rung):
        made = heap.new("type", 1000, name=f"types.Row_{number}", held_by=(kept, "value"))
        heap.new("dataclasses._DataclassParams", 100, held_by=(made, "attribute", "params"))
        heap.new("shop.Column", 100, held_by=(made, "attribute", "column"))
    return heap


def test_a_class_is_not_called_after_what_it_consists_of(tmp_path: Path) -> None:
    (suspect,) = analyse(record(tmp_path / "c", made_classes)).suspects
    assert (suspect.retainer, suspect.grows.type) == ("shop.SCHEMAS", "type")


def test_an_entry_is_not_called_after_a_number_in_it(tmp_path: Path) -> None:
    def prices(rung: int) -> Heap:
        heap = Heap()
        kept = heap.new("dict", 64, held_by=(heap.module("shop"), "value", "PRICES"))
        for _ in range(10 + 40 * rung):
            entry = heap.new("dict", 200, held_by=(kept, "value"))
            heap.new("decimal.Decimal", 100, held_by=(entry, "value"))
        return heap

    (suspect,) = analyse(record(tmp_path / "c", prices)).suspects
    assert (suspect.retainer, suspect.grows.type) == ("shop.PRICES", "dict")


def test_a_chain_of_closures_goes_by_what_holds_its_last_link(tmp_path: Path) -> None:
    def wrapped(rung: int) -> Heap:
        heap = Heap()
        retry = heap.new("shop.Retry", 64, held_by=(heap.module("shop"), "value", "RETRY"))
        name = "shop.Retry.wrap.<locals>.again"
        link = heap.new("function", 160, name=name, held_by=(retry, "attribute", "handler"))
        for _ in range(10 + 40 * rung):
            cells = heap.new("tuple", 48, held_by=(link, "internal", "__closure__"))
            cell = heap.new("cell", 40, held_by=(cells, "index", "0"))
            link = heap.new("function", 160, name=name, held_by=(cell, "closure", "before"))
        return heap

    (suspect,) = analyse(record(tmp_path / "c", wrapped)).suspects
    assert (suspect.retainer, suspect.grows.type) == ("shop.RETRY.handler", "shop.Retry.wrap.<locals>.again")


@pytest.mark.parametrize(("bounded", "verdict"), [(False, "suspect"), (True, "clean")])
def test_a_cache_with_a_bound_inside_another_ones_entries_bounds_nothing(
    tmp_path: Path, bounded: bool, verdict: str
) -> None:
    """``lru_cache(None)`` of a library whose entries hold an ``lru_cache(128)``: only the outer one's links count."""

    def cached(rung: int) -> Heap:
        heap = Heap()
        cache = heap.new("functools._lru_cache_wrapper", 100, held_by=(heap.module("tokenize"), "value", "built"))
        table = heap.new("dict", 64, held_by=(cache, "unknown"))
        for _ in range(10 + 40 * rung):
            entry = heap.new("functools._lru_list_elem" if bounded else "shop.Handler", 80, held_by=(table, "value"))
            inner = heap.new("functools._lru_cache_wrapper", 100, held_by=(entry, "attribute", "memo"))
            heap.new("functools._lru_list_elem", 80, held_by=(inner, "unknown"))
        return heap

    capture = record(tmp_path / "c", cached)
    assert analyse(capture).verdict == verdict


@pytest.mark.parametrize("kept", [True, False], ids=["beside what is kept", "alone"])
def test_finalizers_follow_what_they_wait_for(tmp_path: Path, kept: bool) -> None:
    """The table of finalizers grows with what somebody keeps; where nothing else grows, it is the holder."""

    def finalized(rung: int) -> Heap:
        heap = Heap()
        store = heap.new("dict", 64, held_by=(heap.module("shop"), "value", "STORE"))
        finalize = heap.new(
            "type", 1000, name="weakref.finalize", held_by=(heap.module("weakref"), "value", "finalize")
        )
        space = heap.new("dict", 64, held_by=(finalize, "internal", "__dict__"))
        registry = heap.new("dict", 64, held_by=(space, "value", "_registry"))
        for _ in range(10 + 40 * rung):
            if kept:
                heap.new("shop.Upload", 400, held_by=(store, "value"))
            info = heap.new("weakref.finalize._Info", 100, held_by=(registry, "value"))
            heap.new("tuple", 60, held_by=(info, "attribute", "args"))
        return heap

    findings = analyse(record(tmp_path / "c", finalized))
    assert [one.retainer for one in findings.suspects] == ["shop.STORE" if kept else "weakref.finalize._registry"]
    assert [one.kind for one in findings.explained] == (["consequence"] if kept else [])
