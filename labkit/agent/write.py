"""Write a walk's result as a snapshot file; runs in the forked child.

The ZIP archive is written by hand: ``zipfile`` and what it imports would have to be loaded into every
worker, and would be part of each picture.
"""

import json
import sys
import time
import zlib
from struct import pack

from . import layout, libraries

DEFLATED, MADE_ON_UNIX, VERSION_NEEDED = 8, 3 << 8, 20
FIRST_DATE = 0x21  # 1 January 1980, the earliest a ZIP archive can say
PRIVATE_FILE = 0o100600 << 16
_open = open  # as it was before the app was loaded


def header(walker, facts):
    """What ``header.json`` says of any snapshot of this process, and ``facts``."""
    return {
        "format": layout.FORMAT,
        "version": layout.VERSION_WITH_VALUES if facts.get("values") else layout.VERSION,
        "walker": walker,
        "python": "{}.{}.{}".format(*sys.version_info[:3]),
        "byteorder": sys.byteorder,
        "taken_at_unix_s": time.time(),
        "complete": True,
        "values": False,
        "cannot_see": [
            "temporaries on the interpreter's value stacks",
            "what extension modules hold without telling the collector",
        ],
        "libraries": libraries.library_packages(),
        **facts,
    }


def write(path, result):
    """Write ``result`` to ``path``; OSError when the disk refuses."""
    with _open(path, "wb") as stream:
        archive = _Archive(stream)
        archive.add("header.json", json.dumps(header("python", result.facts)).encode())
        for name in layout.TABLES:
            archive.add(f"{name}.json", json.dumps(result.tables[name]).encode())
        columns = layout.COLUMNS if result.value_text is None else {**layout.COLUMNS, **layout.VALUE_COLUMNS}
        for name, (dtype, _) in columns.items():
            column = result.columns[name]
            if sys.byteorder == "big":
                column.byteswap()
            archive.add(f"{name}.npy", _npy_header(dtype, len(column)), memoryview(column).cast("B"))
        if result.value_text is not None:
            archive.add(layout.VALUES, result.value_text)
        archive.end()


class _Archive:
    """A ZIP archive under construction (APPNOTE.TXT 6.3.3, sections 4.3.7, 4.3.12 and 4.3.16)."""

    def __init__(self, stream):
        self.stream = stream
        self.directory = []

    def add(self, name, *parts):
        """Add one member made of ``parts`` in order, deflated."""
        deflate = zlib.compressobj(1, zlib.DEFLATED, -15)
        data = b"".join([*map(deflate.compress, parts), deflate.flush()])
        crc = 0
        for part in parts:
            crc = zlib.crc32(part, crc)
        path = name.encode()
        sizes = (crc, len(data), sum(map(len, parts)), len(path), 0)
        facts = pack("<HHHHHLLLHH", VERSION_NEEDED, 0, DEFLATED, 0, FIRST_DATE, *sizes)
        place = pack("<HHHLL", 0, 0, 0, PRIVATE_FILE, self.stream.tell())
        self.directory.append(b"PK\x01\x02" + pack("<H", MADE_ON_UNIX | VERSION_NEEDED) + facts + place + path)
        self.stream.write(b"PK\x03\x04" + facts + path + data)

    def end(self):
        """Write the directory of members."""
        start = self.stream.tell()
        entries = b"".join(self.directory)
        count = len(self.directory)
        self.stream.write(entries + b"PK\x05\x06" + pack("<HHHHLLH", 0, 0, count, count, len(entries), start, 0))


def _npy_header(dtype, length):
    """The header of a one-dimensional array in NumPy's format 1.0 (numpy.lib.format)."""
    text = repr({"descr": dtype, "fortran_order": False, "shape": (length,)})
    pad = -(10 + len(text) + 1) % 64
    text = text + " " * pad + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode("latin-1")
