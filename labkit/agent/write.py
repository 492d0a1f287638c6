"""Write a walk's result as a snapshot file; runs in the forked child."""

import json
import platform
import sys
import time
import zipfile

from . import layout


def write(path, result):
    """Write ``result`` to ``path``; the caller renames the file once this has returned."""
    header = {
        "format": layout.FORMAT,
        "version": layout.VERSION,
        "walker": "python",
        "python": platform.python_version(),
        "byteorder": sys.byteorder,
        "taken_at_unix_s": time.time(),
        "complete": True,
        "cannot_see": [
            "temporaries on the interpreter's value stacks",
            "context variables of other threads",
            "what extension modules hold without telling the collector",
        ],
        **result.facts,
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("header.json", json.dumps(header))
        for name in layout.TABLES:
            archive.writestr(f"{name}.json", json.dumps(result.tables[name]))
        for name, (dtype, _) in layout.COLUMNS.items():
            column = result.columns[name]
            if sys.byteorder == "big":
                column.byteswap()
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                stream.write(_npy_header(dtype, len(column)))
                stream.write(memoryview(column).cast("B"))


def _npy_header(dtype, length):
    """The header of a one-dimensional array in NumPy's format 1.0 (numpy.lib.format)."""
    text = repr({"descr": dtype, "fortran_order": False, "shape": (length,)})
    pad = -(10 + len(text) + 1) % 64
    text = text + " " * pad + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode("latin-1")
