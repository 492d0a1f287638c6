"""Every byte of a snapshot file is looked at: by a checksum, or because it must say what another one says."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest
from recorded import Heap

from labkit.errors import CorruptSnapshot, StoreError
from labkit.store.pack import rewrite
from labkit.store.snapshot import read_snapshot


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("one") / "x.heap"
    heap = Heap()
    heap.new("dict", 64, held_by=(heap.module("shop"), "value", "STORE"))
    heap.write(path)
    return path.read_bytes()


def not_looked_at(data: bytes) -> set[int]:
    """Of each entry of the directory: the system that wrote it, the attributes of the file."""
    places, found = set(), data.find(b"PK\x01\x02")
    while found >= 0:
        places |= {found + offset for offset in (4, 5, *range(36, 42))}
        found = data.find(b"PK\x01\x02", found + 4)
    return places


@pytest.mark.parametrize("compression", ["as written", "stored", "deflated"])
def test_no_byte_can_be_another_one(compression: str, data: bytes, tmp_path: Path) -> None:
    path, packed = tmp_path / "x.heap", tmp_path / "packed.heap"
    path.write_bytes(data)
    if compression != "as written":
        rewrite(path, packed, zipfile.ZIP_STORED if compression == "stored" else zipfile.ZIP_DEFLATED)
        data = packed.read_bytes()
    passed, ignored = set(), not_looked_at(data)
    path.write_bytes(data)
    said = contents(path)
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        try:
            read_snapshot(path)
        except StoreError:
            continue
        if place in ignored or contents(path) != said:  # deflate can say the same in two ways
            passed.add(place)
    assert passed == ignored


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_what_the_agent_writes_is_read(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.heap").write_bytes(data)
    assert read_snapshot(tmp_path / "x.heap").node_count == 3


def refused(path: Path, data: bytes, seen: str) -> None:
    path.write_bytes(data)
    with pytest.raises(CorruptSnapshot) as caught:
        read_snapshot(path)
    assert caught.value.seen == seen


@pytest.mark.parametrize("more", [b"x", b"PK\x03\x04" * 5, bytes(60_000)])
def test_bytes_after_the_end(more: bytes, data: bytes, tmp_path: Path) -> None:
    refused(tmp_path / "x.heap", data + more, f"{len(more)} bytes that belong to nothing at its end")


def test_a_comment(data: bytes, tmp_path: Path) -> None:
    refused(
        tmp_path / "x.heap", data[:-2] + struct.pack("<H", 5) + b"hello", "5 bytes that belong to nothing at its end"
    )


def test_bytes_before_the_start(data: bytes, tmp_path: Path) -> None:
    refused(tmp_path / "x.heap", b"PK\x03\x04" + data, "4 bytes that belong to nothing before header.json")


def test_bytes_between_the_last_part_and_the_directory(data: bytes, tmp_path: Path) -> None:
    start = data.index(b"PK\x01\x02")
    moved = bytearray(data[:start] + bytes(7) + data[start:])
    moved[-6:-2] = struct.pack("<L", start + 7)
    refused(tmp_path / "x.heap", bytes(moved), "7 bytes that belong to nothing before the directory")


def test_a_header_that_disagrees(data: bytes, tmp_path: Path) -> None:
    place = data.index(b"types.json") - 30 + 10  # the local header's time
    changed = data[:place] + b"\x21\x08" + data[place + 2 :]
    refused(tmp_path / "x.heap", changed, "the header of types.json says something else than the directory")


def test_two_parts_of_one_name(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.heap"
    path.write_bytes(data)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("types.json", "[]")
    refused(path, path.read_bytes(), "two of its parts have one name")
