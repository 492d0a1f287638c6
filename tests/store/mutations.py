"""Snapshot files changed at random, reproducibly by number; and the reader of many of them under limits.

    python tests/store/mutations.py LIST        read each file LIST names; one line of JSON each

Of every file it must be true that it is read, or refused with a named error; that nothing else comes out;
that it takes at most ``MOST_SECONDS`` of processor time and at most ``TIMES_ITS_SIZE`` times its size and
``BESIDES_BYTES`` more. The last is held by the system: the reader's address space is limited to that.
"""

from __future__ import annotations

import json
import random
import resource
import struct
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from labkit.agent import layout
from labkit.errors import IncompleteWalk, StoreError
from labkit.heap.image import HeapImage
from labkit.store.snapshot import read_snapshot

MOST_SECONDS = 5
TIMES_ITS_SIZE = 10
BESIDES_BYTES = 160 << 20
#: Files that were read are analysed, too, unless that would take long.
SMALL_ENOUGH_NODES = 5_000

EXTREMES = (0, 1, 2, 127, 128, 255, 256, 65_535, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
LARGER = (*EXTREMES, 1 << 32, (1 << 53) + 1, 1 << 56, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
NAMES = ["header.json", *(f"{name}.json" for name in layout.TABLES), *(f"{name}.npy" for name in layout.COLUMNS)]
Members = dict[str, bytes]


def members_of(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(members: Members, chance: random.Random) -> bytes:
    """An archive as the agent writes it, or stored plainly; checksums are right."""
    deflates = chance.random() < 0.7
    body, directory = b"", b""
    for name, content in members.items():
        pack = zlib.compressobj(1, zlib.DEFLATED, -15)
        data = pack.compress(content) + pack.flush() if deflates else content
        sizes = (zlib.crc32(content), len(data), len(content), len(name), 0)
        facts = struct.pack("<HHHHHLLLHH", 20, 0, 8 if deflates else 0, 0, 0x21, *sizes)
        place = struct.pack("<HHHLL", 0, 0, 0, 0, len(body))
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + facts + place + name.encode()
        body += b"PK\x03\x04" + facts + name.encode() + data
    count = len(members)
    return body + directory + b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, count, count, len(directory), len(body), 0)


# ---- changes to the bytes of the file ----------------------------------------------------------------


def flip_bits(data: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.choice([1, 1, 2, 8, 64])):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return data


def truncate(data: bytearray, chance: random.Random) -> bytearray:
    place = chance.choice([chance.randrange(len(data)), len(data) - chance.randint(1, min(80, len(data)))])
    return data[place:] if chance.random() < 0.2 else data[:place]


def cut_out(data: bytearray, chance: random.Random) -> bytearray:
    first = chance.randrange(len(data))
    del data[first : first + chance.choice([1, 2, 17, 1000])]
    return data


def insert(data: bytearray, chance: random.Random) -> bytearray:
    place = chance.randrange(len(data))
    count = chance.choice([1, 4, 100, 5000])
    copied = data[(start := chance.randrange(len(data))) : start + count]
    return data[:place] + chance.choice([bytes(count), chance.randbytes(count), copied]) + data[place:]


def surround(data: bytearray, chance: random.Random) -> bytearray:
    """Bytes that belong to nothing, at an end of the file."""
    more = chance.choice([b"\0", b"PK\x05\x06" + bytes(18), chance.randbytes(chance.choice([1, 22, 60_000]))])
    return data + more if chance.random() < 0.7 else bytearray(more) + data


def lie_in_the_directory(data: bytearray, chance: random.Random) -> bytearray:
    """A number in a local header, in a directory entry or in the directory's end is another one."""
    marks = ((b"PK\x03\x04", 30), (b"PK\x01\x02", 46), (b"PK\x05\x06", 22))
    for _ in range(chance.choice([1, 1, 3])):
        mark, length = chance.choice(marks)
        places = (
            [place for place in range(len(data) - length) if data.startswith(mark, place)] if len(data) < 4096 else []
        )
        if not places:
            place, places = data.find(mark, chance.randrange(len(data))), []
            places = [place] if 0 <= place <= len(data) - length else []
        if places:
            width = chance.choice([2, 4])
            field = chance.choice(places) + chance.randrange(4, length - width + 1, 2)
            data[field : field + width] = (chance.choice(EXTREMES) % (1 << 8 * width)).to_bytes(width, "little")
    return data


# ---- changes to what is in it, with checksums that are right -----------------------------------------


def swap(members: Members, chance: random.Random) -> None:
    one, other = chance.sample(list(members), 2)
    members[one], members[other] = members[other], members[one]


def remove(members: Members, chance: random.Random) -> None:
    del members[chance.choice(list(members))]


def rename(members: Members, chance: random.Random) -> None:
    name = chance.choice(list(members))
    odd = (
        "../../x",
        "",
        "x" * 60_000,
        name.upper(),
        f"{name}\0",
        "\udcff".encode("utf-8", "surrogatepass").decode("latin-1"),
    )
    members[chance.choice(odd)] = members.pop(name)


def shuffle(members: Members, chance: random.Random) -> None:
    names = list(members)
    chance.shuffle(names)
    for name in names:
        members[name] = members.pop(name)


def add(members: Members, chance: random.Random) -> None:
    for number in range(chance.choice([1, 50, 2_000])):
        members[f"more-{number}"] = bytes(chance.choice([0, 10, 1_000]))


def patch(members: Members, chance: random.Random) -> None:
    name = chance.choice(list(members))
    data = bytearray(members[name] or b"\0")
    for _ in range(chance.choice([1, 4])):
        place = chance.choice([chance.randrange(len(data)), chance.randrange(min(len(data), 128))])
        data[place : place + chance.choice([0, 1, 4, 8])] = chance.randbytes(chance.choice([1, 4, 8]))
    members[name] = bytes(data[: chance.choice([len(data), len(data), len(data) - 1, len(data) // 2])])


def edit_header(members: Members, chance: random.Random) -> None:
    odd = [
        None,
        True,
        False,
        "",
        "1",
        1.0,
        -1,
        2,
        10**30,
        [],
        {},
        ["x"] * 1_000,
        "labkit.heap",
        float("nan"),
        "x" * 100_000,
    ]
    try:
        header = json.loads(members["header.json"])
        header[chance.choice([*header, "more"])] = chance.choice(odd)
    except (KeyError, ValueError, TypeError):
        header = chance.choice(odd)
    members["header.json"] = json.dumps(header).encode() * chance.choice([1, 1, 1, 2])


def lie_in_a_column(members: Members, chance: random.Random) -> None:
    """A dtype, a shape, a version, a length of the header: other than the data."""
    name = f"{chance.choice(list(layout.COLUMNS))}.npy"
    data = members.get(name, b"")
    dtype = chance.choice(["<u8", "<u4", "<i4", "<u1", "<f8", ">u8", "|O", "|V0", "<U9", "<u8\x00"])
    rows = chance.choice([*LARGER, -1, 10**12, 10**30, len(data)])
    shape = chance.choice([f"({rows},)", f"({rows}, {rows})", "()", f"({rows}L,)", f"[{rows}]", "(" * 5_000])
    order = chance.choice(["False", "False", "True", "None"])
    text = f"{{'descr': '{dtype}', 'fortran_order': {order}, 'shape': {shape}, }}".encode("latin-1")
    length = chance.choice([len(text), len(text), 0, 65_535, 1])
    start = chance.choice(
        [b"\x93NUMPY\x01\x00", b"\x93NUMPY\x01\x00", b"\x93NUMPY\x02\x00", b"\x93NUMPX\x01\x00", b"\x80\x04"]
    )
    members[name] = (
        start + length.to_bytes(2, "little") + text + b"\n" + data[128 : chance.choice([128, 200, len(data)])]
    )


def put_huge_numbers(members: Members, chance: random.Random) -> None:
    """Entries of a column are as large as its dtype allows, or as small."""
    name = chance.choice(list(layout.COLUMNS))
    width = int(layout.COLUMNS[name][0][2])
    data = bytearray(members.get(f"{name}.npy", b""))
    first = data.find(b"\n") + 1
    rows = (len(data) - first) // width
    for _ in range(chance.choice([1, 3, rows]) if rows > 0 else 0):
        place = first + width * chance.randrange(rows)
        data[place : place + width] = (chance.choice(LARGER) % (1 << 8 * width)).to_bytes(width, "little")
    members[f"{name}.npy"] = bytes(data)


def put_another_table(members: Members, chance: random.Random) -> None:
    """JSON that takes far more memory than bytes, is deep, or is something else."""
    times = chance.choice([1, 1, 100, 100, 5_000, 5_000, *[500_000] * 9, 9_000_000])
    parts = [
        b"[]",
        b"{}",
        b'""',
        b'"ab"',
        b"[[]]",
        b'["",0,""]',
        b'[["",0,""]]',
        b"999",
        b"1e9",
        b'"\\ud800"',
        b"null",
        b'"\\u00e9"',
    ]
    table = b"[" + b",".join([chance.choice(parts)] * times) + b"]"
    others = (b"[" * times, b'{"a":' * times, b"9" * times, b'"' + b"\\" * times, b"[NaN]", b"\xff\xfe[\0]\0", b"")
    name = chance.choice(["types", "labels", "sites", "sites"])
    members[f"{name}.json"] = table if chance.random() < 0.7 else chance.choice(others)


def put_zeros(members: Members, chance: random.Random) -> None:
    """A part that unpacks to much more than it is."""
    name = chance.choice([*NAMES, "more"])
    members[name] = members.get(name, b"")[: chance.choice([0, 128])] + bytes(chance.choice([1, 8, 40, 70]) << 20)


ON_BYTES: tuple[Callable[[bytearray, random.Random], bytearray], ...] = (
    *(flip_bits, flip_bits, truncate, cut_out, insert, surround, lie_in_the_directory, lie_in_the_directory),
)
ON_MEMBERS: tuple[Callable[[Members, random.Random], None], ...] = (
    *(swap, remove, rename, shuffle, add, patch, patch, edit_header, lie_in_a_column, lie_in_a_column),
    *(put_huge_numbers, put_huge_numbers, put_another_table, put_another_table, put_zeros),
)


def mutated(bases: list[Members], number: int) -> tuple[bytes, str]:
    """File number ``number`` and which changes were made to it."""
    chance = random.Random(number)
    members = dict(chance.choice(bases))
    done: list[str] = []
    if chance.random() < 0.6:
        for change in chance.choices(ON_MEMBERS, k=chance.choice([1, 1, 1, 2, 3])):
            if len(members) > 1:
                change(members, chance)
                done.append(change.__name__)
    data = bytearray(zipped(members, chance))
    if not done or chance.random() < 0.3:
        for alter in chance.choices(ON_BYTES, k=chance.choice([1, 1, 2, 4])):
            if data:
                data = alter(data, chance)
                done.append(alter.__name__)
    return bytes(data), "+".join(done)


# ---- reading under limits ----------------------------------------------------------------------------


def address_space_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def outcome_of(path: Path) -> dict[str, object]:
    """How reading ended, and what it took."""
    allowed = TIMES_ITS_SIZE * path.stat().st_size + BESIDES_BYTES
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (address_space_bytes() + allowed, most))
    start = time.process_time()
    snapshot, ended = None, "read"
    try:
        snapshot = read_snapshot(path)
    except (StoreError, IncompleteWalk) as error:
        ended = type(error).__name__
    except BaseException as error:
        ended = f"WRONG {type(error).__name__}: {error}"[:300]
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    seconds = time.process_time() - start
    if seconds > MOST_SECONDS:
        ended = f"WRONG {ended} after {seconds:.1f} s"
    if snapshot is not None and snapshot.node_count <= SMALL_ENOUGH_NODES:
        try:
            _ = HeapImage(snapshot).dominators
        except Exception as error:
            ended = f"WRONG analysis {type(error).__name__}: {error}"[:300]
    return {"file": path.name, "ended": ended, "seconds": seconds}


if __name__ == "__main__":
    for line in Path(sys.argv[1]).read_text().splitlines():
        print(json.dumps(outcome_of(Path(line))), flush=True)
