"""A live worker that did nothing is not called clean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from recorded import PER_RUNG, RUNGS, record, store_of

from labkit.pipeline import analyse

WATCHED_S = PER_RUNG * RUNGS


def watched(folder: Path, cpu_s: float | None, *, growing: int = 0, unit: str = "second") -> Path:
    record(folder, lambda rung: store_of(20 + growing * rung))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["load"] = {"unit": unit}
    manifest["notes"] = {} if cpu_s is None else {"cpu_s": cpu_s}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_next_to_nothing_is_inconclusive(tmp_path: Path) -> None:
    findings = analyse(watched(tmp_path / "c", 0.4))
    assert (findings.verdict, findings.suspects) == ("inconclusive", [])
    assert findings.missing == [
        f"traffic: the workers used 0.40 s of CPU in {WATCHED_S} s, which is next to nothing; what requests leave "
        "behind shows only while there are some"
    ]


@pytest.mark.parametrize(("cpu_s", "unit"), [(30.0, "second"), (None, "second"), (0.1, "request")])
def test_a_worker_at_work_or_of_whom_nobody_knows_is_judged(tmp_path: Path, cpu_s: float | None, unit: str) -> None:
    assert analyse(watched(tmp_path / "c", cpu_s, unit=unit)).verdict == "clean"


def test_what_grows_all_the_same_is_a_suspect(tmp_path: Path) -> None:
    findings = analyse(watched(tmp_path / "c", 0.1, growing=50))
    assert (findings.verdict, findings.missing) == ("suspect", [])
