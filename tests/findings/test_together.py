"""Growth that only comes along: pieces of text buffers, tables of one object, a thread's entries for its locals."""

from __future__ import annotations

from pathlib import Path

from recorded import Heap, record

from labkit.findings.model import Findings
from labkit.pipeline import analyse


def judged(folder: Path, heap_after: object) -> Findings:
    return analyse(record(folder, heap_after))  # type: ignore[arg-type]


def handlers(heap: Heap, count: int, *, buffer: str) -> None:
    """Handlers of a log, each with a buffer; what is written to it is gathered in a list that only C holds."""
    table = heap.new("dict", 900, held_by=(heap.module("log"), "value", "HANDLERS"))
    for _ in range(count):
        handler = heap.new("log.Handler", 56, held_by=(table, "value"))
        heap.new(buffer, 80, held_by=(handler, "value", "stream"))
        pieces = heap.new("list", 120, unseen_holders=1)
        for _ in range(5):
            heap.new("log.Message", 400, held_by=(pieces, "index"))


def test_what_text_buffers_gather_in_c_is_no_second_leak(tmp_path: Path) -> None:
    def after(rung: int, buffer: str = "_io.StringIO") -> Heap:
        heap = Heap()
        heap.filler(20)
        handlers(heap, 20 + 100 * rung, buffer=buffer)
        return heap

    findings = judged(tmp_path / "c", after)
    assert [suspect.retainer for suspect in findings.suspects] == ["log.HANDLERS"]
    assert findings.explained[0].kind == "consequence"
    assert "texts that its _io.StringIO objects gather in C" in findings.explained[0].why
    other = judged(tmp_path / "o", lambda rung: after(rung, "log.Buffer"))
    assert {suspect.kind for suspect in other.suspects} == {"python-objects", "c-reference"}


def registry(rung: int, *, apart: bool) -> Heap:
    """Two tables that gain one object each: attributes of one registry, or of a module."""
    heap = Heap()
    heap.filler(20)
    space = heap.module("shop")
    owner = space if apart else heap.new("shop.Registry", 48, held_by=(space, "value", "REGISTRY"))
    for name, kind, size in (("by_name", "shop.Thing", 400), ("by_number", "shop.Key", 64)):
        table = heap.new("dict", 900, held_by=(owner, "value" if apart else "attribute", name))
        for _ in range(20 + 100 * rung):
            heap.new(kind, size, held_by=(table, "value"))
    return heap


def test_tables_of_one_object_grow_together_and_those_of_a_module_do_not(tmp_path: Path) -> None:
    together = judged(tmp_path / "c", lambda rung: registry(rung, apart=False))
    assert [suspect.retainer for suspect in together.suspects] == ["shop.REGISTRY.by_name"]
    assert together.explained[0].why == (
        "shop.REGISTRY.by_number grows along with shop.REGISTRY.by_name, which belongs to the same object."
    )
    apart = judged(tmp_path / "a", lambda rung: registry(rung, apart=True))
    assert [suspect.retainer for suspect in apart.suspects] == ["shop.by_name", "shop.by_number"]


def test_an_entry_for_each_thread_local_goes_with_what_holds_the_local(tmp_path: Path) -> None:
    def after(rung: int, kind: str = "_thread._localdummy") -> Heap:
        heap = Heap()
        heap.filler(20)
        table = heap.new("dict", 900, held_by=(heap.module("shop"), "value", "CLIENTS"))
        entries = heap.new("dict", 900, unseen_holders=1)
        heap.root("thread", "main thread", entries)
        for _ in range(20 + 100 * rung):
            heap.new("shop.Client", 400, held_by=(table, "value"))
            heap.new(kind, 48, held_by=(entries, "value"))
        return heap

    found = judged(tmp_path / "c", after)
    assert [suspect.retainer for suspect in found.suspects] == ["shop.CLIENTS"]
    assert found.explained[0].why == "A thread keeps one entry for each threading.local that shop.CLIENTS gains."
    other = judged(tmp_path / "o", lambda rung: after(rung, "shop.Entry"))
    assert len(other.suspects) == 2
