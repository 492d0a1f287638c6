"""Where the set-up script is driven: never in the working tree itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from copies import fill


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy, in a folder with a space in its name, with nothing set up."""
    folder = tmp_path / "a copy"
    folder.mkdir()
    return fill(folder)
