"""Servers that end with their test, and one PostgreSQL for all tests of this folder; in CI it must be there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from database import binaries, running
from running import Server, start_server

from labkit.drive.processes import end_group


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """``serve(source, "gunicorn", "--workers", "2")``: see ``start_server``."""
    with contextlib.ExitStack() as stack:
        started: list[Server] = []

        def start(source: str, *command: str, **more: Any) -> Server:
            server = start_server(tmp_path / f"server-{len(started) + 1}", source, *command, **more)
            started.append(server)
            stack.callback(end_group, server.process)
            return server

        yield start
        for server in started:  # all at once: each may take a second to leave
            server.process.terminate()


@pytest.fixture(scope="package")
def database() -> Iterator[str]:
    """What to connect with."""
    programs = binaries()
    if programs is None:
        reason = "PostgreSQL's initdb and postgres are not here; on Debian: apt-get install postgresql"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with running(programs) as where:
        yield where
