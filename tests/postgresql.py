"""A PostgreSQL server for a module of tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from labkit.agent.servers import die_with_parent as die_with_parent
from labkit.drive.postgresql import WAIT_S as WAIT_S
from labkit.drive.postgresql import Database, binaries, running


@pytest.fixture(scope="module")
def database_server() -> Iterator[Database]:
    """One for each module, so that none is left when the next begins; in CI it must be there."""
    programs = binaries()
    if programs is None:
        reason = "PostgreSQL's initdb and postgres are not here; on Debian: apt-get install postgresql"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with running(programs) as found:
        yield found


@pytest.fixture(scope="module")
def database(database_server: Database) -> str:
    """What to connect with."""
    return database_server.where
