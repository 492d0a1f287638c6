"""The byte ledger: parts that add up, and what follows when one of them grows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from recorded import PER_RUNG, RUNGS, Heap, record, store_of

from labkit.findings.model import AllocationSite, Findings
from labkit.pipeline import analyse
from labkit.store.capture import Capture
from labkit.store.recordings import Recording

MB = 1_000_000


def quiet(rung: int) -> Heap:
    return store_of(20)


def live_bytes(heap: Heap) -> int:
    return sum(node[1] for node in heap.nodes)


def judged(folder: Path, heap_after: Any = quiet, **growing: int) -> Findings:
    """``native``, ``free``, ``files``, ``mapped``: by so many bytes does that part of a worker grow in a rung."""
    capture = record(folder, heap_after, uss_bytes=lambda rung: 30 * MB + sum(growing.values()) * rung)
    _add_memory(capture, heap_after, growing)
    return analyse(folder)


def _add_memory(capture: Capture, heap_after: Any, growing: dict[str, int]) -> None:
    manifest = json.loads((capture.folder / "manifest.json").read_text())
    for row in manifest["snapshots"]:
        live = live_bytes(heap_after(row["rung"]))
        part = {
            name: start + growing.get(name, 0) * row["rung"]
            for name, start in (("native", 3 * MB), ("free", MB), ("files", 10 * MB), ("mapped", 0))
        }
        row["memory"] = {
            "rss_bytes": live + sum(part.values()),
            "file_bytes": part["files"] - 80_000,
            "stack_bytes": 80_000,
            "arena_bytes": 1_200_000,
            "block_bytes": 900_000,
            "free_list_bytes": 300_000,
            "malloc_used_bytes": live + part["native"] - 600_000,
            "malloc_free_bytes": part["free"] - 600_000,
        }
    (capture.folder / "manifest.json").write_text(json.dumps(manifest))


def add_recording(folder: Path, rows: list[Any]) -> None:
    (folder / "recordings").mkdir()
    (folder / "recordings" / "m.json").write_text(json.dumps({"rows": rows}))
    manifest = json.loads((folder / "manifest.json").read_text())
    given = {"requests": 400, "files": {"over": "recordings/m.json"}}
    manifest["recordings"] = [Recording("memray", 4711, **given).to_json()]  # type: ignore[arg-type]
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_the_parts_add_up_to_the_resident_set(tmp_path: Path) -> None:
    findings = judged(tmp_path / "c", lambda rung: store_of(20 + 100 * rung), native=1000, free=500, mapped=-700)
    ledger = findings.ledger
    parts = [
        ledger.live_python_bytes,
        ledger.allocator_free_bytes,
        ledger.native_bytes,
        ledger.files_and_stacks_bytes,
        ledger.unexplained_bytes,
    ]
    assert ledger.rss_bytes == sum(part or 0 for part in parts)
    assert parts == [
        live_bytes(store_of(20 + 100 * RUNGS)),
        MB + 500 * RUNGS,
        3 * MB + 1000 * RUNGS,
        10 * MB,
        -700 * RUNGS,
    ]
    assert ledger.growth_per_request == {
        "rss_bytes": 1008.0,
        "live_python_bytes": 1000.0,
        "allocator_free_bytes": 5.0,
        "native_bytes": 10.0,
        "files_and_stacks_bytes": 0.0,
        "unexplained_bytes": -7.0,
    }


def test_memory_that_c_code_keeps_is_seen_where_private_memory_alone_says_too_little(tmp_path: Path) -> None:
    findings = judged(tmp_path / "c", native=400 * PER_RUNG)
    assert (findings.verdict, findings.wanted) == ("inconclusive", ["native-recording"])
    assert findings.missing == [
        "a native recording (--record memray --native): memory that C code asked for and did not give back grows by "
        "400 bytes per request"
    ]


def test_what_memray_saw_nobody_ask_for_is_a_suspect_all_the_same(tmp_path: Path) -> None:
    judged(tmp_path / "c", native=400 * PER_RUNG)
    add_recording(tmp_path / "c", [[100, 1, [["f", "<unknown>", 0], ["on_get", "shop.py", 5]]]])
    (suspect,) = analyse(tmp_path / "c").suspects
    assert (suspect.kind, suspect.retainer) == ("native", "C code without a name")
    assert suspect.grows.bytes_per_request == 400
    assert suspect.why == (
        "Memory that C code asked for and did not give back grows by 400 bytes per request. memray saw nobody ask for "
        "it, as when it is asked for through ctypes."
    )


@pytest.mark.parametrize(
    "growing",
    [{"native": 100 * PER_RUNG}, {"free": 20_000 * PER_RUNG}, {"files": 20_000}],
    ids=["within what caches gain", "free", "files"],
)
def test_what_nobody_holds_is_no_leak(tmp_path: Path, growing: dict[str, int]) -> None:
    findings = judged(tmp_path / "c", **growing)
    assert (findings.verdict, findings.suspects, findings.missing, findings.wanted) == ("clean", [], [], [])


def test_free_memory_that_grows_is_told_as_fragmentation(tmp_path: Path) -> None:
    (told,) = judged(tmp_path / "c", free=50_000 * PER_RUNG).explained
    assert (told.kind, told.bytes) == ("fragmentation", 31 * MB)
    assert told.why == (
        "31,000,000 bytes are free inside the allocators of Python and C: nothing holds them, and new objects fill "
        "them; they grow by 50,000 bytes per request, for what lives scatters over them."
    )


def test_memory_mapped_past_the_allocators_asks_for_a_recording(tmp_path: Path) -> None:
    findings = judged(tmp_path / "c", mapped=5_000 * PER_RUNG)
    assert findings.verdict == "inconclusive"
    assert findings.missing[0].startswith(
        "a native recording (--record memray --native): private memory grows by 5,000"
    )


def test_python_objects_round_up_and_that_is_no_second_leak(tmp_path: Path) -> None:
    findings = judged(tmp_path / "c", lambda rung: store_of(20 + 400 * rung), native=900 * PER_RUNG)
    assert [suspect.retainer for suspect in findings.suspects] == ["shop.STORE"]
    assert "native-recording" not in findings.wanted


def test_a_cache_that_fills_hides_no_leak_in_c(tmp_path: Path) -> None:
    """What live objects take is no part of what C code holds, whether or not they go on growing."""
    findings = judged(tmp_path / "c", lambda rung: store_of(min(20 + 400 * rung, 1220)), native=1_500 * PER_RUNG)
    assert findings.suspects == []
    assert findings.wanted == ["native-recording"]


def test_private_memory_that_a_filling_cache_takes_is_explained(tmp_path: Path) -> None:
    """Where no allocator was asked: 3,000 bytes a request of private memory, nearly all of a cache's."""
    capture = record(
        tmp_path / "c",
        lambda rung: store_of(min(20 + 300 * rung, 1520)),
        uss_bytes=lambda rung: 30 * MB + 300_000 * rung,
    )
    assert "native-recording" not in analyse(capture).wanted


