"""Every wrong file gets its own error; nothing else comes out of the reader."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from labkit.agent import layout
from labkit.errors import (
    AnalysisError,
    CorruptSnapshot,
    IncompleteWalk,
    NotASnapshot,
    StoreError,
    TruncatedSnapshot,
    UnsupportedVersion,
)
from labkit.store.snapshot import read_snapshot

Change = Callable[[dict[str, bytes]], None]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of a small process, taken by the agent."""
    path = tmp_path_factory.mktemp("real") / "real.heap"
    script = f"from labkit.agent import snapshot; snapshot.take({str(path)!r}, 60)"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
    return path


@pytest.fixture
def changed(real: Path, tmp_path: Path) -> Callable[[Change], Path]:
    """Write the snapshot again with its members changed."""

    def write(change: Change) -> Path:
        with zipfile.ZipFile(real) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        change(members)
        path = tmp_path / "changed.heap"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return path

    return write


def header(**facts: object) -> Change:
    def change(members: dict[str, bytes]) -> None:
        members["header.json"] = json.dumps(json.loads(members["header.json"]) | facts).encode()

    return change


def column(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Change:  # type: ignore[type-arg]
    def apply(members: dict[str, bytes]) -> None:
        stream = io.BytesIO()
        np.save(stream, change(np.load(io.BytesIO(members[f"{name}.npy"]))))
        members[f"{name}.npy"] = stream.getvalue()

    return apply


def test_a_real_one_is_read_whole(real: Path) -> None:
    snapshot = read_snapshot(real)
    assert snapshot.node_count == snapshot.header["nodes"] > 5_000
    assert len(snapshot.columns["edge_target"]) == snapshot.header["edges"]
    assert set(snapshot.columns) == set(layout.COLUMNS)


@pytest.mark.parametrize(
    ("data", "seen"),
    [(b"", "the file is empty"), (b"hello world", "not with a ZIP header"), (None, "no such file")],
)
def test_no_snapshot_at_all(data: bytes | None, seen: str, tmp_path: Path) -> None:
    path = tmp_path / "x.heap"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(NotASnapshot, match="is not a heap snapshot") as caught:
        read_snapshot(path)
    assert seen in caught.value.seen
    assert caught.value.hint


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(NotASnapshot) as caught:
        read_snapshot(tmp_path)
    assert caught.value.seen == "it is a folder"


def test_another_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.heap", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(NotASnapshot) as caught:
        read_snapshot(tmp_path / "x.heap")
    assert caught.value.seen == "a ZIP archive without header.json"


@pytest.mark.parametrize("part", range(1, 20))
def test_cut_short_anywhere(part: int, real: Path, tmp_path: Path) -> None:
    data = real.read_bytes()
    (tmp_path / "x.heap").write_bytes(data[: len(data) * part // 20])
    with pytest.raises(TruncatedSnapshot, match="ends early or is damaged"):
        read_snapshot(tmp_path / "x.heap")


def test_from_a_newer_version(changed: Callable[[Change], Path]) -> None:
    with pytest.raises(UnsupportedVersion) as caught:
        read_snapshot(changed(header(version=99)))
    assert caught.value.seen == "version 99, this labkit reads 1 to 3"


def test_an_incomplete_walk_is_refused(changed: Callable[[Change], Path]) -> None:
    with pytest.raises(IncompleteWalk, match="did not end"):
        read_snapshot(changed(header(complete=False)))


def pickled(members: dict[str, bytes]) -> None:
    stream = io.BytesIO()
    np.save(stream, np.array([print], dtype=object), allow_pickle=True)
    members["node_size.npy"] = stream.getvalue()


def lost(members: dict[str, bytes]) -> None:
    del members["labels.json"]


def deep(members: dict[str, bytes]) -> None:
    members["labels.json"] = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    "change",
    [
        pickled,
        lost,
        deep,
        lambda members: members.update({"labels.json": b'{"a": 1}'}),
        lambda members: members.update({"sites.json": b"[[1]]"}),
        column("node_size", lambda rows: rows.astype("<f8")),
        column("node_size", lambda rows: rows.reshape(1, -1)),
        column("node_size", lambda rows: rows[:-1]),
        column("node_type", lambda rows: rows + 1_000_000),
        column("node_name", lambda rows: rows - 5),
        column("edge_target", lambda rows: rows + 10_000_000),
        column("edge_kind", lambda rows: rows * 0 + 77),
        column("edge_label", lambda rows: rows * 0 + 10_000_000),
        column("edge_start", lambda rows: rows[::-1].copy()),
        column("root_node", lambda rows: rows * 0 + 4_000_000_000),
        column("root_kind", lambda rows: rows[:-1]),
    ],
)
def test_a_contradiction_is_told(change: Change, changed: Callable[[Change], Path]) -> None:
    with pytest.raises(CorruptSnapshot, match="contradicts itself") as caught:
        read_snapshot(changed(change))
    assert caught.value.seen


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.heap"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps({"format": "labkit.heap", "version": 1, "complete": True}))
        archive.writestr("types.json", "[]")
    data = bytearray(path.read_bytes())
    where = data.rfind(b"PK\x01\x02")
    data[where + 24 : where + 28] = (1 << 31).to_bytes(4, "little")  # claimed size in the central directory
    path.write_bytes(data)
    with pytest.raises(CorruptSnapshot) as caught:
        read_snapshot(path)
    assert "claims" in caught.value.seen


def test_whatever_is_flipped_is_read_or_refused_by_name(real: Path, tmp_path: Path) -> None:
    data = real.read_bytes()
    chance = random.Random(11)
    outcomes = set()
    for _ in range(300):
        broken = bytearray(data)
        for _ in range(chance.choice((1, 1, 3, 20))):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        (tmp_path / "x.heap").write_bytes(broken)
        try:
            read_snapshot(tmp_path / "x.heap")
            outcomes.add("read")
        except (StoreError, AnalysisError) as error:
            outcomes.add(type(error).__name__)
    assert "TruncatedSnapshot" in outcomes
