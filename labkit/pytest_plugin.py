"""``labkit_app``: a test fails when a request leaves memory, connections or threads behind, and says what holds them.

    @pytest.mark.labkit(app="shop/app.py:create_app()", requests=["POST /orders/{i}"], limit_bytes_per_request=200)
    def test_no_leak(labkit_app):
        labkit_app.check()

The app runs in a server of its own, never in the process of the tests. A session without such a test pays for this
module alone: what it needs is imported by the first check.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from labkit.findings.limits import Checked
    from labkit.findings.model import Findings

MARKER = "labkit"
#: Names of the marker and of ``check``, and the option of the command ``check`` each stands for.
OPTIONS = {
    "allow_statuses": "--allow-status",
    "limit_bytes_per_request": "--limit-bytes-per-request",
    "limit_descriptors_per_request": "--limit-descriptors-per-request",
    "requests_per_rung": "--requests",
    "rungs": "--rungs",
    "warmup": "--warmup",
    "concurrency": "--concurrency",
    "budget": "--budget",
    "seed": "--seed",
    "server": "--server",
    "worker_class": "--worker-class",
    "workers": "--workers",
    "threads": "--threads",
    "python": "--python",
    "request_timeout": "--request-timeout",
}
KNOWN = ("app", "requests", "body", "headers", "inconclusive", *OPTIONS)
FAIL, PASS = "fail", "pass"  # what ``inconclusive`` may be


def pytest_addoption(parser: pytest.Parser) -> None:
    """The app and its interpreter can be said once for all tests."""
    app = "the app of tests that use labkit_app: FILE.py:app, or FILE.py:create_app()"
    python = "the interpreter that runs it; default: that of the tests"
    parser.addini("labkit_app", app)
    parser.addini("labkit_python", python)
    group = parser.getgroup("labkit", "leak tests")
    group.addoption("--labkit-app", metavar="FILE.py:NAME", help=app)
    group.addoption("--labkit-python", metavar="PATH", help=python)
    group.addoption("--labkit-out", metavar="DIR", help="keep capture, findings and report of each check here")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    words = ", ".join(f"{name}=..." for name in KNOWN)
    config.addinivalue_line("markers", f"{MARKER}({words}): what labkit_app serves, plays and allows")


class LabkitApp:
    """An app to be checked; ``check`` is called after a test that has not called it."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item
        self._given = _given(item)
        self._played: list[tuple[str, str | None]] = []
        self.was_checked = False

    def play(self, *requests: str, body: Any = None) -> None:
        """Add requests to the visit that ``check`` plays over and over; they take the place of the marker's.

        ``{i}`` is the number of the visit, ``{word}`` a new word each time. ``body``: text, or what becomes JSON.
        """
        self._played += [(request, None if body is None else _text(body)) for request in requests]

    def check(self, *requests: str, **changed: Any) -> Findings:
        """Play the requests and fail the test on what they leave behind.

        ``requests`` and ``changed`` go before what ``play`` and the marker said, under the marker's names.
        """
        __tracebackhide__ = True
        self.was_checked = True
        given = {**self._given, **changed}
        _refuse_unknown(given)
        _require(given, bool(requests or self._played or given.get("requests")))
        fault, checked = _checked(self._item, _words(given, requests, self._played))
        if checked is None:  # told here, so that no second traceback is
            pytest.fail(f"labkit could not check the app. {fault}", pytrace=False)
        if checked.over or (checked.is_open and given.get("inconclusive", FAIL) == FAIL):
            from labkit.views.gate import check_text

            pytest.fail(check_text(checked), pytrace=False)
        return checked.findings


@pytest.fixture
def labkit_app(request: pytest.FixtureRequest) -> LabkitApp:
    """The app that the marker ``labkit``, the command line or the configuration names."""
    return LabkitApp(request.node)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """After a test that has not checked by itself, check; what that finds is the test's failure."""
    app = getattr(item, "funcargs", {}).get("labkit_app")
    if app is None and _asks_by_marker_alone(item):
        app = LabkitApp(item)
    outcome = yield
    if isinstance(app, LabkitApp) and not app.was_checked:
        app.check()
    return outcome


def _asks_by_marker_alone(item: pytest.Item) -> bool:
    """Whether a test without the fixture is to be checked: a marker that checks nothing would look like success.

    One for a whole module or class may only say which app it is, for the tests there that use the fixture.
    """
    own = any(mark.name == MARKER for mark in item.own_markers)
    return own or any("requests" in mark.kwargs for mark in item.iter_markers(MARKER))


def _given(item: pytest.Item) -> dict[str, Any]:
    """What is said of this test: by its markers, the closest first, by the command line, by the configuration."""
    config = item.config
    given: dict[str, Any] = {}
    for name in ("app", "python"):
        value = config.getoption(f"labkit_{name}") or config.getini(f"labkit_{name}")
        if value:
            given[name] = str(value)
    for mark in reversed(list(item.iter_markers(MARKER))):
        if mark.args:
            pytest.fail("The marker labkit takes names, as in app=..., requests=[...].", pytrace=False)
        given.update(mark.kwargs)
    _refuse_unknown(given)
    if given.get("app"):
        given["app"] = _found(str(given["app"]), config)
    if given.get("python") and (python := config.rootpath / str(given["python"])).exists():
        given["python"] = str(python)
    return given


