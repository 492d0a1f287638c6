"""Memory that C code keeps: suspected when private memory grows, no object explains it, and memray saw who took it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from recorded import Heap, record

from labkit.findings.model import AllocationSite, Findings
from labkit.pipeline import analyse
from labkit.store.recordings import Recording
from labkit.views.report import render_report
from labkit.views.text import render_text

REQUESTS = 400
FFI = [["<unknown>", "<unknown>", 0], ["ffi_call", "<unknown>", 0], ["_PyObject_MakeTpCall", "call.c", 214]]
APP = [["render", "shop.py", 8], ["on_get", "shop.py", 5], ["__call__", "site-packages/falcon/app.py", 487]]
LEAK = [["keep", "<unknown>", 0], *FFI, *APP]
POOL = [["_PyObject_Malloc", "obmalloc.c", 2003], ["new_keys_object", "dictobject.c", 632], *APP]


def quiet(rung: int) -> Heap:
    heap = Heap()
    store = heap.new("dict", 64, held_by=(heap.module("shop"), "value", "STORE"))
    for _ in range(20):
        heap.new("shop.Session", 48, held_by=(store, "value"))
    return heap


def judged(folder: Path, rows: list[Any] | None, *, per_rung: int = 500_000, **facts: Any) -> Findings:
    """A worker whose private memory grows by 5,000 bytes a request, and memray's ``rows`` of 400 requests."""
    capture = record(folder, quiet, uss_bytes=lambda rung: 30_000_000 + per_rung * rung)
    if rows is not None:
        (folder / "recordings").mkdir()
        (folder / "recordings" / "m.json").write_text(json.dumps({"rows": rows}))
        given = {"requests": REQUESTS, "files": {"over": "recordings/m.json"}} | facts
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["recordings"] = [Recording("memray", 4711, **given).to_json()]
        (folder / "manifest.json").write_text(json.dumps(manifest))
    return analyse(capture.folder)


def test_the_function_that_keeps_it_is_named(tmp_path: Path) -> None:
    other = [["resize", "<unknown>", 0], *APP]
    findings = judged(
        tmp_path / "c", [[4_000 * REQUESTS, REQUESTS, LEAK], [900 * REQUESTS, 3, other], [10**8, 9, POOL]]
    )
    (suspect,) = findings.suspects
    assert (findings.verdict, suspect.kind, suspect.retainer) == ("suspect", "native", "keep (C code called by render)")
    assert suspect.grows.bytes_per_request == 4_000
    assert suspect.grows.interval95 == (4_000, 5_000)
    assert suspect.allocation_site == AllocationSite(file="shop.py", line=8, function="render")
    assert suspect.why == (
        "Private memory grows by 5,000 bytes per request, of which Python objects explain 0. memray saw 4,000 bytes "
        "per request stay, in 1.00 allocations by keep called by render."
    )
    text = render_text(findings)
    assert "keep (C code called by render) keeps 4.00 kB per request" in text
    assert "held by       C code: no Python object stands for it" in text
    page = render_report(findings)
    assert "keep (C code called by render)" in page
    assert "The chain as text" not in page


def test_a_library_calls_it_for_the_app(tmp_path: Path) -> None:
    stack = [["<unknown>", "<unknown>", 0], ["resize", "site-packages/imaging/core.py", 3], *APP]
    (suspect,) = judged(tmp_path / "c", [[5_000 * REQUESTS, REQUESTS, stack]]).suspects
    assert suspect.retainer == "a function without a name (C code called by resize)"
    assert suspect.allocation_site is not None
    assert (suspect.allocation_site.file, suspect.allocation_site.line) == ("shop.py", 8)


@pytest.mark.parametrize(
    ("rows", "seen"),
    [
        ([[2_000 * REQUESTS, REQUESTS, LEAK]], "2,000 bytes per request"),
        ([[5_000 * REQUESTS, REQUESTS, POOL]], "nothing"),
    ],
    ids=["less than half of it", "Python's own pools"],
)
def test_what_memray_does_not_explain_stays_open(tmp_path: Path, rows: list[Any], seen: str) -> None:
    findings = judged(tmp_path / "c", rows)
    assert (findings.verdict, findings.suspects) == ("inconclusive", [])
    assert findings.missing == [
        "what keeps it: private memory grows by 5,000 bytes per request, of which Python objects explain 0, and of "
        f"what C code asked for memray saw {seen} stay"
    ]


@pytest.mark.parametrize(
    ("rows", "facts"),
    [
        (None, {}),
        ([[5_000 * REQUESTS, REQUESTS, APP]], {}),
        ([[5_000 * REQUESTS, REQUESTS, LEAK]], {"requests": None}),
        ([[5_000 * REQUESTS, REQUESTS, LEAK]], {"why_not": "it ended early"}),
        ([["a row", "that", "is none"]], {}),
    ],
    ids=["none", "without native stacks", "nobody counted requests", "not recorded", "damaged"],
)
def test_without_a_native_recording_it_is_asked_for(tmp_path: Path, rows: list[Any] | None, facts: Any) -> None:
    findings = judged(tmp_path / "c", rows, **facts)
    assert (findings.verdict, findings.suspects) == ("inconclusive", [])
    assert findings.missing[0].startswith(
        "a native recording (--record memray --native): private memory grows by 5,000"
    )


def test_a_warm_up_in_c_is_no_suspect(tmp_path: Path) -> None:
    """What stays in the window is nothing where private memory does not grow."""
    findings = judged(tmp_path / "c", [[5_000 * REQUESTS, REQUESTS, LEAK]], per_rung=0)
    assert (findings.verdict, findings.suspects, findings.missing) == ("clean", [], [])
