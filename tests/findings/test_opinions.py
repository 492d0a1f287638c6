"""Second opinions: what a tool saw is set against the suspect, and a difference is explained by what it can see."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labkit.findings.model import AllocationSite, Growth, SecondOpinion, Suspect
from labkit.findings.opinions import second_opinions
from labkit.store.capture import Capture, CaptureWriter
from labkit.store.recordings import Recording

SITE = AllocationSite(file="shop.py", line=7, function="buy")
STACK = [["shop.py", 7], ["site-packages/falcon/app.py", 487]]


def suspect(kind: str = "shop.Order", site: AllocationSite | None = SITE) -> Suspect:
    grows = Growth(type=kind, objects_per_request=1, bytes_per_request=100, interval95=(99, 101))
    return Suspect(
        rank=1,
        kind="python-objects",
        retainer="shop.KEPT",
        retaining_path=[],
        grows=grows,
        allocation_site=site,
        why="",
    )


def opinion(folder: Path, tool: str, looks: dict[str, list[Any]], *suspects: Suspect, **more: Any) -> SecondOpinion:
    """Record one tool's ``looks`` and read them again."""
    with CaptureWriter(folder) as writer:
        files = {}
        for look, rows in looks.items():
            name = f"{tool}-{look}.json"
            writer.recording_path(name).write_text(json.dumps({"rows": rows}))
            files[look] = f"recordings/{name}"
        writer.add_recording(Recording(tool, 7, "1.0", 2.5, 100, files, {"pause_ms": 2.0}, **more))
        capture: Capture = writer.publish(label="x", command="c", versions={}, load={}, server={})
    (found,) = second_opinions(capture, suspects)
    return found


def lines(found: SecondOpinion) -> list[tuple[str, int | None, int | None]]:
    return [(seen.what, seen.objects, seen.bytes) for seen in found.saw]


def test_objgraph_sees_objects_of_the_type(tmp_path: Path) -> None:
    looks = {
        "before": [["builtins.dict", 50], ["shop.Order", 5], ["gone", 9]],
        "after": [["builtins.dict", 40], ["shop.Order", 105], ["builtins.list", 3]],
    }
    found = opinion(tmp_path / "c", "objgraph", looks, suspect())
    assert lines(found) == [("shop.Order", 100, None), ("list", 3, None)]
    assert (found.agrees, found.match) == (True, found.saw[0])
    assert found.why == "It counts by type: it can say that more are there, not what holds them."
    assert (found.window_s, found.requests, found.cost, found.version) == (2.5, 100, {"pause_ms": 2.0}, "1.0")


def test_objgraph_is_blind_to_what_is_not_tracked(tmp_path: Path) -> None:
    looks = {"before": [["builtins.list", 1]], "after": [["builtins.list", 2]]}
    found = opinion(tmp_path / "c", "objgraph", looks, suspect("bytes"))
    assert (found.agrees, found.match) == (False, None)
    assert found.why == "It counts only what the collector tracks, and bytes is not tracked."


def test_guppy_sees_bytes_and_orders_by_them(tmp_path: Path) -> None:
    looks = {"before": [["bytes", 10, 400]], "after": [["int", 900, 25_200], ["bytes", 20, 90_400]]}
    found = opinion(tmp_path / "c", "guppy3", looks, suspect("bytes"))
    assert lines(found) == [("bytes", 10, 90_000), ("int", 900, 25_200)]
    assert found.agrees


def test_a_type_that_did_not_grow_in_the_window(tmp_path: Path) -> None:
    looks = {"before": [["shop.Order", 5, 500]], "after": [["shop.Order", 5, 500], ["int", 3, 84]]}
    found = opinion(tmp_path / "c", "guppy3", looks, suspect())
    assert (found.agrees, lines(found)) == (False, [("int", 3, 84)])
    assert found.why == "In its window there were no more of shop.Order than before."


def test_tracemalloc_names_the_line(tmp_path: Path) -> None:
    other = [["site-packages/falcon/app.py", 487]]
    looks = {"before": [[500, 5, STACK]], "after": [[9_500, 95, STACK], [900, 1, other]]}
    found = opinion(tmp_path / "c", "tracemalloc", looks, suspect())
    assert lines(found) == [("shop.py:7", 90, 9_000), ("site-packages/falcon/app.py:487", 1, 900)]
    assert (found.agrees, found.match) == (True, found.saw[0])
    assert found.why == "It names the line that allocated what grows, not what holds it."


@pytest.mark.parametrize(
    ("tool", "look", "why"),
    [
        ("tracemalloc", "after", "It charges the line that asked the allocator for memory."),
        ("memray", "over", "It sees memory that is asked for from the system."),
    ],
)
def test_another_line_is_charged(tmp_path: Path, tool: str, look: str, why: str) -> None:
    rows = [[9_000, 9, [["shop.py", 70]]]]
    looks = {look: rows} if look == "over" else {"before": [], look: rows}
    found = opinion(tmp_path / "c", tool, looks, suspect())
    assert (found.agrees, found.match) == (False, None)
    assert found.why.startswith(why)


def test_a_line_further_out_counts(tmp_path: Path) -> None:
    looks = {"over": [[9_000, 9, [["f", "lib.py", 1], ["buy", "shop.py", 7]]]]}
    assert opinion(tmp_path / "c", "memray", looks, suspect()).agrees


def test_c_code_goes_by_its_functions(tmp_path: Path) -> None:
    looks = {"over": [[9_000, 9, [["keep", "<unknown>", 0], ["buy", "shop.py", 7]]]]}
    assert lines(opinion(tmp_path / "c", "memray", looks, suspect())) == [("keep (C code)", 9, 9_000)]


def test_nothing_to_compare(tmp_path: Path) -> None:
    looks = {"over": [[9_000, 9, STACK]]}
    found = opinion(tmp_path / "a", "memray", looks, suspect(site=None))
    assert (found.agrees, found.why) == (None, "The suspect's line is not known, so there is nothing to compare.")
    assert opinion(tmp_path / "b", "memray", looks).agrees is None
    found = opinion(tmp_path / "c", "objgraph", {"before": [], "after": [["x.Y", 1]]})
    assert (found.agrees, lines(found)) == (None, [("x.Y", 1, None)])


def test_py_spy_compares_nothing(tmp_path: Path) -> None:
    looks = {"before": [[1, []]], "over": [[80, [["wait", "shop.py", 9]]], [20, []]]}
    found = opinion(tmp_path / "c", "py-spy", looks, suspect())
    assert lines(found) == [("wait (shop.py:9)", 80, None)]
    assert (found.agrees, found.why) == (
        None,
        "It shows where time goes, or what a thread waits for. It measures no memory.",
    )


def test_what_was_not_recorded(tmp_path: Path) -> None:
    found = opinion(tmp_path / "c", "memray", {}, suspect(), why_not="not installed")
    assert (found.why_not, found.saw, found.why) == ("not installed", [], "")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rows": 3}', '{"rows": [[1]]}', '{"rows": [[-1, 1, []]]}',
                                  '{"rows": [[1, 1, [[3, "x"]]]]}', '{"rows": [["a", true, []]]}'])  # fmt: skip
def test_a_damaged_recording_is_told(tmp_path: Path, text: str) -> None:
    with CaptureWriter(tmp_path / "c") as writer:
        writer.recording_path("m.json").write_text(text)
        writer.add_recording(Recording("memray", 7, files={"over": "recordings/m.json"}))
        capture = writer.publish(label="x", command="c", versions={}, load={}, server={})
    (found,) = second_opinions(capture, [suspect()])
    assert found.why_not.startswith("its recording cannot be read: ")
