"""The agent is shipped once for all servers; a PostgreSQL for each module that asks for one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from postgresql import database_server

from labkit.drive.ship import ship_agent

__all__ = ["database_server"]

sys.path.insert(0, str(Path(__file__).resolve().parent))


@pytest.fixture(scope="session")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the agent, as ``labkit agent`` writes it."""
    shipped = ship_agent(tmp_path_factory.mktemp("doors"), sys.executable)
    assert shipped.why_no_walker == ""
    return shipped.folder
