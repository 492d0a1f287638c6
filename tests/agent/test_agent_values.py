"""Values enter a snapshot when somebody asks, by their beginnings, and without running code of the app's."""

from __future__ import annotations

import zipfile

from agent_targets import Target

PROGRAM = """
class Text(str):
    def __getitem__(self, key):
        raise SystemExit("the app's code ran")
class Number(int):
    def __repr__(self):
        raise SystemExit("the app's code ran")
class Kept: pass
kept = Kept()
kept.text = "".join(["s3cr3t of ", "alice"])
kept.long = "x" * 70 + "y" * 1000
kept.data = bytes([104, 105, 0, 255])
kept.number = 2**100 + 1
kept.huge = 1 << 5000
kept.real = 2.5e10 / 7
kept.half = "a" + chr(0xD800)
kept.own = Text("own text")
kept.own_number = Number(77_777)
"""
WITH = PROGRAM + '_snapshot.take("v.heap", 60, with_values=True)\n'
PLAIN = PROGRAM + 'take("x.heap")\n'


def test_the_beginnings_of_values(target: Target) -> None:
    target.run(WITH)
    picture = target.picture("v.heap")
    snapshot = picture.snapshot
    assert (snapshot.header["values"], snapshot.header["version"], snapshot.header["values_left_out"]) == (True, 3, 0)
    values = snapshot.values
    assert values is not None
    found = {}
    columns = snapshot.columns
    kept = next(row for row, kind in enumerate(columns["node_type"]) if snapshot.types[kind] == "__main__.Kept")
    for edge in range(int(columns["edge_start"][kept]), int(columns["edge_start"][kept + 1])):
        label = int(columns["edge_label"][edge])
        if label >= 0:
            found[snapshot.labels[label]] = values.of(int(columns["edge_target"][edge]))
    expected = {
        "text": "s3cr3t of alice",
        "long": "x" * 70 + "y" * 10,
        "data": "hi\x00\xff",
        "number": str(2**100 + 1),
        "huge": "(a number of more than 256 bits)",
        "real": repr(2.5e10 / 7),
        "half": "a\\ud800",
        "own": None,
        "own_number": None,
    }
    assert {name: found[name] for name in expected} == expected


def test_none_unasked(target: Target) -> None:
    target.run(PLAIN)
    snapshot = target.picture("x.heap").snapshot
    assert (snapshot.values, snapshot.header["values"], snapshot.header["version"]) == (None, False, 2)
    with zipfile.ZipFile(target.folder / "x.heap") as archive:
        assert not [name for name in archive.namelist() if "value" in name]
        assert all(b"s3cr3t" not in archive.read(name) for name in archive.namelist())


def test_so_many_and_no_more(target: Target) -> None:
    target.run("from _labkit_agent import beginnings\nbeginnings.MOST_VALUES = 10\n" + WITH)
    snapshot = target.picture("v.heap").snapshot
    assert snapshot.values is not None
    assert len(snapshot.values.nodes) == 10
    assert snapshot.header["values_left_out"] > 1000