def test_a_leak_in_c_beside_one_of_objects_is_asked_for(tmp_path: Path) -> None:
    findings = judged(tmp_path / "c", lambda rung: store_of(20 + 100 * rung), native=9_000 * PER_RUNG)
    assert [suspect.retainer for suspect in findings.suspects] == ["shop.STORE"]
    assert "native-recording" in findings.wanted


#: As memray tells them: the interpreter's own functions, with and without debug information, and an extension's.
CALL = [
    ["cfunction_vectorcall_O", "<unknown>", 0],
    ["PyObject_Vectorcall", "call.c", 299],
    ["trace_call_function", "ceval.c", 7],
]
MAKE = [["_PyBytes_FromSize", "bytesobject.c", 103], ["PyBytes_FromStringAndSize", "<unknown>", 0]]
RAW_COPY = ["Raw_copy", "<unknown>", 0]
WORK = [["work", "shop.py", 11], ["on_get", "shop.py", 17], ["__call__", "site-packages/falcon/app.py", 487]]


@pytest.mark.parametrize(
    ("stack", "name"),
    [
        ([*MAKE, RAW_COPY, *CALL, *WORK], "Raw_copy (C code called by work)"),
        ([*MAKE, ["<unknown>", "<unknown>", 0], *CALL, *WORK], "C code called by work"),
        (
            [["new_keys_object", "dictobject.c", 632], ["_PyDict_FromItems", "dictobject.c", 9], *WORK],
            "C code called by work",
        ),
    ],
    ids=["an extension's function", "without a name", "the interpreter's own"],
)
def test_what_an_extension_counts_once_too_often_goes_by_its_line(tmp_path: Path, stack: list[Any], name: str) -> None:
    """Of texts and numbers the collector knows nothing: where nobody refers to them, no walk finds them."""
    judged(tmp_path / "c", native=5_000 * PER_RUNG)
    add_recording(tmp_path / "c", [[4_800 * 400, 800, stack, True]])
    (suspect,) = analyse(tmp_path / "c").suspects
    assert (suspect.kind, suspect.retainer) == ("native", name)
    assert suspect.allocation_site == AllocationSite(file="shop.py", line=11, function="work")
    assert suspect.grows.bytes_per_request == 4_800
    assert suspect.why == (
        "Memory that C code asked for and did not give back grows by 5,000 bytes per request. memray saw 4,800 bytes "
        "per request stay, in 2.00 allocations for C code called by work: memory of an extension, or objects that it "
        "counts once too often, which no reference leads to."
    )


def test_objects_that_live_are_not_taken_for_them(tmp_path: Path) -> None:
    """Too little of it, or not Python's allocator's: what asked the system for memory comes first."""
    judged(tmp_path / "c", native=5_000 * PER_RUNG)
    other = [["resize", "<unknown>", 0], *CALL, *WORK]
    small = [[9_000 * 400, 800, [*MAKE, RAW_COPY, *CALL, *WORK], True], [4_000 * 400, 400, other, False]]
    add_recording(tmp_path / "c", small)
    assert [one.retainer for one in analyse(tmp_path / "c").suspects] == ["resize (C code called by work)"]


def test_little_of_pythons_own_explains_nothing(tmp_path: Path) -> None:
    judged(tmp_path / "c", native=5_000 * PER_RUNG)
    add_recording(tmp_path / "c", [[2_000 * 400, 800, [*MAKE, RAW_COPY, *CALL, *WORK], True]])
    assert [one.retainer for one in analyse(tmp_path / "c").suspects] == ["C code without a name"]
