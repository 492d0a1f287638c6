"""Leaks in other people's libraries, and healthy look-alikes: does labkit name the holder, with no case to learn from?

    python benchmarks/strangers.py [NAME ...] [--set {first,frozen}] [--venv DIR] [--keep DIR]

The apps in ``strangers/`` were written after the rules; those in ``strangers_frozen/`` when the rules were frozen, most
of them with a reported bug of a published library. Their pinned libraries are installed into an environment of its own
(kept, if ``--venv`` is given); each app is then investigated by the command a user types, with its default load.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SETS = {"first": HERE / "strangers", "frozen": HERE / "strangers_frozen"}
# APScheduler 3 asks for pkg_resources, which setuptools 81 no longer has
SERVERS = ("falcon>=4.1,<5", "gunicorn>=23", "uvicorn>=0.30", "memray>=1.17,<2", "setuptools<81")


def main() -> int:
    """Install, investigate, print a row for each; 1 when one came out otherwise than it should."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--set", choices=SETS, default="first")
    parser.add_argument("--venv", type=Path)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep each capture and report in DIR")
    options = parser.parse_args()
    apps = SETS[options.set]
    every = tomllib.loads((apps / "strangers.toml").read_text())
    chosen = {name: every[name] for name in options.names or every}
    with tempfile.TemporaryDirectory() as folder:
        python = _environment(options.venv or Path(folder) / "venv", every)
        right = 0
        for name, truth in chosen.items():
            began = time.monotonic()
            found = _investigated(apps / f"{name}.py", python, truth.get("server"), options.keep)
            seconds = time.monotonic() - began
            outcome = _outcome(found, truth.get("retainers", []), truth.get("kinds", []))
            right += outcome in ("named", "kind", "quiet")
            said = ", ".join(suspect["retainer"] for suspect in found.get("suspects", [])) or "-"
            print(f"{name:<32} {outcome:<12} {seconds:6.1f} s  {said}", flush=True)
    print(f"\n{right} of {len(chosen)} as they should")
    return 0 if right == len(chosen) else 1


def _environment(folder: Path, every: dict[str, Any]) -> Path:
    if not (folder / "bin" / "python").exists():
        uv = shutil.which("uv") or str(HERE.parent / ".boot" / "bin" / "uv")
        wanted = sorted({need for truth in every.values() for need in truth["needs"]} | set(SERVERS))
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", str(folder / "bin/python"), *wanted], check=True)
    return folder


def _investigated(app: Path, python: Path, server: str | None, keep: Path | None) -> dict[str, Any]:
    words = ["investigate", "--app", str(app), "--request", "GET /x/{i}", "--python", str(python)]
    words += ["--server", server] if server else []
    words += ["--out", str(keep / app.stem)] if keep else []
    command = [sys.executable, "-m", "labkit", *words, "--json", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "80"})
    if done.returncode not in (0, 1, 3):
        print(done.stderr, file=sys.stderr)
        return {"verdict": "could not run"}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _outcome(found: dict[str, Any], retainers: list[str], kinds: list[str]) -> str:
    suspects = found.get("suspects", [])
    if not retainers and not kinds:
        return {"clean": "quiet", "suspect": "false alarm"}.get(found["verdict"], found["verdict"])
    if not suspects:
        return found["verdict"] if found["verdict"] != "clean" else "missed"
    if suspects[0]["retainer"] in retainers:
        return "named"
    return "kind" if suspects[0]["kind"] in kinds else "unnamed"


if __name__ == "__main__":
    sys.exit(main())
