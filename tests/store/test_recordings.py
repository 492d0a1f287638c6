"""A capture's list of recordings is checked like the rest of its manifest, and travels in the bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labkit.errors import NotACapture
from labkit.store.bundle import pack, unpack
from labkit.store.capture import Capture, CaptureWriter, open_capture
from labkit.store.recordings import Recording, Row, read_rows

ENTRY = Recording(
    "memray", 7, "1.2", 3.5, None, {"over": "recordings/m.json", "raw": "recordings/m.bin"}, {"took_ms": 1.5}
)


def written(folder: Path) -> Capture:
    with CaptureWriter(folder) as writer:
        writer.recording_path("m.json").write_text('{"rows": [[10, 1, [["f", "a.py", 3]]]]}')
        writer.recording_path("m.bin").write_bytes(b"command line and all")
        writer.add_recording(ENTRY)
        return writer.publish(label="x", command="c", versions={}, load={}, server={})


def test_what_was_written_is_read(tmp_path: Path) -> None:
    written(tmp_path / "c")
    capture = open_capture(tmp_path / "c")
    assert capture.recordings == (ENTRY,)
    assert read_rows(capture.folder, ENTRY, "over") == (Row("a.py:3", 1, 10, (("a.py", 3),), ("f",)),)


def test_a_bundle_leaves_the_tools_own_files_at_home(tmp_path: Path) -> None:
    pack(written(tmp_path / "c"), tmp_path / "c.capture")
    capture = unpack(tmp_path / "c.capture", tmp_path / "d")
    assert capture.recordings == (ENTRY,)
    assert [path.name for path in (capture.folder / "recordings").iterdir()] == ["m.json"]


@pytest.mark.parametrize(
    "changed",
    [
        {"tool": 3},
        {"pid": "7"},
        {"pid": True},
        {"window_s": 1e300},
        {"requests": "many"},
        {"files": []},
        {"files": {"over": 3}},
        {"files": {"over": "../m.json"}},
        {"files": {"over": "/etc/passwd"}},
        {"files": {"over": "recordings/deep/m.json"}},
        {"cost": {"took_ms": "1"}},
        {"cost": 3},
        {"why_not": None},
        {"more": 1},
    ],
    ids=str,
)
def test_a_damaged_entry_is_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    written(tmp_path / "c")
    path = tmp_path / "c" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["recordings"][0] |= changed
    path.write_text(json.dumps(manifest))
    with pytest.raises(NotACapture, match="is a damaged capture"):
        open_capture(tmp_path / "c")


@pytest.mark.parametrize("recordings", [None, {}, "x", [3], [[]]], ids=str)
def test_a_damaged_list_is_refused(tmp_path: Path, recordings: object) -> None:
    written(tmp_path / "c")
    path = tmp_path / "c" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"recordings": recordings}))
    with pytest.raises(NotACapture, match="is a damaged capture"):
        open_capture(tmp_path / "c")


def test_a_huge_recording_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    capture = written(tmp_path / "c")
    monkeypatch.setattr("labkit.store.recordings.MAX_BYTES", 10)
    with pytest.raises(ValueError, match=r"m\.json is too large"):
        read_rows(capture.folder, ENTRY, "over")
