"""Leak tests in a team's own builds: the command, the pytest plugin, and before against after."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Labkit

SHOP = """
import falcon
KEPT = []
class Order:
    def __init__(self, number): self.number = number
class Orders:
    def on_get(self, req, resp, number):
        {line}
        resp.media = {{"order": number}}
def create_app():
    app = falcon.App()
    app.add_route("/orders/{{number}}", Orders())
    return app
"""
TESTS = """
import pytest
REQUESTS = ["GET /orders/{{i}}"]

@pytest.mark.labkit(app="leaky.py:create_app()", requests=REQUESTS)
def test_leaks(labkit_app): ...

@pytest.mark.labkit(app="healthy.py:create_app()")
def test_is_healthy(labkit_app):
    findings = labkit_app.check(*REQUESTS)
    assert findings.verdict == "clean"

@pytest.mark.labkit(app="leaky.py:create_app()", requests=REQUESTS, limit_bytes_per_request=500)
def test_is_allowed(labkit_app): ...

@pytest.mark.labkit(app="nowhere.py", requests=REQUESTS)
def test_has_no_app(labkit_app): ...

@pytest.mark.labkit(ap="leaky.py", requests=REQUESTS)
def test_has_a_typo(labkit_app): ...
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "leaky.py").write_text(SHOP.format(line="KEPT.append(Order(number))"))
    (tmp_path / "healthy.py").write_text(SHOP.format(line="Order(number)"))
    return tmp_path


def test_the_plugin_fails_tests_with_the_path_and_is_quiet_otherwise(shop: Path) -> None:
    (shop / "test_leaks.py").write_text(TESTS.replace("{{", "{").replace("}}", "}"))
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "test_leaks.py"]
    wide = {**os.environ, "COLUMNS": "200"}
    done = subprocess.run(command, cwd=shop, capture_output=True, text=True, timeout=200, env=wide)
    assert done.returncode == 1
    for line in (
        "PASSED test_leaks.py::test_is_healthy",
        "PASSED test_leaks.py::test_is_allowed",
        "FAILED test_leaks.py::test_leaks - Failed: leaky.KEPT keeps",
        "FAILED test_leaks.py::test_has_no_app - Failed: labkit could not check the app. There is no app file",
        "ERROR test_leaks.py::test_has_a_typo - Failed: labkit knows no ap; it knows app, requests",
        "    KEPT -> list\n      [*] -> leaky.Order   <- grows here",
    ):
        assert line in done.stdout, done.stdout
    assert "During handling" not in done.stdout
    assert "pytest_plugin.py" not in done.stdout  # no traceback of ours


def test_a_session_without_such_a_test_imports_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "test_plain.py").write_text(
        "import sys\ndef test_it():\n    assert not {'numpy', 'pydantic', 'psutil'} & set(sys.modules)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "test_plain.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_check_and_compare(labkit: Labkit, shop: Path, tmp_path: Path) -> None:
    words = ("--request", "GET /orders/{i}", "--no-sites")
    leaky, healthy = f"{shop}/leaky.py:create_app()", f"{shop}/healthy.py:create_app()"
    before, after = str(tmp_path / "before"), str(tmp_path / "after")
    found = labkit("check", "--app", leaky, *words, "--budget", "0", "--out", before)
    assert (found.status, found.out.partition(" keeps ")[0]) == (1, "leaky.KEPT")
    assert labkit("check", "--app", leaky, *words, "--limit-bytes-per-request", "500", "--budget", "0").status == 0
    quiet = labkit("check", "--app", healthy, *words, "--out", after)
    assert (quiet.status, quiet.out.count("\n"), quiet.err) == (0, 1, "")
    mended = labkit("compare", before, after)
    assert (mended.status, mended.out.splitlines()[0]) == (0, "fixed: leaky.py:create_app() -> healthy.py:create_app()")
    broken = labkit("compare", after, before, "--json")
    assert (broken.status, json.loads(broken.out)["verdict"]) == (1, "worse")
    same = labkit("compare", before, before)
    assert (same.status, same.out.partition(":")[0]) == (1, "the same as before, within what was measured")
