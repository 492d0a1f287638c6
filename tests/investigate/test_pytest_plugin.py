"""The pytest plugin, in real sessions of pytest with real servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import MARK, marked_processes
from .shops import LEAK_LINE, write_shops

pytest_plugins = ["pytester"]

SUITE = """
import pytest
ORDERS = ["GET /orders/{i}"]

@pytest.mark.labkit(requests=ORDERS, budget=0)
def test_leaks(labkit_app):
    labkit_app.check()

@pytest.mark.labkit(app="healthy.py:create_app()")
def test_is_healthy(labkit_app):
    labkit_app.play(*ORDERS)
    labkit_app.play("POST /orders/{i}", body={"sku": "tea"})
    findings = labkit_app.check()
    assert findings.verdict == "clean"

@pytest.mark.labkit(requests=ORDERS, limit_bytes_per_request=500, budget=0)
def test_is_allowed(labkit_app): ...
"""
WRONG = """
import pytest
ORDERS = ["GET /orders/{i}"]
labkit = pytest.mark.labkit

@labkit(app="nowhere.py", requests=ORDERS)
def test_has_no_app(labkit_app): ...

@labkit(requests=ORDERS)
def test_marker_alone_is_checked(): ...

@labkit(app="healthy.py:create_app()")
def test_plays_nothing(): ...

@labkit(requests=ORDERS, server="apache")
def test_has_no_such_server(labkit_app): ...

@labkit(ap="leaky.py", requests=ORDERS)
def test_has_a_typo(labkit_app): ...

@labkit(requests=ORDERS, inconclusive="pas")
def test_has_another(labkit_app): ...

@labkit("leaky.py")
def test_has_no_names(labkit_app): ...

def test_fails_by_itself(labkit_app):
    labkit_app.play("GET /orders/{i}")
    assert 1 == 2, "its own failure"

def test_names_a_wrong_option(labkit_app):
    labkit_app.check("GET /orders/{i}", limit=3)
"""


@pytest.fixture
def shops(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.Pytester]:
    """A folder with the two twins, of which configuration names the leaky one; no process may be left."""
    write_shops(pytester.path)
    pytester.makeini("[pytest]\nlabkit_app = leaky.py:create_app()\n")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv(MARK, str(pytester.path))
    yield pytester
    assert marked_processes(str(pytester.path)) == []


def test_a_leak_fails_with_its_path_and_nothing_else_does(shops: pytest.Pytester) -> None:
    shops.makepyfile(SUITE)
    done = shops.runpytest_subprocess("-n2", "-rA", "-p", "no:cacheprovider", "-k", "not healthy", timeout=240)
    done.assert_outcomes(passed=1, failed=1)
    said = done.stdout.str()
    assert (
        "FAILED test_a_leak_fails_with_its_path_and_nothing_else_does.py::test_leaks - Failed: leaky.KEPT keeps" in said
    )
    assert "(95 % interval 1" in said
    assert "    KEPT -> list\n      [*] -> leaky.Order   <- grows here\n" in said
    assert f"  allocated at leaky.py line {LEAK_LINE}, in Orders.on_get\n" in said
    assert "pytest_plugin.py" not in said  # no traceback of ours


def test_a_healthy_app_passes_and_what_was_measured_is_kept(
    shops: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    shops.makepyfile(SUITE)
    (shops.path / "environment").symlink_to(sys.prefix)  # found from the root folder, as paths of apps are
    monkeypatch.chdir(shops.mkdir("elsewhere"))
    words = ("--labkit-python=environment", "--labkit-out=kept", "..")
    done = shops.runpytest_subprocess("-p", "no:cacheprovider", "-k", "is_healthy", *words, timeout=240)
    done.assert_outcomes(passed=1)
    (folder,) = shops.path.glob("elsewhere/kept/*-test_is_healthy-1")
    assert {path.name for path in folder.iterdir()} == {"capture", "findings.json", "report.html"}


def test_wrong_words_are_told_in_a_line(shops: pytest.Pytester) -> None:
    shops.makepyfile(WRONG)
    app = "--labkit-app=missing.py:app"  # goes before the configuration: what is checked at all fails at once
    done = shops.runpytest_subprocess("-rA", "-p", "no:cacheprovider", app, timeout=120)
    done.assert_outcomes(failed=6, errors=3)
    said = done.stdout.str()
    for line in (
        "::test_has_no_app - Failed: labkit could not check the app. There is no app file",
        "::test_marker_alone_is_checked - Failed: labkit could not check the app. There is no app file",
        "::test_plays_nothing - Failed: labkit has no requests to play.",
        "::test_has_no_such_server - Failed: labkit could not check the app. argument --server: invalid choice",
        "::test_has_a_typo - Failed: labkit knows no ap; it knows app, requests",
        '::test_has_another - Failed: labkit knows no inconclusive=\'pas\'; it is "fail" or "pass".',
        "::test_has_no_names - Failed: The marker labkit takes names",
        "::test_fails_by_itself - AssertionError: its own failure",
        "::test_names_a_wrong_option - Failed: labkit knows no limit; it knows app",
    ):
        assert line in said, line
    assert "During handling" not in said
    assert "pytest_plugin.py" not in said


@pytest.mark.parametrize(
    ("number", "distributed"),
    [(signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGINT, True)],
    ids=["interrupted", "terminated", "interrupted under xdist"],
)
def test_an_interrupted_session_leaves_no_process(shops: pytest.Pytester, number: int, distributed: bool) -> None:
    shops.makepyfile("def test_it(labkit_app):\n    labkit_app.check('GET /orders/{i}', requests_per_rung=100_000)\n")
    scratch = shops.mkdir("t")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *(["-n1"] if distributed else [])]
    environment = {**os.environ, "TMPDIR": str(scratch)}
    session = subprocess.Popen(command, cwd=shops.path, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        _wait_for_a_server(str(shops.path))
        session.send_signal(number)
        said, _ = session.communicate(timeout=60)
    finally:
        session.kill()
    if not distributed:  # xdist has its own way to end
        assert session.returncode == (2 if number == signal.SIGINT else 128 + number)
        assert list(scratch.iterdir()) == []
    assert "1 passed" not in said
    deadline = time.monotonic() + 30
    while marked_processes(str(shops.path)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert marked_processes(str(shops.path)) == []


def _wait_for_a_server(mark: str) -> None:
    deadline = time.monotonic() + 60
    while not any("gunicorn" in line or "launch" in line for line in marked_processes(mark)):
        assert time.monotonic() < deadline, marked_processes(mark)
        time.sleep(0.1)


def test_a_session_without_such_a_test_imports_nothing_of_it(tmp_path: Path) -> None:
    unwanted = "{'numpy', 'pydantic', 'psutil', 'labkit.checking', 'labkit.errors'}"
    (tmp_path / "test_plain.py").write_text(
        f"import sys\ndef test_it():\n    assert not {unwanted} & set(sys.modules)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "test_plain.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