def _found(app: str, config: pytest.Config) -> str:
    """``app`` with the path of its file: from pytest's root folder, or else from where it was started."""
    place, colon, name = app.partition(":")
    file = Path(place)
    if file.suffix != ".py" and all(part.isidentifier() for part in place.split(".")):  # a dotted module
        module = Path(*place.split("."))
        candidates = [module.with_suffix(".py"), module / "__init__.py"]
    else:
        candidates = [file]
    folders = (config.rootpath, config.invocation_params.dir)
    places = [folder / candidate for folder in folders for candidate in candidates]
    return f"{next((one for one in places if one.is_file()), places[0])}{colon}{name}"


def _refuse_unknown(given: dict[str, Any]) -> None:
    """Fail on names and values that would otherwise be passed over, or end in a traceback."""
    unknown = sorted(set(given) - set(KNOWN))
    if unknown:
        pytest.fail(f"labkit knows no {', '.join(unknown)}; it knows {', '.join(KNOWN)}.", pytrace=False)
    if not isinstance(given.get("headers") or {}, dict):
        pytest.fail('labkit takes headers as a dictionary: headers={"Name": "value"}.', pytrace=False)
    if given.get("inconclusive", FAIL) not in (FAIL, PASS):
        said = given["inconclusive"]
        pytest.fail(f'labkit knows no inconclusive={said!r}; it is "{FAIL}" or "{PASS}".', pytrace=False)


def _require(given: dict[str, Any], has_requests: bool) -> None:
    """Fail where there is nothing to check, in the words of a test."""
    if not given.get("app"):
        where = 'app="FILE.py:app" in the marker, --labkit-app, or labkit_app in pytest\'s configuration'
        pytest.fail(f"labkit has no app to check.\n  try:  {where}", pytrace=False)
    if not has_requests:
        where = 'requests=["GET /items/{i}"] in the marker, or labkit_app.play("GET /items/{i}")'
        pytest.fail(f"labkit has no requests to play.\n  try:  {where}", pytrace=False)


def _words(given: dict[str, Any], requests: tuple[str, ...], played: list[tuple[str, str | None]]) -> list[str]:
    """The same as words of the command ``check``, which is the one door to all this."""

    words = ["check", f"--app={given['app']}"]
    bodies = [_text(body) for body in _listed(given.get("body"))]
    if requests or not played:
        words += [f"--request={request}" for request in requests or _listed(given.get("requests"))]
    else:
        words += [f"--request={request}" for request, _ in played]
        if any(body is not None for _, body in played):
            otherwise = bodies[0] if len(bodies) == 1 else ""
            taking = [
                body for request, body in played if not request.startswith(("GET ", "HEAD ", "DELETE ", "OPTIONS "))
            ]
            bodies = [otherwise if body is None else body for body in taking]
    words += [f"--body={body}" for body in bodies]
    words += [f"--header={name}: {value}" for name, value in dict(given.get("headers") or {}).items()]
    for name, option in OPTIONS.items():
        words += [f"{option}={value}" for value in _listed(given.get(name))]
    return words


def _listed(value: Any) -> list[Any]:
    """One thing, or several, as a list; None is none."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _text(body: Any) -> str:
    return body if isinstance(body, str) else json.dumps(body)


def _checked(item: pytest.Item, words: list[str]) -> tuple[str, Checked | None]:
    """The answer, or the fault that kept it from being found."""
    from labkit.arguments import parser
    from labkit.checking import checked_by
    from labkit.cli import COMMANDS
    from labkit.errors import LabkitError

    told = io.StringIO()
    try:
        with contextlib.redirect_stderr(told):
            options = parser(COMMANDS).parse_args(words)
    except SystemExit:
        return told.getvalue().partition("\n")[0].removeprefix("error: "), None
    options.command = f"pytest {item.name}"
    options.out = _next_folder(item)
    try:
        return "", checked_by(options)
    except LabkitError as error:
        return str(error), None
    except SystemExit as stop:  # a signal asked to end: pytest would take that for a failing test and go on
        pytest.exit("terminated while an app was checked; its server was stopped", returncode=int(stop.code or 0))


def _next_folder(item: pytest.Item) -> str | None:
    """A new folder for this test below ``--labkit-out``, if that was given."""
    out = item.config.getoption("labkit_out")
    if not out:
        return None
    name = re.sub(r"[^A-Za-z0-9_]+", "-", item.nodeid).strip("-")
    number = 1
    while (folder := item.config.invocation_params.dir / out / f"{name}-{number}").exists():
        number += 1
    return str(folder)
