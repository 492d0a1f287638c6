"""A capture is there complete or not at all, and a folder that is none says why."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from labkit.errors import NotACapture, UnsupportedVersion
from labkit.store.bundle import pack, unpack
from labkit.store.capture import Capture, CaptureWriter, Sample, open_capture

DATA = Path(__file__).resolve().parents[2] / "data"


def written(folder: Path) -> Capture:
    with CaptureWriter(folder) as writer:
        path = writer.heap_path(0, 7)
        path.write_bytes(b"heap")
        writer.add_snapshot(0, 7, 100, path, {"pause_ms": 3.0})
        writer.add_sample(Sample(0.5, 0, 7, 100, 10, 5, 3, 1, 2))
        writer.add_statuses({"200": 3})
        writer.add_statuses({"200": 4, "lost": 0})
        return writer.publish(label="x", command="c", versions={"python": "3"}, load={}, server={})


def test_what_was_written_is_read(tmp_path: Path) -> None:
    capture = written(tmp_path / "c")
    assert open_capture(tmp_path / "c").manifest == capture.manifest
    assert capture.manifest["statuses"] == {"200": 7, "lost": 0}
    assert capture.samples == (Sample(0.5, 0, 7, 100, 10, 5, 3, 1, 2),)
    assert capture.path_of(capture.snapshots[0]).read_bytes() == b"heap"
    assert [path.name for path in tmp_path.iterdir()] == ["c"]
    assert repr(capture).startswith("Capture of x: 1 snapshots over 100 requests, recorded 20")


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_interruption_leaves_nothing(kind: type[BaseException], tmp_path: Path) -> None:
    def cut_short() -> None:
        with CaptureWriter(tmp_path / "c") as writer:
            writer.heap_path(0, 7).write_bytes(b"heap")
            raise kind

    with pytest.raises(kind):
        cut_short()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    with pytest.raises(NotACapture, match="exists already; a capture is never written over"):
        CaptureWriter(tmp_path / "c")


def test_what_an_earlier_crash_left_is_cleared(tmp_path: Path) -> None:
    (tmp_path / "c.partial").mkdir()
    (tmp_path / "c.partial" / "old").write_text("old")
    written(tmp_path / "c")
    assert not (tmp_path / "c" / "old").exists()


def test_the_hash_is_of_the_content(tmp_path: Path) -> None:
    capture = written(tmp_path / "c")
    before = capture.sha256()
    (tmp_path / "c" / "server.log").write_text("chatter")
    assert capture.sha256() == before
    (tmp_path / "c" / "samples.csv").write_text("changed")
    assert capture.sha256() != before


def manifest(folder: Path, **facts: object) -> None:
    file = folder / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | facts))


def test_folders_that_are_no_capture(tmp_path: Path) -> None:
    with pytest.raises(NotACapture) as caught:
        open_capture(tmp_path / "gone")
    assert caught.value.seen == "no such folder"
    with pytest.raises(NotACapture) as caught:
        open_capture(tmp_path)
    assert caught.value.seen == "there is no manifest.json in it"
    written(tmp_path / "c")
    manifest(tmp_path / "c", schema="other/1")
    with pytest.raises(NotACapture) as caught:
        open_capture(tmp_path / "c")
    assert caught.value.seen == "manifest.json names 'other/1'"
    manifest(tmp_path / "c", schema="labkit.capture/2")
    with pytest.raises(UnsupportedVersion) as newer:
        open_capture(tmp_path / "c")
    assert newer.value.seen == "labkit.capture/2, this one reads labkit.capture/1"


@pytest.mark.parametrize("damage", ['{"schema": ', "[]", '{"schema": "labkit.capture/1"}'])
def test_damaged_manifests(damage: str, tmp_path: Path) -> None:
    written(tmp_path / "c")
    (tmp_path / "c" / "manifest.json").write_text(damage)
    with pytest.raises(NotACapture, match="is a damaged capture"):
        open_capture(tmp_path / "c")


@pytest.mark.parametrize("file", ["../secret", "/etc/hostname", "link/secret"])
def test_a_snapshot_outside_the_capture_is_refused(file: str, tmp_path: Path) -> None:
    written(tmp_path / "c")
    (tmp_path / "c" / "link").symlink_to(tmp_path)
    entry = {"rung": 0, "pid": 1, "requests": 1, "file": file, "cost": {}}
    manifest(tmp_path / "c", snapshots=[entry])
    with pytest.raises(NotACapture) as caught:
        open_capture(tmp_path / "c")
    assert "outside the capture" in caught.value.seen


@pytest.mark.parametrize("file", sorted(DATA.glob("*.capture")), ids=lambda path: path.stem)
def test_recorded_captures_open_and_are_the_ones_in_the_manifest(file: Path, tmp_path: Path) -> None:
    import hashlib

    entry = json.loads((DATA / "manifest.json").read_text())[file.stem]
    assert entry["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    capture = unpack(file, tmp_path / "c")
    assert capture.manifest["recorded_at"] == entry["recorded_at"]
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_a_bundle_holds_the_same_and_a_broken_one_is_refused(tmp_path: Path) -> None:
    first = unpack(sorted(DATA.glob("*.capture"))[0], tmp_path / "first")
    small = {**first.manifest, "snapshots": first.manifest["snapshots"][:1], "site_snapshots": []}
    (first.folder / "manifest.json").write_text(json.dumps(small))
    pack(open_capture(first.folder), tmp_path / "again.capture")
    again = unpack(tmp_path / "again.capture", tmp_path / "again")
    assert again.manifest == small
    data = (tmp_path / "again.capture").read_bytes()
    for broken in (data[: len(data) // 2], b"", b"no archive", data[:50] + b"\0" * 50 + data[100:]):
        (tmp_path / "broken.capture").write_bytes(broken)
        with pytest.raises(NotACapture):
            unpack(tmp_path / "broken.capture", tmp_path / "out")
        assert not (tmp_path / "out").exists()
    shutil.rmtree(tmp_path / "again")
