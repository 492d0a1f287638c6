"""Where Prometheus is, and which rules it is given."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
RULES = REPOSITORY / "labkit" / "aboard" / "alerts.yml"


def require(program: str) -> str:
    """Its path; without it the test is skipped, and in CI fails."""
    found = shutil.which(program)
    if found is None:
        reason = f"{program} is not installed; Debian's package prometheus has it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found
