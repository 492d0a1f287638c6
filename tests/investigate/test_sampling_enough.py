"""An investigation measures for as long as its answer is open, and takes the instrument that would settle it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from labkit.store.capture import open_capture

from .conftest import Labkit

FILLS_UP = """
import falcon
KEPT = {{}}
class Thing:
    def on_get(self, req, resp, number):
        key = hash(number) % {places} if {by_chance} else int(number)
        if len(KEPT) < {places}:
            KEPT[key] = ["a thing"] * 20
app = falcon.App()
app.add_route("/{{number}}", Thing())
"""
THROUGH_CTYPES = """
import ctypes
import falcon
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
class Thing:
    def on_get(self, req, resp, number):
        ctypes.memset(libc.malloc(900), 1, 900)
app = falcon.App()
app.add_route("/{number}", Thing())
"""
QUICK = ("--concurrency", "2", "--json")


def app_file(folder: Path, source: str) -> str:
    (folder / "shop.py").write_text(source)
    return str(folder / "shop.py")


@pytest.mark.parametrize(("places", "by_chance"), [(1900, False), (1500, True)], ids=["one by one", "by chance"])
def test_a_cache_that_fills_after_the_planned_rungs_is_no_leak(
    labkit: Labkit, tmp_path: Path, places: int, by_chance: bool
) -> None:
    app = app_file(tmp_path, FILLS_UP.format(places=places, by_chance=by_chance))
    out = tmp_path / "out"
    words = ("investigate", "--app", app, "--request", "GET /{i}", *QUICK)
    outcome = labkit(*words, "--out", str(out))
    assert (outcome.status, outcome.findings["suspects"]) == (0, [])
    rungs = [entry.requests for entry in open_capture(out / "capture").snapshots]
    widths = [after - before for before, after in pairwise(rungs)]
    assert widths[:8] == [200] * 6 + [400] * 2
    short = labkit(*words, "--budget", "0")
    assert short.findings["verdict"] == ("inconclusive" if by_chance else "suspect")
    assert short.findings["wanted"] == (["longer-run"] if by_chance else ["confirmation"])
    assert short.findings["provenance"]["requests_total"] == 1400


def test_memory_of_c_code_has_memray_look_by_itself(labkit: Labkit, tmp_path: Path) -> None:
    app = app_file(tmp_path, THROUGH_CTYPES)
    found = labkit("investigate", "--app", app, "--request", "GET /{i}", *QUICK).findings
    (suspect,) = found["suspects"]
    assert (found["verdict"], suspect["kind"], suspect["retainer"]) == ("suspect", "native", "C code without a name")
    assert suspect["grows"]["bytes_per_request"] == pytest.approx(912, rel=0.15)
    assert [opinion["tool"] for opinion in found["second_opinions"]] == ["memray"]
    assert found["ledger"]["growth_per_request"]["native_bytes"] == pytest.approx(912, rel=0.15)


@pytest.mark.parametrize(
    ("words", "seen"), [("soon", "'soon' is no time: 90, 90s or 5m"), ("-1", "-1 seconds are no budget.")]
)
def test_a_budget_is_a_time(labkit: Labkit, tmp_path: Path, words: str, seen: str) -> None:
    app = app_file(tmp_path, THROUGH_CTYPES)
    outcome = labkit("investigate", "--app", app, "--request", "GET /{i}", f"--budget={words}")
    assert outcome.status == 2
    assert seen in outcome.err
