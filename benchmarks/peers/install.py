"""What the contestants need, in throwaway places: an environment from PyPI and a folder from npm, at these versions."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BENCHMARKS = REPOSITORY / "benchmarks"
JUDGE = REPOSITORY / "tests" / "exchange"  # has package.json and package-lock.json for memlab
#: What each contestant needs from PyPI; PyHeap's analyser does not say so, but needs two.
REQUIREMENTS = {
    "guppy3": ("guppy3==3.1.7",),
    "objgraph": ("objgraph==3.7.0",),
    "pympler": ("pympler==1.1",),
    "pyheap": ("tqdm==4.67.1", "typing-extensions==4.15.0"),
    "igraph": ("igraph==1.0.0", "numpy==2.4.6"),
    "rustworkx": ("rustworkx==0.18.1", "numpy==2.4.6"),
}


def python_for(names: Iterable[str], folder: Path) -> Path:
    """An interpreter with what the contestants need and nothing else; labkit's own when they need nothing.

    Raises CalledProcessError.
    """
    wanted = sorted({each for name in names for each in REQUIREMENTS.get(name, ())})
    if not wanted:
        return Path(sys.executable)
    uv = REPOSITORY / ".boot" / "bin" / "uv"
    python = folder / "bin" / "python"
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, folder],
        [uv, "pip", "install", "--quiet", "--python", python, *wanted],
    ):
        subprocess.run(command, check=True, capture_output=True, text=True)
    return python


def memlab_for(folder: Path) -> tuple[Path | None, str]:
    """The folder node_modules with memlab in it; or None and the reason."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return None, "npm is not installed"
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(JUDGE / name, folder / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    environment = os.environ | {"PUPPETEER_SKIP_DOWNLOAD": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        return None, f"npm could not install it: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}"
    return folder / "node_modules", ""


def environment(folder: Path) -> dict[str, str]:
    """For every contestant: the benchmark's modules and labkit to import, byte code kept in ``folder``.

    With it kept, the second process to import a library reads it, as on any machine where the library was used before.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    paths = os.pathsep.join(map(str, (BENCHMARKS, REPOSITORY)))
    return kept | {"PYTHONPATH": paths, "PYTHONPYCACHEPREFIX": str(folder / "bytecode"), "PYTHONHASHSEED": "1"}
