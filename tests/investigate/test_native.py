"""Memory that a C library never gives back: named with the second instrument, asked for without it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import Labkit

LIBRARY = """
#include <stdlib.h>
#include <string.h>
void *thumbnails[1 << 20];
int made;
void *make_thumbnail(int bytes) { return thumbnails[made++] = memset(malloc(bytes), 1, bytes); }
"""
APP = """
import ctypes, pathlib
import falcon
library = ctypes.CDLL(str(pathlib.Path(__file__).with_name("libthumbs.so")))
class Thumbs:
    def on_get(self, req, resp, number):
        self.draw(6000)
    def draw(self, size):
        library.make_thumbnail(size)
app = falcon.App()
app.add_route("/{number}", Thumbs())
"""


def test_a_leak_in_a_c_library_is_named(labkit: Labkit, tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    assert compiler is not None, "a C compiler is needed; on Debian: apt-get install gcc libc6-dev"
    (tmp_path / "thumbs.c").write_text(LIBRARY)
    subprocess.run(
        [compiler, "-O1", "-shared", "-fPIC", "-o", str(tmp_path / "libthumbs.so"), str(tmp_path / "thumbs.c")],
        check=True,
    )
    (tmp_path / "gallery.py").write_text(APP)
    words = ["investigate", "--app", str(tmp_path / "gallery.py"), "--request", "GET /{i}", "--json", "--no-sites"]
    outcome = labkit(*words, "--record", "memray", "--native")
    assert outcome.status == 1, outcome.err
    (suspect,) = outcome.findings["suspects"]
    assert (suspect["kind"], suspect["retainer"]) == ("native", "make_thumbnail (C code called by draw)")
    assert suspect["grows"]["bytes_per_request"] == pytest.approx(6000, rel=0.1)
    line = 1 + APP.splitlines().index("        library.make_thumbnail(size)")
    site = suspect["allocation_site"]
    assert (site["file"], site["line"], site["function"]) == ("gallery.py", line, "draw")


COUNTED_TWICE = """
import ctypes
import falcon
def stamp(number):
    text = f"parcel {number} " * 20
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(text))
    return text
class Parcels:
    def on_get(self, req, resp, number):
        resp.media = [stamp(int(number) * 10 + turn)[:5] for turn in range(10)]
app = falcon.App()
app.add_route("/{number}", Parcels())
"""


def test_texts_that_are_counted_once_too_often_go_by_their_line(labkit: Labkit, tmp_path: Path) -> None:
    """No reference leads to them, and the collector does not know them: the second instrument is used by itself."""
    (tmp_path / "parcels.py").write_text(COUNTED_TWICE)
    outcome = labkit("investigate", "--app", str(tmp_path / "parcels.py"), "--request", "GET /{i}", "--json")
    assert outcome.status == 1, outcome.err
    (suspect,) = outcome.findings["suspects"]
    assert (suspect["kind"], suspect["retainer"]) == ("native", "C code called by stamp")
    line = 1 + COUNTED_TWICE.splitlines().index('    text = f"parcel {number} " * 20')
    site = suspect["allocation_site"]
    assert (site["file"], site["line"], site["function"]) == ("parcels.py", line, "stamp")
