"""``labkit_app``: a test fails when a request leaves memory, connections or threads behind, and says what holds them.

    @pytest.mark.labkit(app="shop/app.py:create_app()", requests=["POST /orders/{i}"], limit_bytes_per_request=200)
    def test_no_leak(labkit_app): ...

The app runs in a server of its own, never in the process of the tests. Nothing of it is imported before it is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from labkit.findings.model import Findings

MARKER = "labkit"
KNOWN = (
    "app",
    "requests",
    "body",
    "headers",
    "limit_bytes_per_request",
    "limit_descriptors_per_request",
    "inconclusive",
    "server",
    "python",
    "allow_statuses",
    "requests_per_rung",
    "budget",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The app and its interpreter can be said once for all tests."""
    parser.addini("labkit_app", "the app of tests that use labkit_app: FILE.py:app, or FILE.py:create_app()")
    parser.addini("labkit_python", "the interpreter that runs it; default: that of the tests")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    words = ", ".join(f"{name}=..." for name in KNOWN)
    config.addinivalue_line("markers", f"{MARKER}({words}): what labkit_app serves, plays and allows")


class LabkitApp:
    """An app to be checked; ``check`` may be called in the test, and is called after it otherwise."""

    def __init__(self, defaults: dict[str, Any], node: str) -> None:
        self._defaults = defaults
        self._node = node
        self.was_checked = False

    def check(self, *requests: str, **changed: Any) -> Findings:
        """Play ``requests`` (those of the marker, if none) and fail the test on what they leave behind."""
        __tracebackhide__ = True
        self.was_checked = True
        given = {**self._defaults, **changed}
        given["requests"] = list(requests) or given.get("requests") or []
        _refuse_unknown(given)
        from labkit.errors import LabkitError  # here: a session without such a test must not import it
        from labkit.views.gate import check_text

        fault = ""
        try:
            checked = _checked(given, self._node)
        except LabkitError as error:
            fault = str(error)
        if fault:  # told here, so that no second traceback is
            pytest.fail(f"labkit could not check the app. {fault}", pytrace=False)
        if checked.over or (checked.is_open and given.get("inconclusive", "fail") != "pass"):
            pytest.fail(check_text(checked), pytrace=False)
        findings: Findings = checked.findings
        return findings


@pytest.fixture
def labkit_app(request: pytest.FixtureRequest) -> LabkitApp:
    """The app that the marker ``labkit`` or the configuration names."""
    defaults: dict[str, Any] = {}
    for name in ("app", "python"):
        value = request.config.getini(f"labkit_{name}")
        if value:
            defaults[name] = str(value)
    for mark in reversed(list(request.node.iter_markers(MARKER))):  # the closest to the test wins
        if mark.args:
            pytest.fail("The marker labkit takes names, as in app=..., requests=[...].", pytrace=False)
        defaults.update(mark.kwargs)
    _refuse_unknown(defaults)
    return LabkitApp(defaults, request.node.name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """After a test that did not check by itself, check; what it finds is the test's failure."""
    outcome = yield
    app = getattr(item, "funcargs", {}).get("labkit_app")
    if isinstance(app, LabkitApp) and not app.was_checked:
        app.check()
    return outcome


def _refuse_unknown(given: dict[str, Any]) -> None:
    unknown = sorted(set(given) - set(KNOWN))
    if unknown:
        pytest.fail(f"labkit knows no {', '.join(unknown)}; it knows {', '.join(KNOWN)}.", pytrace=False)


def _words(given: dict[str, Any]) -> list[str]:
    """The same as words of the command ``check``, which is the one door to all this."""
    words = ["check", "--app", str(given["app"])] if given.get("app") else ["check"]
    for request in given["requests"]:
        words += ["--request", request]
    for body in _listed(given.get("body")):
        words += ["--body", body]
    for name, value in dict(given.get("headers") or {}).items():
        words += ["--header", f"{name}: {value}"]
    for status in _listed(given.get("allow_statuses")):
        words += ["--allow-status", str(status)]
    options = {"server": "--server", "python": "--python", "requests_per_rung": "--requests", "budget": "--budget"}
    for name, option in options.items():
        if given.get(name) is not None:
            words += [option, str(given[name])]
    for name in ("limit_bytes_per_request", "limit_descriptors_per_request"):
        if given.get(name) is not None:
            words += [f"--{name.replace('_', '-')}", str(given[name])]
    return words


def _listed(value: Any) -> Sequence[Any]:
    return [] if value is None else [value] if isinstance(value, str | int) else list(value)


def _checked(given: dict[str, Any], node: str) -> Any:
    from labkit.arguments import parser
    from labkit.checking import checked_by
    from labkit.cli import COMMANDS

    options = parser(COMMANDS).parse_args(_words(given))
    options.command = f"pytest {node}"
    return checked_by(options)
