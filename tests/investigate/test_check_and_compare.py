"""The commands for builds, against a real server: a check with limits, and before against after."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labkit.checking import COMPARED

from .conftest import Labkit
from .shops import LEAK_LINE, ORDERS, write_shops


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    write_shops(tmp_path)
    return tmp_path


def test_a_leak_fails_its_limit_allows_it_and_its_cure_is_told(labkit: Labkit, shop: Path, tmp_path: Path) -> None:
    words = ("--request", ORDERS, "--budget", "0")
    leaky, healthy = f"{shop}/leaky.py:create_app()", f"{shop}/healthy.py:create_app()"
    before, after = str(tmp_path / "before"), str(tmp_path / "after")
    found = labkit("check", "--app", leaky, *words, "--out", before)
    assert (found.status, found.out.partition(" keeps ")[0], found.err) == (1, "leaky.KEPT", "")
    assert "    KEPT -> list\n      [*] -> leaky.Order   <- grows here\n" in found.out
    assert f"  allocated at leaky.py line {LEAK_LINE}, in Orders.on_get\n" in found.out
    assert {path.name for path in Path(before).iterdir()} == {"capture", "findings.json", "report.html"}
    quiet = labkit("check", "--app", healthy, *words, "--out", after)
    assert (quiet.status, quiet.out.count("\n"), quiet.err) == (0, 1, "")
    assert quiet.out.startswith("healthy.py:create_app(): nothing keeps growing, in ")

    mended = labkit("compare", before, f"{after}/capture")
    assert (mended.status, mended.out.splitlines()[0]) == (0, "fixed: leaky.py:create_app() -> healthy.py:create_app()")
    broken = labkit("compare", after, before, "--json")
    assert (broken.status, json.loads(broken.out)["verdict"]) == (1, "worse")
    assert json.loads(broken.out)["changes"][0]["after"]["retainer"] == "leaky.KEPT"
    assert labkit("compare", before, "nowhere").status == 2


def test_exit_statuses_of_a_comparison_are_those_of_the_documentation() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "ci.md").read_text()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    written = {cells[0].strip("`"): int(cells[1]) for cells in rows if len(cells) == 3 and cells[1].isdigit()}
    assert {name: written.get(name) for name in COMPARED} == COMPARED


def test_a_leak_within_its_limit_passes_and_is_told(labkit: Labkit, shop: Path) -> None:
    words = ("--app", f"{shop}/leaky.py:create_app()", "--request", ORDERS, "--budget", "0")
    allowed = labkit("check", *words, "--limit-bytes-per-request", "500")
    assert allowed.status == 0
    assert allowed.out.startswith("within the limit: leaky.KEPT keeps 13")
    assert "; the limit is 500 B\n\nleaky.py:create_app(): nothing else keeps growing, in 700 requests\n" in allowed.out
    assert allowed.left_behind() == []


def test_two_recorded_captures_of_different_services_are_not_taken_for_one(labkit: Labkit) -> None:
    data = Path(__file__).resolve().parents[2] / "data"
    found = labkit("compare", str(data / "session_cache.capture"), str(data / "bounded_cache.capture"))
    assert found.status == 3
    assert found.out.startswith("The two were not measured alike:\n  - requests: ")
    assert "\ncannot say: leaky.SESSIONS\n  it is no suspect after, where other requests were played\n" in found.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check",), "error: There is nothing to check."),
        (("check", "--app", "shop.py", "--request", ORDERS, "--limit-bytes-per-request", "-1"), "'-1' is no limit"),
        (("check", "--app", "shop.py", "--request", ORDERS, "--limit-bytes-per-request", "nan"), "'nan' is no limit"),
        (("check", "--app", "nowhere.py", "--request", ORDERS), "error: There is no app file"),
    ],
)
def test_what_cannot_be_run_ends_with_two(labkit: Labkit, words: tuple[str, ...], said: str) -> None:
    found = labkit(*words)
    assert (found.status, found.out) == (2, "")
    assert said in found.err
    assert "Traceback" not in found.err
