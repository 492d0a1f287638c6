"""Every test of the agent runs a small program under each interpreter that is on this machine."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from agent_targets import VERSIONS, Target, find_interpreters

from labkit.drive.build_walker import build_walker

REPOSITORY = Path(__file__).resolve().parents[2]
INSTALLED = ("falcon", "gunicorn", "uvicorn", "numpy", "memray", "objgraph", "guppy3")
_FOUND = find_interpreters()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which interpreters were not there, so that nobody takes a skip for a pass."""
    missing = [version for version in VERSIONS if version not in _FOUND]
    if missing:
        terminalreporter.write_line(f"The agent was not tested on CPython {', '.join(missing)}: not found.")


@pytest.fixture(scope="session", params=VERSIONS)
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Path of an interpreter of each supported version."""
    if request.param not in _FOUND:
        pytest.skip(f"CPython {request.param} is neither on PATH nor under ~/.pyenv")
    if _FOUND[request.param] == sys.executable:
        return sys.executable
    return _with_servers(request.param, tmp_path_factory)


def _with_servers(version: str, folders: pytest.TempPathFactory) -> str:
    """Another interpreter, in an environment with what the tests load, as it is in this one."""
    folder = folders.mktemp("servers") / f"python{version}"
    uv = shutil.which("uv") or str(REPOSITORY / ".boot" / "bin" / "uv")
    wanted = [f"{name}=={importlib.metadata.version(name)}" for name in INSTALLED]
    subprocess.run([uv, "venv", "--quiet", "--python", _FOUND[version], str(folder)], check=True)
    python = str(folder / "bin" / f"python{version}")
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *wanted], check=True)
    return python


@pytest.fixture
def target(python: str, tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A place to run programs that hold the agent."""
    return Target(python, tmp_path_factory.mktemp("target"))


@pytest.fixture(scope="session")
def walker(python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled walker for this interpreter."""
    built, reason = build_walker(python, tmp_path_factory.mktemp("walker"))
    if built is None:
        pytest.skip(reason)
    return built
