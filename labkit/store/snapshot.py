"""Read a heap snapshot file into numpy columns, checking everything before it is used.

The layout is ``labkit.agent.layout``'s. A file is refused with a named error when it is no snapshot,
ends early, contradicts itself or was written by a newer version; nothing in it is executed.
"""

from __future__ import annotations

import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from labkit.agent import layout
from labkit.errors import CorruptSnapshot, IncompleteWalk, NotASnapshot, TruncatedSnapshot, UnsupportedVersion
from labkit.store.archive import content, contradiction
from labkit.store.texts import writable

Column = npt.NDArray[Any]
Read = Callable[[str], bytes]

#: Deflate never expands further than this (zlib documentation), so a larger claim is a lie.
MAX_EXPANSION = 1032
#: All parts together: real snapshots unpack to 6 times their file, those of a million equal objects to 12 times.
MAX_EXPANSION_OF_ALL = 64
#: ... but files of any size may unpack to this much.
ALWAYS_ALLOWED_BYTES = 1 << 26
MAX_HEADER_BYTES = 1 << 20
#: A table takes up to 20 times its bytes when it is parsed. Real ones are half as long as their file, or a few
#: times with thousands of tracebacks; those of small files may be longer.
MAX_TABLE_EXPANSION = 16
ALWAYS_ALLOWED_TABLE_BYTES = 1 << 22
#: Rows of a table that nothing refers to: names the walk met and did not need in the end.
SPARE_ROWS = 10_000
#: Numbers and texts of one traceback at most: a row of a table of tracebacks is as long.
MAX_TRACEBACK_PARTS = 3 * 64
#: Lists and objects are what takes most memory for the fewest bytes; a traceback has one for 10 bytes or more.
LEAST_BYTES_PER_LIST = 10
MAX_LINE = 1 << 31
#: No process has that many bytes; sums of sizes stay far from overflow.
MAX_HEAP_BYTES = 1 << 56

#: A header in NumPy's format 1.0 of an array of one dimension; matched, since evaluating it would trust it.
NPY_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00(..)\{'descr': '([^']+)', 'fortran_order': False, 'shape': \((\d{1,12}),\),? ?\} *\n", re.DOTALL
)


@dataclass(frozen=True)
class Values:
    """The beginnings of values in a snapshot that was asked to hold them; ``nodes`` are the rows that have one."""

    nodes: Column
    ends: Column
    text: bytes

    def of(self, node: int) -> str | None:
        """The value's first 80 characters; None for an object without."""
        place = int(np.searchsorted(self.nodes, node))
        if place == len(self.nodes) or int(self.nodes[place]) != node:
            return None
        begin = int(self.ends[place - 1]) if place else 0
        return self.text[begin : int(self.ends[place])].decode("utf-8", "replace")


@dataclass(frozen=True)
class Snapshot:
    """One heap image as columns; row meanings are documented in ``labkit.agent.layout``.

    ``values`` is None unless somebody asked for them when it was taken.
    """

    path: Path
    header: dict[str, Any]
    types: list[str]
    labels: list[str]
    sites: list[list[tuple[str, int, str]]]
    columns: dict[str, Column]
    values: Values | None = None

    @property
    def node_count(self) -> int:
        """Number of objects."""
        return len(self.columns["node_address"])


def read_snapshot(path: Path) -> Snapshot:
    """Read and check the snapshot at ``path``.

    Raises NotASnapshot, TruncatedSnapshot, CorruptSnapshot, UnsupportedVersion or IncompleteWalk.
    """
    _check_kind(path)
    try:
        with path.open("rb") as stream, zipfile.ZipFile(path) as archive:
            read = partial(content, archive, stream)
            header = _read_header(archive, read, path)
            _check_sizes(archive, path)
            if wrong := contradiction(archive, stream, path.stat().st_size):
                raise _corrupt(path, wrong)
            columns = {name: _read_column(read, name, header["version"]) for name in layout.COLUMNS}
            rows = sum(len(columns[name]) for name in ("node_type", "edge_label", "root_label")) + SPARE_ROWS
            tables = {name: _read_table(read, name, rows) for name in layout.TABLES}
            values = _read_values(read) if header.get("values") is True else None
    except (zipfile.BadZipFile, OSError, struct.error) as error:
        raise TruncatedSnapshot(
            f"{path} ends early or is damaged.", seen=str(error), hint="copy the file again, or take a new snapshot"
        ) from None
    except (KeyError, ValueError, EOFError, zlib.error, NotImplementedError, RuntimeError, RecursionError) as error:
        raise _corrupt(path, f"{type(error).__name__}: {error}") from None
    snapshot = Snapshot(path, header, *_checked_tables(path, tables), columns, values)
    _check_columns(snapshot)
    return snapshot


