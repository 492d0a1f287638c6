"""The same mistakes in Falcon and in Flask: what a request leaves behind in each, measured by labkit.

    .boot/bin/uv run --group benchmarks python benchmarks/compare_frameworks.py [MISTAKE ...] [--worker-class gthread]

Both apps are in ``benchmarks/frameworks/``, written the way each framework's documentation shows. Each mistake is a
route, and is investigated on a Gunicorn worker of its own with the same load. Told are the bytes per request of the
first suspect, with its interval of 95 %, and its holder; ``clean`` where nothing grows. In Flask ``request`` is a name
for the request of the moment: to keep that name keeps nothing, which is a row of its own.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
APPS = {
    "falcon": REPOSITORY / "benchmarks" / "frameworks" / "falcon_shop.py",
    "flask": REPOSITORY / "benchmarks" / "frameworks" / "flask_shop.py",
}
#: Routes, and what Flask alone has.
MISTAKES = {
    "nothing": "nothing kept",
    "request": "request kept in a module's list",
    "request-by-name": "... the name `request` kept",
    "error": "exception kept by an error handler",
    "closure-over-request": "closure over the request kept",
    "closure-over-request-by-name": "... over the name `request`",
    "closure-over-value": "closure over 1 kB of text kept",
    "thread-local": "request kept in a thread-local list",
    "context-variable": "request set as a context variable",
    "cache": "unbounded cache, 1 kB for each key",
}
FLASK_ALONE = ("request-by-name", "closure-over-request-by-name")
LOAD = ("--requests", "200", "--rungs", "6", "--warmup", "200", "--no-sites", "--quiet", "--json")
SUSPECT, CLEAN = 1, 0


def main() -> None:
    """Print a row for each mistake."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mistakes", nargs="*", choices=[*MISTAKES, []])
    parser.add_argument("--worker-class", choices=("sync", "gthread"), default="sync")
    options = parser.parse_args()
    if importlib.util.find_spec("flask") is None:
        raise SystemExit("Flask is not installed.\n  try:  .boot/bin/uv run --group benchmarks python " + __file__)
    told = ", ".join(f"{name} {version(name)}" for name in (*APPS, "gunicorn"))
    print(f"{told}, Python {sys.version.split()[0]}, a {options.worker_class} worker\n")
    print(f"{'':<40}" + "".join(f"{name:<54}" for name in APPS))
    for mistake in options.mistakes or MISTAKES:
        cells = [_cell(framework, mistake, options.worker_class) for framework in APPS]
        print(f"{MISTAKES[mistake]:<40}" + "".join(f"{cell:<54}" for cell in cells), flush=True)


def _cell(framework: str, mistake: str, worker_class: str) -> str:
    if framework == "falcon" and mistake in FLASK_ALONE:
        return "(there is no such name)"
    found = _investigated(APPS[framework], mistake, worker_class)
    if found["verdict"] != "suspect":
        return str(found["verdict"])
    first = found["suspects"][0]
    grows = first["grows"]
    low, high = grows["interval95"]
    return f"{grows['bytes_per_request']:,.0f} B ({low:,.0f} to {high:,.0f}), {first['retainer']}"


def _investigated(app: Path, mistake: str, worker_class: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        asked = ("--app", f"{app}:app", "--request", f"GET /{mistake}/{{i}}", "--out", f"{folder}/out")
        command = [sys.executable, "-m", "labkit", "investigate", *asked, "--worker-class", worker_class, *LOAD]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode not in (CLEAN, SUSPECT, 3):
        raise SystemExit(f"{app.stem}, {mistake}: {done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
