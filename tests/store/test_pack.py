"""A snapshot stored plainly becomes small and stays the same; whatever goes wrong, it is still there."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from fuzzing import bases

from labkit.store import pack
from labkit.store.snapshot import read_snapshot


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A real process's snapshot whose members are not compressed."""
    path = tmp_path / "x.heap"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in bases(tmp_path)[-1].items():
            archive.writestr(name, content)
    path.chmod(0o600)
    return path


def test_it_is_smaller_and_the_same(stored: Path) -> None:
    before, size = read_snapshot(stored), stored.stat().st_size
    pack.pack_snapshot(stored)
    after = read_snapshot(stored)
    assert stored.stat().st_size < size / 3
    assert stored.stat().st_size < 15 * after.node_count
    assert (after.header, after.types, after.labels) == (before.header, before.types, before.labels)
    for name, column in before.columns.items():
        assert after.columns[name].tolist() == column.tolist()
    assert stored.stat().st_mode & 0o777 == 0o600


def test_a_packed_one_is_left_alone(stored: Path) -> None:
    pack.pack_snapshot(stored)
    inode = stored.stat().st_ino
    pack.pack_snapshot(stored)
    assert stored.stat().st_ino == inode


def test_a_full_disk_costs_nothing(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = stored.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(OSError, match="No space left"):
        pack.pack_snapshot(stored)
    assert stored.read_bytes() == content
    assert [path.name for path in stored.parent.iterdir() if path.suffix == ".partial"] == []
