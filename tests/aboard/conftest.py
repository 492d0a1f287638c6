"""Servers that end with their test, and a PostgreSQL for each module."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from postgresql import database, database_server
from running import Server, start_server

from labkit.drive.processes import end_group

__all__ = ["database", "database_server"]


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
