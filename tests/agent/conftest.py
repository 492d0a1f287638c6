"""Every test of the agent runs a small program under each interpreter that is on this machine."""

from __future__ import annotations

import pytest
from agent_targets import VERSIONS, Target, find_interpreters

_FOUND = find_interpreters()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which interpreters were not there, so that nobody takes a skip for a pass."""
    missing = [version for version in VERSIONS if version not in _FOUND]
    if missing:
        terminalreporter.write_line(f"The agent was not tested on CPython {', '.join(missing)}: not found.")


@pytest.fixture(scope="session", params=VERSIONS)
def python(request: pytest.FixtureRequest) -> str:
    """Path of an interpreter of each supported version."""
    if request.param not in _FOUND:
        pytest.skip(f"CPython {request.param} is neither on PATH nor under ~/.pyenv")
    return _FOUND[request.param]


@pytest.fixture
def target(python: str, tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A place to run programs that hold the agent."""
    return Target(python, tmp_path_factory.mktemp("target"))
