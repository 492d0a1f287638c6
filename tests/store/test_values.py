"""A snapshot with values: read back, checked like all else, and told first by whatever shows it."""

from __future__ import annotations

import json
import zipfile
from array import array
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from recorded import Heap, record

import labkit
from labkit.agent import write as agent_write
from labkit.errors import CorruptSnapshot, NoValues
from labkit.pipeline import analyse, survey
from labkit.store.bundle import pack, unpack
from labkit.store.snapshot import read_snapshot
from labkit.views.report import render_report
from labkit.views.text import render_text
from labkit.views.wording import VALUES_WARNING

SAID = ["s3cr3t", "zweiter: ü", ""]


class WithValues(Heap):
    """Three texts, each with its value."""

    def write(self, path: Path) -> None:
        plain = agent_write.write

        def write(name: str, result: Any) -> None:
            texts = [row for row, node in enumerate(self.nodes) if self.types[node[0]] == "str"][: len(SAID)]
            parts = [text.encode() for text in SAID]
            ends = [sum(map(len, parts[: place + 1])) for place in range(len(parts))]
            columns = {**result.columns, "value_node": array("I", texts), "value_end": array("Q", ends)}
            facts = {**result.facts, "values": True, "values_left_out": 0}
            told = SimpleNamespace(columns=columns, tables=result.tables, facts=facts, value_text=b"".join(parts))
            plain(name, told)

        import recorded

        before, recorded.write = recorded.write, write
        try:
            super().write(path)
        finally:
            recorded.write = before


def small(rung: int = 0) -> WithValues:
    heap = WithValues()
    store = heap.new("dict", 64, held_by=(heap.module("shop"), "value", "STORE"))
    for _ in range(5 + rung):
        heap.new("str", 51, held_by=(store, "value"))
    return heap


def test_read_back(tmp_path: Path) -> None:
    small().write(tmp_path / "v.heap")
    heap = labkit.open_snapshot(tmp_path / "v.heap")
    assert [node.value for node in heap.select(type="str")] == [*SAID, "", ""]
    assert repr(heap).endswith("; WITH VALUES of the service>")
    _plain(1).write(tmp_path / "x.heap")
    (first, *_) = labkit.open_snapshot(tmp_path / "x.heap").select(type="str")
    with pytest.raises(NoValues, match=r"x\.heap holds no values\.\n  try:  labkit capture --with-values"):
        _ = first.value


def test_every_view_says_it_first(tmp_path: Path) -> None:
    capture = record(tmp_path / "c", small)
    pack(capture, tmp_path / "c.capture")
    first = " ".join(VALUES_WARNING.split()[:8])
    for findings in (
        analyse(unpack(tmp_path / "c.capture", tmp_path / "d")),
        survey([capture.path_of(capture.snapshots[0])]),
    ):
        assert findings.holds_values
        assert render_text(findings).startswith(first)
        page = render_report(findings)
        assert f'<p class="warning" role="alert">{VALUES_WARNING}</p>' in page
        assert not any(said in page for said in SAID if said)
    plain = analyse(record(tmp_path / "p", _plain))
    assert not plain.holds_values
    assert first not in render_text(plain)
    assert VALUES_WARNING not in render_report(plain)


def _plain(rung: int) -> Heap:
    heap = Heap()
    store = heap.new("dict", 64, held_by=(heap.module("shop"), "value", "STORE"))
    for _ in range(5 + rung):
        heap.new("str", 51, held_by=(store, "value"))
    return heap


def npy(values: list[int], dtype: str) -> bytes:
    column = np.array(values, dtype)
    return agent_write._npy_header(dtype, len(column)) + column.tobytes()


def header(**changes: object) -> Callable[[bytes], bytes]:
    return lambda data: json.dumps(json.loads(data) | changes).encode()


@pytest.mark.parametrize(
    ("name", "change", "seen"),
    [
        ("value_node.npy", lambda _: npy([2, 2, 3], "<u4"), "the values are not in order"),
        ("value_node.npy", lambda _: npy([2, 3], "<u4"), "the values are not in order"),
        ("value_node.npy", lambda _: npy([2, 3, 99], "<u4"), "value_node points outside its table"),
        ("value_node.npy", lambda _: npy([2, 3, 4], "<u8"), "ValueError: value_node.npy holds"),
        ("value_end.npy", lambda _: npy([9, 5, 16], "<u8"), "the values do not end where their text ends"),
        ("value_end.npy", lambda _: npy([6, 17, 18], "<u8"), "the values do not end where their text ends"),
        ("value_end.npy", lambda _: npy([5, 16, 1 << 62], "<u8"), "the values do not end where their text ends"),
        ("values.txt", lambda data: data[:-1], "the values do not end where their text ends"),
        ("values.txt", lambda _: None, "KeyError"),
        ("header.json", header(version=2), "header.json does not say whether it holds values"),
        ("header.json", header(values=False), "header.json does not say whether it holds values"),
        ("header.json", header(values=1), "header.json does not say whether it holds values"),
    ],
)
def test_damaged_values_are_refused(
    tmp_path: Path, name: str, change: Callable[[bytes], bytes | None], seen: str
) -> None:
    small().write(tmp_path / "v.heap")
    with zipfile.ZipFile(tmp_path / "v.heap") as archive:
        members = {each: archive.read(each) for each in archive.namelist()}
    changed = change(members.pop(name))
    with zipfile.ZipFile(tmp_path / "w.heap", "w", zipfile.ZIP_DEFLATED) as archive:
        for each, data in ({name: changed} | members if name == "header.json" else members | {name: changed}).items():
            if data is not None:
                archive.writestr(zipfile.ZipInfo(each), data, zipfile.ZIP_DEFLATED)
    with pytest.raises(CorruptSnapshot, match=seen):
        read_snapshot(tmp_path / "w.heap")


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    small().write(tmp_path / "v.heap")
    with zipfile.ZipFile(tmp_path / "v.heap") as archive:
        members = {each: archive.read(each) for each in archive.namelist()}
    members["values.txt"] = b"\xff" * len(members["values.txt"])
    with zipfile.ZipFile(tmp_path / "w.heap", "w") as archive:
        for each, data in members.items():
            archive.writestr(zipfile.ZipInfo(each), data, zipfile.ZIP_DEFLATED)
    assert labkit.open_snapshot(tmp_path / "w.heap").select(type="str")[0].value == "\ufffd" * 6
