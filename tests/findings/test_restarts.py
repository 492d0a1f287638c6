"""Captures whose workers were not the same throughout: those that stayed are judged, and nothing is summed across a
restart."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from recorded import RUNGS, Heap, record
from test_verdicts import leaking, quiet

from labkit.errors import TooFewSnapshots
from labkit.pipeline import analyse
from labkit.store.capture import Capture

FIRST, SECOND = 4711, 4712


def with_workers(folder: Path, alive: Callable[[int, int], bool], first: Callable[[int], Heap]) -> Capture:
    """Two workers of which each has snapshots where ``alive(pid, rung)``; the second one leaks."""
    capture = record(folder, first, pids=(FIRST, SECOND), others_heap_after=leaking)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["snapshots"] = [row for row in manifest["snapshots"] if alive(row["pid"], row["rung"])]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    kept = tuple(entry for entry in capture.snapshots if alive(entry.pid, entry.rung))
    return replace(capture, snapshots=kept, manifest=manifest)


@pytest.mark.parametrize("ends_at", [1, 3, RUNGS])
@pytest.mark.parametrize(("first", "verdict"), [(quiet, "inconclusive"), (leaking, "suspect")])
def test_one_of_two_ends(tmp_path: Path, first: Callable[[int], Heap], verdict: str, ends_at: int) -> None:
    capture = with_workers(tmp_path / "capture", lambda pid, rung: pid == FIRST or rung < ends_at, first)
    findings = analyse(capture)
    assert findings.verdict == verdict
    assert [each.retainer for each in findings.suspects] == ["shop.sessions.STORE"] * (verdict == "suspect")
    assert {sample.pid for sample in findings.samples} == {FIRST}
    assert findings.missing == [
        f"process {SECOND} from the first snapshot to the last: it ended or came meanwhile, as recycled workers do, "
        "and is left out"
    ]


def test_what_the_one_that_stays_leaks_is_counted_once(tmp_path: Path) -> None:
    alone = analyse(record(tmp_path / "alone", leaking, pids=(FIRST,)))
    beside = analyse(with_workers(tmp_path / "beside", lambda pid, rung: pid == FIRST or rung >= 2, leaking))
    assert beside.suspects[0].grows == alone.suspects[0].grows


def test_a_successor_is_no_series(tmp_path: Path) -> None:
    capture = with_workers(tmp_path / "capture", lambda pid, rung: (pid == FIRST) == (rung < 4), leaking)
    with pytest.raises(TooFewSnapshots) as caught:
        analyse(capture)
    assert str(caught.value).splitlines()[0] == (
        "No worker was there from the first snapshot to the last: there is no trend across restarts."
    )
    assert caught.value.seen == f"{RUNGS + 1} rungs of processes {FIRST}, {SECOND}"
    assert "a higher bound where the server recycles its workers" in caught.value.hint


@pytest.mark.parametrize("note", ["after 6 of 8 snapshots. Worker 4711 has ended.", 7, None])
def test_a_series_that_was_cut_short_is_not_clean(tmp_path: Path, note: object) -> None:
    capture = record(tmp_path / "capture", quiet)
    findings = analyse(replace(capture, manifest=capture.manifest | {"notes": {"ended_early": note}}))
    if isinstance(note, str):
        assert (findings.verdict, findings.missing) == (
            "inconclusive",
            [f"the rest of the series, which ended early, {note}"],
        )
    else:
        assert (findings.verdict, findings.missing) == ("clean", [])
