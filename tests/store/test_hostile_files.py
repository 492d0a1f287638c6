"""Files made to do harm: refused by name, within bounded memory, or read for what they are."""

from __future__ import annotations

import io
import json
import lzma
import shutil
import struct
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded import Heap, record

from labkit.agent import layout
from labkit.agent.write import _npy_header
from labkit.errors import AnalysisError, CorruptSnapshot, NotACapture, NotASnapshot, StoreError, TruncatedSnapshot
from labkit.findings.model import Findings
from labkit.pipeline import analyse, survey
from labkit.store.bundle import pack, unpack
from labkit.store.capture import CaptureWriter, open_capture
from labkit.store.snapshot import read_snapshot

Members = dict[str, bytes]
MEGABYTE = 1 << 20


def small() -> Heap:
    """A module with a dict of five sessions, each with the same text."""
    heap = Heap()
    store = heap.new("dict", 64, held_by=(heap.module("shop"), "value", "STORE"))
    for _ in range(5):
        session = heap.new("shop.Session", 48, held_by=(store, "value"), site=[("shop/app.py", 3, "open")])
        heap.new("list", 56, held_by=(session, "attribute", "basket"))
        heap.refer(store, store, "index")
        heap.new("str", 51, held_by=(session, "attribute", "country"))
    texts = [row for row, node in enumerate(heap.nodes) if heap.types[node[0]] == "str"]
    heap.copies = dict.fromkeys(texts[1:], texts[0])
    return heap


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Members:
    path = tmp_path_factory.mktemp("small") / "small.heap"
    small().write(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(path: Path, members: Members, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def npy(name: str, rows: list[int]) -> bytes:
    dtype = layout.COLUMNS[name][0]
    return _npy_header(dtype, len(rows)) + np.array(rows, dtype=dtype).tobytes()


def rows_of(members: Members, name: str) -> list[int]:
    rows: list[int] = np.load(io.BytesIO(members[f"{name}.npy"])).tolist()
    return rows


def refused(path: Path, seen: str, kind: type[StoreError] = CorruptSnapshot) -> None:
    with pytest.raises(kind) as caught:
        read_snapshot(path)
    assert seen in caught.value.seen


# ---- every column ------------------------------------------------------------------------------------

#: Columns whose entries point into a table, and which.
POINTING = {
    "node_type": "types",
    "node_name": "labels",
    "node_site": "sites",
    "edge_target": "nodes",
    "edge_kind": "edge kinds",
    "edge_label": "labels",
    "root_node": "nodes",
    "root_kind": "root kinds",
    "root_label": "labels",
}


def length_of(members: Members, table: str) -> int:
    fixed = {"edge kinds": len(layout.EDGE_KINDS), "root kinds": len(layout.ROOT_KINDS)}
    if table in fixed:
        return fixed[table]
    return len(rows_of(members, "node_size")) if table == "nodes" else len(json.loads(members[f"{table}.json"]))


@pytest.mark.parametrize("name", POINTING)
def test_the_last_row_of_a_table_is_allowed_and_the_next_is_not(name: str, members: Members, tmp_path: Path) -> None:
    end = length_of(members, POINTING[name])
    rows = rows_of(members, name)
    is_label = name == "edge_label"
    kinds = rows_of(members, "edge_kind")
    place = next(n for n in range(len(rows)) if not is_label or kinds[n] != layout.INDEX)
    if name != "edge_kind":  # the kind says what the label means
        rows[place] = end - 1
        read_snapshot(zipped(tmp_path / "last.heap", members | {f"{name}.npy": npy(name, rows)}))
    rows[place] = end
    refused(zipped(tmp_path / "x.heap", members | {f"{name}.npy": npy(name, rows)}), f"{name} points outside its table")


@pytest.mark.parametrize("name", ["node_name", "node_site", "edge_label"])
def test_less_than_none_is_refused(name: str, members: Members, tmp_path: Path) -> None:
    rows = [-2] * len(rows_of(members, name))
    refused(zipped(tmp_path / "x.heap", members | {f"{name}.npy": npy(name, rows)}), "points outside its table")


@pytest.mark.parametrize(
    ("copies", "originals", "seen"),
    [
        ([8, 11, 11, 17], [5, 5, 5, 5], "the copies are not in order"),
        ([11, 8, 14, 17], [5, 5, 5, 5], "the copies are not in order"),
        ([8, 11], [5], "or have no originals"),
        ([8, 11], [5, 11], "a copy comes before its original"),
        ([8, 11], [9, 5], "a copy comes before its original"),
        ([8, 18], [5, 5], "copy_node points outside its table"),
    ],
)
def test_copies(copies: list[int], originals: list[int], seen: str, members: Members, tmp_path: Path) -> None:
    columns = {"copy_node.npy": npy("copy_node", copies), "copy_of.npy": npy("copy_of", originals)}
    refused(zipped(tmp_path / "x.heap", members | columns), seen)


def test_a_file_of_the_first_version_has_no_copies(members: Members, tmp_path: Path) -> None:
    header = json.loads(members["header.json"]) | {"version": 1}
    older = {name: data for name, data in members.items() if not name.startswith("copy_")}
    older["header.json"] = json.dumps(header).encode()
    snapshot = read_snapshot(zipped(tmp_path / "x.heap", older))
    assert [len(snapshot.columns[name]) for name in ("copy_node", "copy_of")] == [0, 0]
    assert snapshot.node_count == 18
    refused(zipped(tmp_path / "y.heap", older | {"header.json": members["header.json"]}), "copy_node.npy")


@pytest.mark.parametrize("name", layout.COLUMNS)
@pytest.mark.parametrize("change", [-1, 1])
def test_a_row_too_few_or_too_many(name: str, change: int, members: Members, tmp_path: Path) -> None:
    rows = rows_of(members, name)
    rows = rows[:-1] if change < 0 else [*rows, 0]
    path = zipped(tmp_path / "x.heap", members | {f"{name}.npy": npy(name, rows)})
    with pytest.raises(CorruptSnapshot):
        read_snapshot(path)


@pytest.mark.parametrize("name", layout.COLUMNS)
def test_other_numbers_and_objects_are_refused(name: str, members: Members, tmp_path: Path) -> None:
    for other in ("<f8", ">i4", "|O", "<M8[s]"):
        stream = io.BytesIO()
        np.save(stream, np.zeros(len(rows_of(members, name)), dtype=other), allow_pickle=True)
        refused(zipped(tmp_path / "x.heap", members | {f"{name}.npy": stream.getvalue()}), f"{name}.npy holds")


class Trap:
    """Unpickling this would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_nothing_is_unpickled(members: Members, tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.save(stream, np.array([Trap(tmp_path / "sprung")], dtype=object), allow_pickle=True)
    for name in layout.COLUMNS:
        path = zipped(tmp_path / "x.heap", members | {f"{name}.npy": stream.getvalue()})
        with pytest.raises(CorruptSnapshot):
            read_snapshot(path)
    assert not (tmp_path / "sprung").exists()
    np.load(io.BytesIO(stream.getvalue()), allow_pickle=True)
    assert (tmp_path / "sprung").exists()  # the trap is a real one


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<u8', 'fortran_order': False, 'shape': (-1,), }",
        b"{'descr': '<u8', 'fortran_order': False, 'shape': (99999999999999,), }",
        b"{'descr': '<u8', 'fortran_order': True, 'shape': (2, 2), }",
        b"{'descr': '<u8', 'fortran_order': False, 'shape': (1L,), }",
        b"{'descr': '<u8', 'fortran_order': False, 'shape': " + b"(" * 200 + b")" * 200 + b", }",
        b"'''",
        b"",
    ],
)
def test_headers_of_arrays_are_matched_and_not_evaluated(header: bytes, members: Members, tmp_path: Path) -> None:
    data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(80)
    path = zipped(tmp_path / "x.heap", members | {"node_size.npy": data})
    with pytest.raises(CorruptSnapshot):
        read_snapshot(path)


def test_sizes_no_process_has_are_refused(members: Members, tmp_path: Path) -> None:
    count = len(rows_of(members, "node_size"))
    for sizes in ([(1 << 64) - 1] * count, [1 << 62] * count, [1 << 56, *[1] * (count - 1)]):
        refused(
            zipped(tmp_path / "x.heap", members | {"node_size.npy": npy("node_size", sizes)}),
            "node_size adds up to more than any process has",
        )


# ---- bombs -------------------------------------------------------------------------------------------


def zeros(megabytes: int) -> tuple[bytes, int]:
    """Zeros, deflated a thousandfold, and their checksum."""
    block = bytes(16 * MEGABYTE)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    once = deflate.compress(block) + deflate.flush(zlib.Z_FULL_FLUSH)
    crc = 0
    for _ in range(megabytes // 16):
        crc = zlib.crc32(block, crc)
    return once * (megabytes // 16) + zlib.compressobj(9, zlib.DEFLATED, -15).flush(), crc


def bomb(path: Path, members: Members, name: str, megabytes: int, claimed: int) -> Path:
    """The snapshot with one member that unpacks to so many megabytes of zeros, and claims what is given."""
    data, crc = zeros(megabytes)
    directory = b""
    with path.open("wb") as stream:
        for member, content in members.items():
            body, check, size = (data, crc, claimed) if member == name else stored(content)
            facts = struct.pack("<HHHHHLLLHH", 20, 0, 8, 0, 0x21, check, len(body), size, len(member), 0)
            place = struct.pack("<HHHLL", 0, 0, 0, 0, stream.tell())
            directory += b"PK\x01\x02" + struct.pack("<H", 20) + facts + place + member.encode()
            stream.write(b"PK\x03\x04" + facts + member.encode() + body)
        start = stream.tell()
        end = struct.pack("<HHHHLLH", 0, 0, len(members), len(members), len(directory), start, 0)
        stream.write(directory + b"PK\x05\x06" + end)
    return path


def stored(content: bytes) -> tuple[bytes, int, int]:
    deflate = zlib.compressobj(1, zlib.DEFLATED, -15)
    return deflate.compress(content) + deflate.flush(), zlib.crc32(content), len(content)


@pytest.mark.parametrize("name", ["header.json", "labels.json", "edge_target.npy"])
@pytest.mark.parametrize("claim", ["the truth", "little"])
def test_a_bomb_stays_small(name: str, claim: str, members: Members, tmp_path: Path) -> None:
    """One that says what it unpacks to is refused unopened; one that lies is read no further than it says."""
    megabytes = 512
    claimed = megabytes * MEGABYTE if claim == "the truth" else 2_000
    path = bomb(tmp_path / "bomb.heap", members, name, megabytes, claimed)
    tracemalloc.start()
    try:
        with pytest.raises(StoreError):
            read_snapshot(path)
        assert tracemalloc.get_traced_memory()[1] < 32 * MEGABYTE
    finally:
        tracemalloc.stop()


def test_a_bomb_of_many_parts_is_refused(members: Members, tmp_path: Path) -> None:
    """Each of them alone would be allowed."""
    parts = {f"part-{number}": bytes(2 * MEGABYTE) for number in range(40)}
    refused(zipped(tmp_path / "x.heap", members | parts), "its parts claim 8")


def test_a_large_heap_of_equal_objects_is_no_bomb(tmp_path: Path) -> None:
    heap = Heap()
    ring = heap.new("collections.deque", 64, held_by=(heap.module("shop"), "value", "RING"))
    for _ in range(100_000):
        heap.refer(ring, ring, "element")
    heap.write(tmp_path / "x.heap")
    assert len(read_snapshot(tmp_path / "x.heap").columns["edge_target"]) == 100_000 + 2


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressions_without_a_known_bound_are_refused(compression: int, members: Members, tmp_path: Path) -> None:
    refused(zipped(tmp_path / "x.heap", members, compression), "compressed in a way no snapshot is")


def test_parts_stored_plainly_are_read(members: Members, tmp_path: Path) -> None:
    read_snapshot(zipped(tmp_path / "x.heap", members, zipfile.ZIP_STORED))


# ---- texts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "table",
    [b"[" * 900 + b"]" * 900, b"[" * 100_000, b'{"a": {"a": ' * 400, b"\xff\xfe", b"", b"[1e999]", b'["' + b"\\ud800"],
)
@pytest.mark.parametrize("name", ["types", "labels", "sites"])
def test_tables_that_are_none(table: bytes, name: str, members: Members, tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.heap", members | {f"{name}.json": table})
    with pytest.raises(CorruptSnapshot):
        read_snapshot(path)


@pytest.mark.parametrize(
    "frame",
    [
        ["app.py", "3", "open"],
        ["app.py", 3.5, "open"],
        ["app.py", True, "open"],
        ["app.py", -1, "open"],
        ["app.py", 10**30, "open"],
        [7, 3, "open"],
        ["app.py", 3, None],
        ["app.py", 3],
        ["app.py", 3, "open", "more"],
        "app",
        {"a": 1, "b": 2, "c": 3},
    ],
)
def test_tracebacks_that_are_none(frame: object, members: Members, tmp_path: Path) -> None:
    table = json.dumps([[frame]]).encode()
    refused(zipped(tmp_path / "x.heap", members | {"sites.json": table}), "sites.json is not a list of tracebacks")


def test_hostile_names_come_through_to_the_json(tmp_path: Path) -> None:
    """Half a character, 100 kB, line ends, terminal codes, markup: all can be written again."""
    half, long, odd = "shop.\ud800Session", "x" * 100_000, "a\nb\x1b[2J<script>\u202e\0"

    def heap_after(rung: int) -> Heap:
        heap = Heap()
        space = heap.module("shop\udcff")
        for place, name in enumerate((half, long, odd)):
            held = heap.new("list", 56, held_by=(space, "value", name))
            for _ in range(10 + 30 * rung):
                heap.new(name, 1_000 + place, held_by=(held, "index"), site=[(name, 3, name)])
        return heap

    capture = record(tmp_path / "c", heap_after, heap_with_sites=heap_after(1))
    findings = analyse(capture)
    assert Findings.model_validate_json(findings.model_dump_json()) == findings
    assert [one.grows.type for one in findings.suspects] == [odd, long, "shop.?Session"]
    assert findings.suspects[2].retainer == "shop?.shop.?Session"
    assert findings.suspects[0].allocation_site is not None
    assert survey([capture.path_of(capture.snapshots[-1])]).model_dump_json()


# ---- whatever is changed -----------------------------------------------------------------------------


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, list[tuple[int, bytes]], int]:
    """A member, bytes to write into it, and how many bytes to cut off its end."""
    name = draw(
        st.sampled_from(["header.json", *(f"{n}.json" for n in layout.TABLES), *(f"{n}.npy" for n in layout.COLUMNS)])
    )
    patches = draw(st.lists(st.tuples(st.integers(0, 400), st.binary(min_size=1, max_size=9)), max_size=4))
    return name, patches, draw(st.sampled_from([0, 0, 0, 1, 7, 64]))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mutations())
def test_a_changed_part_with_a_right_checksum(
    members: Members, tmp_path: Path, mutation: tuple[str, list[tuple[int, bytes]], int]
) -> None:
    """Read or refused by name; and what is read can be analysed."""
    name, patches, cut = mutation
    data = bytearray(members[name])
    for place, patch in patches:
        data[place % len(data) : place % len(data) + len(patch)] = patch
    path = zipped(tmp_path / "x.heap", members | {name: bytes(data[: len(data) - cut])})
    try:
        findings = survey([path])
    except (StoreError, AnalysisError):
        return
    assert findings.model_dump_json()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=6)), min_size=1, max_size=4))
def test_a_changed_archive(members: Members, tmp_path: Path, patches: list[tuple[int, bytes]]) -> None:
    data = bytearray(zipped(tmp_path / "x.heap", members, zipfile.ZIP_STORED).read_bytes())
    for place, patch in patches:
        data[place % len(data) : place % len(data) + len(patch)] = patch
    (tmp_path / "x.heap").write_bytes(data)
    try:
        read_snapshot(tmp_path / "x.heap")
    except (StoreError, AnalysisError):
        return


def test_every_byte_of_the_archives_directory(members: Members, tmp_path: Path) -> None:
    """Offsets, sizes, names and flags live there; each byte is turned over once."""
    path = zipped(tmp_path / "x.heap", {name: members[name] for name in list(members)[:5]})
    data = path.read_bytes()
    for place in range(data.index(b"PK\x01\x02"), len(data)):
        for value in (0, 255, data[place] ^ 0x80):
            path.write_bytes(data[:place] + bytes([value]) + data[place + 1 :])
            with pytest.raises(StoreError):
                read_snapshot(path)


def test_a_link_to_nowhere(tmp_path: Path) -> None:
    (tmp_path / "link.heap").symlink_to(tmp_path / "nowhere")
    refused(tmp_path / "link.heap", "no such file", NotASnapshot)


def test_an_archive_whose_offsets_lead_before_its_start(members: Members, tmp_path: Path) -> None:
    data = zipped(tmp_path / "x.heap", members).read_bytes()
    end = data.rindex(b"PK\x05\x06")
    broken = data[: end + 12] + struct.pack("<LL", 0x7FFFFFFF, 0x7FFFFFFF) + data[end + 20 :]
    (tmp_path / "x.heap").write_bytes(broken)
    refused(tmp_path / "x.heap", "", TruncatedSnapshot)


# ---- captures ----------------------------------------------------------------------------------------


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    return record(tmp_path / "c", lambda rung: small(), rungs=4).folder


def change_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    file = folder / "manifest.json"
    manifest = json.loads(file.read_text())
    change(manifest)
    file.write_text(json.dumps(manifest))


@pytest.mark.parametrize("name", ["label", "command", "recorded_at", "versions", "statuses", "snapshots"])
def test_what_findings_are_made_of_must_be_there(name: str, capture: Path) -> None:
    change_manifest(capture, lambda manifest: manifest.pop(name))
    with pytest.raises(NotACapture, match="is a damaged capture") as caught:
        open_capture(capture)
    assert name in caught.value.seen


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (lambda m: m.update(label=7), "label"),
        (lambda m: m.update(versions={"python": 3}), "versions"),
        (lambda m: m.update(versions=[]), "versions"),
        (lambda m: m.update(statuses={"200": "many"}), "statuses"),
        (lambda m: m.update(statuses={"200": -1}), "statuses"),
        (lambda m: m.update(under_load={"lost": "none"}), "under_load"),
        (lambda m: m.update(under_load=[1]), "under_load"),
        (lambda m: m["snapshots"][1]["cost"].update(pause_ms="long"), "cost"),
        (lambda m: m["snapshots"][1]["cost"].update(pause_ms=float("nan")), "NaN"),
        (lambda m: m["snapshots"][1]["cost"].update(child_peak_bytes=1.5), "cost"),
        (lambda m: m["snapshots"][1].update(cost=None), "AttributeError"),
        (lambda m: m["snapshots"][1].update(rung="1"), "rung"),
        (lambda m: m["snapshots"][1].update(requests=10**400), "requests"),
        (lambda m: m["snapshots"][1].update(requests=-1), "requests"),
        (lambda m: m["snapshots"][1].update(requests=m["snapshots"][0]["requests"]), "requests per rung"),
        (lambda m: m["snapshots"].reverse() or [s.update(rung=n) for n, s in enumerate(m["snapshots"])], "per rung"),
        (lambda m: m["snapshots"][1].update(file=""), "outside the capture"),
        (lambda m: m["snapshots"][1].update(file="heap/\0"), "null"),
        (lambda m: m["snapshots"].append(7), "TypeError"),
        (lambda m: m.update(snapshots={"a": 1}), "TypeError"),
    ],
)
def test_a_manifest_that_says_nonsense(change: Callable[[dict[str, Any]], object], seen: str, capture: Path) -> None:
    change_manifest(capture, change)
    with pytest.raises(NotACapture, match="is a damaged capture") as caught:
        open_capture(capture)
    assert seen in caught.value.seen


@pytest.mark.parametrize("text", [b"[" * 100_000, b"\xff\xfe\xff", b"7", b"null"])
def test_a_manifest_that_is_none(text: bytes, capture: Path) -> None:
    (capture / "manifest.json").write_bytes(text)
    with pytest.raises(NotACapture, match="is a damaged capture"):
        open_capture(capture)


@pytest.mark.parametrize(
    "row",
    ["", "nan,1,1,1,1,1,1,1,1", "1e999,1,1,1,1,1,1,1,1", "1,1,1,-1,1,1,1,1,1", "1,1,1,1,1,1,1,1", "a,b", "9" * 200_000],
)
def test_samples_that_are_none(row: str, capture: Path) -> None:
    header, *rest = (capture / "samples.csv").read_text().splitlines()
    (capture / "samples.csv").write_text("\n".join([header, row, *rest]) + "\n")
    if row == "":
        assert len(open_capture(capture).samples) == len(rest)  # an empty line is no sample
        return
    with pytest.raises(NotACapture, match="is a damaged capture"):
        open_capture(capture)


def test_half_characters_in_a_manifest_can_be_written_again(capture: Path) -> None:
    change_manifest(
        capture, lambda m: m.update(label="shop\udcff", command="labkit \ud800", versions={"\udc00": "\udc01"})
    )
    opened = open_capture(capture)
    assert (opened.manifest["label"], opened.manifest["command"]) == ("shop?", "labkit ?")
    assert analyse(opened).model_dump_json()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["manifest.json", "samples.csv"]),
    st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=5)), min_size=1, max_size=3),
)
def test_a_changed_capture(tmp_path: Path, name: str, patches: list[tuple[int, bytes]]) -> None:
    folder = tmp_path / "c"
    if not folder.exists():
        record(folder, lambda rung: small(), rungs=4)
        (tmp_path / "manifest.json").write_bytes((folder / "manifest.json").read_bytes())
        (tmp_path / "samples.csv").write_bytes((folder / "samples.csv").read_bytes())
    for original in ("manifest.json", "samples.csv"):
        (folder / original).write_bytes((tmp_path / original).read_bytes())
    data = bytearray((tmp_path / name).read_bytes())
    for place, patch in patches:
        data[place % len(data) : place % len(data) + len(patch)] = patch
    (folder / name).write_bytes(data)
    try:
        assert analyse(folder).model_dump_json()
    except (StoreError, AnalysisError):
        return


def test_a_file_in_the_way_of_the_partial_folder(tmp_path: Path) -> None:
    (tmp_path / "c.partial").write_text("in the way")
    assert record(tmp_path / "c", lambda rung: small()).folder.is_dir()
    assert not (tmp_path / "c.partial").exists()


def test_a_folder_that_appears_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    def recorded() -> None:
        with CaptureWriter(tmp_path / "c") as writer:
            (tmp_path / "c").mkdir()
            (tmp_path / "c" / "precious").write_text("mine")
            writer.publish(label="x", command="c", versions={}, load={}, server={})

    with pytest.raises(NotACapture, match="exists already; a capture is never written over"):
        recorded()
    assert [path.name for path in tmp_path.iterdir()] == ["c"]
    assert (tmp_path / "c" / "precious").read_text() == "mine"


# ---- bundles -----------------------------------------------------------------------------------------


def bundle(path: Path, entries: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with lzma.open(path, "wb") as stream, tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in entries:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def entry(name: str, kind: bytes = tarfile.REGTYPE, **facts: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    for fact, value in facts.items():
        setattr(info, fact, value)
    return info


@pytest.mark.parametrize(
    "hostile",
    [
        entry("../outside"),
        entry("/tmp/labkit-outside"),
        entry("link", tarfile.SYMTYPE, linkname="/etc"),
        entry("link", tarfile.LNKTYPE, linkname="manifest.json"),
        entry("folder", tarfile.DIRTYPE),
        entry("pipe", tarfile.FIFOTYPE),
        entry("x", pax_headers={"path": "heap/\0x"}),
        entry("manifest.json/inside"),
    ],
    ids=lambda info: repr(info.name),
)
def test_a_bundle_with_anything_but_plain_files_inside(hostile: tarfile.TarInfo, capture: Path, tmp_path: Path) -> None:
    plain = [(entry(name), (capture / name).read_bytes()) for name in ("manifest.json", "samples.csv")]
    file = bundle(tmp_path / "x.capture", [*plain, (hostile, b"" if hostile.type != tarfile.REGTYPE else b"data")])
    with pytest.raises(NotACapture):
        unpack(file, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c", "x.capture"]


def test_a_bundle_is_not_unpacked_over_a_folder(capture: Path, tmp_path: Path) -> None:
    pack(open_capture(capture), tmp_path / "x.capture")
    with pytest.raises(NotACapture, match="exists already; a capture is never written over"):
        unpack(tmp_path / "x.capture", capture)
    assert open_capture(capture).snapshots


def test_a_bundle_tells_the_same_story(capture: Path, tmp_path: Path) -> None:
    pack(open_capture(capture), tmp_path / "x.capture")
    assert [path.name for path in tmp_path.glob("*.partial")] == []
    again = unpack(tmp_path / "x.capture", tmp_path / "again")
    told = [analyse(folder).model_copy(update={"provenance": None}) for folder in (capture, again.folder)]
    assert told[0] == told[1]


def test_a_damaged_capture_is_not_bundled(capture: Path, tmp_path: Path) -> None:
    opened = open_capture(capture)
    file = opened.path_of(opened.snapshots[2])
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(StoreError):
        pack(opened, tmp_path / "x.capture")
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=5)), min_size=1, max_size=3))
def test_a_changed_archive_in_a_bundle(tmp_path: Path, patches: list[tuple[int, bytes]]) -> None:
    folder = tmp_path / "c"
    if not folder.exists():
        pack(record(folder, lambda rung: small(), rungs=4), tmp_path / "x.capture")
    data = bytearray(lzma.decompress((tmp_path / "x.capture").read_bytes()))
    for place, patch in patches:
        place %= 4096  # the first headers
        data[place : place + len(patch)] = patch
    (tmp_path / "y.capture").write_bytes(lzma.compress(data, preset=0))
    out = tmp_path / "out"
    try:
        unpack(tmp_path / "y.capture", out)
    except StoreError:
        assert not out.with_name("out.partial").exists()
    if out.exists():
        shutil.rmtree(out)