def _check_kind(path: Path) -> None:
    if not path.is_file():
        seen = "it is a folder" if path.is_dir() else "no such file"
        raise NotASnapshot(
            f"{path} is not a heap snapshot.", seen=seen, hint="give a .heap file from the heap folder of a capture"
        )
    try:
        with path.open("rb") as stream:
            start = stream.read(4)
    except OSError as error:
        raise NotASnapshot(f"{path} is not a heap snapshot.", seen=f"it cannot be read: {error.strerror}") from None
    if start != b"PK\x03\x04":
        seen = "the file is empty" if not start else f"it begins with {start!r}, not with a ZIP header"
        raise NotASnapshot(f"{path} is not a heap snapshot.", seen=seen, hint="give a .heap file written by labkit")


def _read_header(archive: zipfile.ZipFile, read: Read, path: Path) -> dict[str, Any]:
    try:
        info = archive.getinfo("header.json")
    except KeyError:
        raise NotASnapshot(
            f"{path} is not a heap snapshot.", seen="a ZIP archive without header.json", hint="give a .heap file"
        ) from None
    if info.file_size > MAX_HEADER_BYTES:
        raise _corrupt(path, f"header.json claims {info.file_size} bytes")
    header = json.loads(read("header.json"))
    if not isinstance(header, dict) or header.get("format") != layout.FORMAT:
        raise NotASnapshot(f"{path} is not a heap snapshot.", seen="header.json names another format")
    version = header.get("version")
    if type(version) is not int or not 1 <= version <= layout.VERSION_WITH_VALUES:
        raise UnsupportedVersion(
            f"{path} was written in another version of the format.",
            seen=f"version {version!r}, this labkit reads 1 to {layout.VERSION_WITH_VALUES}",
            hint="open it with the labkit that wrote it, or a newer one",
        )
    if (version == layout.VERSION_WITH_VALUES) is not (header.get("values") is True):
        raise _corrupt(path, "header.json does not say whether it holds values")
    if header.get("complete") is not True:
        raise IncompleteWalk(f"{path} holds a walk that did not end; it is refused.", hint="take a new snapshot")
    return header


def _check_sizes(archive: zipfile.ZipFile, path: Path) -> None:
    file_size = path.stat().st_size
    for info in archive.infolist():
        if info.file_size > max(info.compress_size, 1) * MAX_EXPANSION or info.compress_size > file_size:
            raise _corrupt(path, f"{info.filename} claims {info.file_size} bytes from {info.compress_size}")
    most = max(MAX_TABLE_EXPANSION * file_size, ALWAYS_ALLOWED_TABLE_BYTES)
    for name in layout.TABLES:
        if archive.getinfo(f"{name}.json").file_size > most:
            raise _corrupt(path, f"{name}.json claims more than {most} bytes, from a file of {file_size}")
    claimed = sum(info.file_size for info in archive.infolist())
    if claimed > max(MAX_EXPANSION_OF_ALL * file_size, ALWAYS_ALLOWED_BYTES):
        raise _corrupt(path, f"its parts claim {claimed} bytes together, from a file of {file_size}")


def _read_column(read: Read, name: str, version: int) -> Column:
    dtype, _ = layout.COLUMNS[name]
    if version < layout.SINCE.get(name, 1):
        return np.empty(0, dtype)
    return _numbers(read, name, dtype)


def _numbers(read: Read, name: str, dtype: str) -> Column:
    data = read(f"{name}.npy")
    header = NPY_HEADER.match(data)
    if header is None:
        raise ValueError(f"{name}.npy is no array of one dimension in NumPy's format 1.0")
    found, rows = header[2].decode("latin-1"), int(header[3])
    body = memoryview(data)[10 + int.from_bytes(header[1], "little") :]
    if found != dtype or len(body) != rows * np.dtype(dtype).itemsize:
        raise ValueError(f"{name}.npy holds {rows} rows of {found} in {len(body)} bytes, {dtype} expected")
    return np.frombuffer(body, dtype=dtype)


def _read_values(read: Read) -> Values:
    nodes, ends = (_numbers(read, name, dtype) for name, (dtype, _) in layout.VALUE_COLUMNS.items())
    return Values(nodes, ends, read(layout.VALUES))


