"""Copies of the working tree for the set-up script to be driven in."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name not in ("LABKIT_PYTHON", "PYTHONPATH", "PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST")
} | {"PATH": os.environ["PATH"].removeprefix(f"{REPOSITORY}/.venv/bin:")}


def fill(folder: Path) -> Path:
    """Copy every file git knows or would take up, as it is in the working tree."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    for name in listed.split("\0"):
        if name and (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name)
    return folder


def run(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the copy's ``./workbook`` from elsewhere, with further variables."""
    command = [folder / "workbook", *words]
    return subprocess.run(
        command, cwd=folder.parent, env=ENVIRONMENT | variables, capture_output=True, text=True, timeout=280
    )


def refused(done: subprocess.CompletedProcess[str], what: str, seen: str, hint: str) -> None:
    """Exit 2 and three lines: what happened, what was seen, what to try."""
    lines = [line for line in done.stderr.splitlines() if not line.startswith("workbook: ")]
    assert (done.returncode, done.stdout, len(lines)) == (2, "", 3), done.stderr
    assert lines[0] == f"error: {what}"
    assert lines[1].startswith("  seen: ")
    assert seen in lines[1]
    assert lines[2].startswith("  try:  ")
    assert hint in lines[2]
