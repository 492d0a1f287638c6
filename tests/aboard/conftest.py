"""One PostgreSQL for all tests of this folder. In CI it must be there."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from database import binaries, running


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """What to connect with."""
    programs = binaries()
    if programs is None:
        reason = "PostgreSQL's initdb and postgres are not here; on Debian: apt-get install postgresql"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with running(programs) as where:
        yield where
