"""An environment for each tool from PyPI, made for one run and thrown away."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
REQUIREMENTS = {
    "pytest-memray": ("pytest-memray==1.11.0", "pytest==9.2.0", "memray==1.20.0"),
    "memalot": ("memalot==2.0.3",),
    "leak-hunter": ("python-leak-hunter==0.1.1",),
    "dozer": ("dozer==0.9",),
}
#: What the cases and their reader need, at the versions labkit has.
SHARED = ("falcon", "pydantic")


def python_for(tool: str, folder: Path) -> Path:
    """The interpreter a tool runs in: labkit's own for what comes with it. Raises CalledProcessError."""
    if tool not in REQUIREMENTS:
        return Path(sys.executable)
    uv = REPOSITORY / ".boot" / "bin" / "uv"
    place = folder / tool
    python = place / "bin" / "python"
    wanted = (*REQUIREMENTS[tool], *(f"{name}=={version(name)}" for name in SHARED))
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, place],
        [uv, "pip", "install", "--quiet", "--python", python, *wanted],
    ):
        subprocess.run(command, check=True, capture_output=True, text=True)
    return python


def environment() -> dict[str, str]:
    """For each tool's process: labkit and this folder to import, a hash seed."""
    paths = os.pathsep.join(map(str, (REPOSITORY / "benchmarks", REPOSITORY)))
    return os.environ | {"PYTHONPATH": paths, "PYTHONHASHSEED": "1"}