def _read_table(read: Read, name: str, rows: int) -> Any:
    """A table, parsed only if it cannot have far more rows than there are numbers to point at them."""
    data = read(f"{name}.json")
    parts = rows * MAX_TRACEBACK_PARTS if name == "sites" else rows
    if data.count(b",") > parts:
        raise ValueError(f"{name}.json has more rows than anything points at")
    if data.count(b"[") + data.count(b"{") > len(data) // LEAST_BYTES_PER_LIST + SPARE_ROWS:
        raise ValueError(f"{name}.json is made of lists, not of texts")
    return json.loads(data)


def _checked_tables(
    path: Path, tables: dict[str, Any]
) -> tuple[list[str], list[str], list[list[tuple[str, int, str]]]]:
    for name in ("types", "labels"):
        if not isinstance(tables[name], list) or not all(isinstance(row, str) for row in tables[name]):
            raise _corrupt(path, f"{name}.json is not a list of texts")
    if not isinstance(tables["sites"], list) or not all(_is_traceback(row) for row in tables["sites"]):
        raise _corrupt(path, "sites.json is not a list of tracebacks")
    sites = [[(writable(file), line, writable(function)) for file, line, function in row] for row in tables["sites"]]
    return [writable(name) for name in tables["types"]], [writable(name) for name in tables["labels"]], sites


def _is_traceback(row: Any) -> bool:
    return isinstance(row, list) and all(
        isinstance(frame, list) and [type(part) for part in frame] == [str, int, str] and 0 <= frame[1] < MAX_LINE
        for frame in row
    )


def _check_columns(snapshot: Snapshot) -> None:
    columns = snapshot.columns
    nodes, edges = snapshot.node_count, len(columns["edge_target"])
    for name, column in columns.items():
        expected = nodes + 1 if name == "edge_start" else {"n": nodes, "e": edges}.get(name[0])
        if expected is not None and len(column) != expected:
            raise _corrupt(snapshot.path, f"{name} has {len(column)} rows, {expected} expected")
    if not len(columns["root_node"]) == len(columns["root_kind"]) == len(columns["root_label"]):
        raise _corrupt(snapshot.path, "the root columns differ in length")
    if snapshot.values is not None:
        _check_values(snapshot, snapshot.values)
    copies = columns["copy_node"]
    if len(copies) != len(columns["copy_of"]) or bool(np.any(copies[1:] <= copies[:-1])):
        raise _corrupt(snapshot.path, "the copies are not in order, or have no originals")
    if bool(np.any(columns["copy_of"] >= copies)):
        raise _corrupt(snapshot.path, "a copy comes before its original")
    starts = columns["edge_start"]
    if starts[0] != 0 or starts[-1] != edges or bool(np.any(starts[1:] < starts[:-1])):
        raise _corrupt(snapshot.path, "edge_start does not ascend from 0 to the number of edges")
    if float(columns["node_size"].sum(dtype=np.float64)) >= MAX_HEAP_BYTES:
        raise _corrupt(snapshot.path, "node_size adds up to more than any process has")
    labels = len(snapshot.labels)
    is_position = columns["edge_kind"] == layout.INDEX
    bounds = (
        ("node_type", columns["node_type"], 0, len(snapshot.types)),
        ("node_name", columns["node_name"], -1, labels),
        ("node_site", columns["node_site"], -1, len(snapshot.sites)),
        ("edge_target", columns["edge_target"], 0, nodes),
        ("edge_kind", columns["edge_kind"], 0, len(layout.EDGE_KINDS)),
        ("edge_label", columns["edge_label"][~is_position], -1, labels),
        ("root_node", columns["root_node"], 0, nodes),
        ("root_kind", columns["root_kind"], 0, len(layout.ROOT_KINDS)),
        ("root_label", columns["root_label"], 0, labels),
        ("copy_node", copies, 0, nodes),
    )
    for name, column, low, high in bounds:
        if len(column) and (int(column.min()) < low or int(column.max()) >= high):
            raise _corrupt(snapshot.path, f"{name} points outside its table")


def _check_values(snapshot: Snapshot, values: Values) -> None:
    if len(values.nodes) != len(values.ends) or bool(np.any(values.nodes[1:] <= values.nodes[:-1])):
        raise _corrupt(snapshot.path, "the values are not in order")
    if len(values.nodes) and int(values.nodes[-1]) >= snapshot.node_count:
        raise _corrupt(snapshot.path, "value_node points outside its table")
    last = int(values.ends[-1]) if len(values.ends) else 0
    if last != len(values.text) or bool(np.any(values.ends[1:] < values.ends[:-1])):
        raise _corrupt(snapshot.path, "the values do not end where their text ends")


def _corrupt(path: Path, seen: str) -> CorruptSnapshot:
    return CorruptSnapshot(f"{path} contradicts itself.", seen=seen, hint="copy the file again, or take a new snapshot")
