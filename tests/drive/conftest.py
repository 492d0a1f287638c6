"""Tiny apps for the driver to serve, and a look at what is left of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ports
import psutil
import pytest

from labkit.cases import Load, Step, Target

PLAIN_APP = """
    import os

    SEEN = []

    def app(environ, start_response):
        SEEN.append(environ["PATH_INFO"] * 20)
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
        return [b"ok"]
"""


@pytest.fixture
def make_target(tmp_path: Path) -> Callable[..., Target]:
    """Write an app into a folder of its own and say what is asked of it."""

    def make(source: str = PLAIN_APP, *, file: str = "shop.py", name: str = "app", **load: Any) -> Target:
        path = tmp_path / "served" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
        steps = load.pop("steps", ["GET /item/{i}"])
        rungs = load.pop("rungs", 4)
        small = {"warmup_requests": 8, "requests_per_rung": 8, "concurrency": 2} | load
        plan = Load(steps=tuple(Step(request=step) for step in steps), **small)
        plan = plan.model_copy(update={"rungs": rungs})  # unchecked: fewer than a trend needs are quicker
        return Target(label="test", app_file=path, app_name=name, load=plan)

    return make


@pytest.fixture
def short_tmp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder of our own, short enough for Unix sockets, to see what is left in it."""
    folder = Path(tempfile.mkdtemp(prefix="t-", dir="/tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    """Whatever a test does, afterwards we have no child process that we had not before (a test server, say)."""
    before = set(psutil.Process().children(recursive=True))
    yield
    left = set(psutil.Process().children(recursive=True)) - before
    assert [child.cmdline() for child in left] == []


@pytest.fixture
def bare_python(tmp_path: Path) -> str:
    """An interpreter with nothing installed."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    return str(tmp_path / "bare" / "bin" / "python")


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], None]:
    """Wait until something becomes true, and fail when it does not."""

    def wait(condition: Callable[[], object]) -> None:
        give_up = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < give_up, "it did not come true"
            time.sleep(0.02)

    return wait


@pytest.fixture
def is_gone() -> Callable[[int], bool]:
    """Whether a process has ended; a zombie nobody reaps has."""

    def gone(pid: int) -> bool:
        try:
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    return gone


@pytest.fixture
def repository() -> Path:
    """The folder that labkit is imported from."""
    return Path(__file__).resolve().parents[2]


@pytest.fixture
def free_port() -> int:
    """A port nobody listens on just now."""
    return ports.free_port()


@pytest.fixture(autouse=True)
def _unchanged_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GUNICORN_CMD_ARGS", "PYTHONTRACEMALLOC"):
        monkeypatch.delenv(name, raising=False)
    assert os.environ.get("GUNICORN_CMD_ARGS") is None
