"""The interpreter that runs the app: is it there, and what does it have."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labkit.errors import AppNotReady

_ASK = """
import sys
sys.path[:] = [entry for entry in sys.path if entry]
import importlib, json
from importlib import metadata
facts = {"versions": {"python": "%d.%d.%d" % sys.version_info[:3]}, "flags": [], "missing": ""}
for name in ("falcon", "gunicorn", "uvicorn"):
    try:
        facts["versions"][name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        pass
try:
    if sys.argv[1] != "builtin":
        importlib.import_module(sys.argv[1])
    if sys.argv[1] == "gunicorn":
        from gunicorn.config import KNOWN_SETTINGS
        facts["flags"] = sorted({flag for setting in KNOWN_SETTINGS for flag in setting.cli or ()})
except ImportError as error:
    facts["missing"] = type(error).__name__ + ": " + str(error)
print(json.dumps(facts))
"""

SUPPORTED = ((3, 11), (3, 12), (3, 13))
_HINT = "--python PATH of a Python that runs the app, or of its virtual environment"


@dataclass(frozen=True)
class Interpreter:
    """A usable interpreter: its absolute path, versions by package name, the server's options."""

    path: str
    versions: dict[str, str]
    server_flags: frozenset[str]


def find_interpreter(python: str, server: str, environment: Mapping[str, str]) -> Interpreter:
    """Ask ``python``, a program or a virtual environment's folder, what it is and whether it has ``server``.

    Raises AppNotReady when it cannot serve.
    """
    path = locate_interpreter(python)
    facts = _ask(path, server, environment)
    if tuple(map(int, facts["versions"]["python"].split(".")[:2])) not in SUPPORTED:
        raise AppNotReady(
            f"{python} is Python {facts['versions']['python']}; 3.11, 3.12 and 3.13 can be measured.", hint=_HINT
        )
    if facts["missing"]:
        raise AppNotReady(
            f"{python} has no usable {server}.",
            seen=facts["missing"],
            hint=f"install {server} for {python}, another --python, or --server builtin",
        )
    return Interpreter(path, facts["versions"], frozenset(facts["flags"]))


def locate_interpreter(python: str) -> str:
    """The absolute path of ``python``, a program or a virtual environment's folder; raises AppNotReady."""
    named = os.path.expanduser(python)  # noqa: PTH111  a bare name is looked up on PATH
    in_venv = Path(named, "bin", "python")
    found = shutil.which(in_venv if in_venv.is_file() else named)
    if found is None:
        raise AppNotReady(f"There is no interpreter {python}.", hint=_HINT)
    return os.path.abspath(found)  # noqa: PTH100  a venv's link must not be resolved


def _ask(path: str, server: str, environment: Mapping[str, str]) -> dict[str, Any]:
    said = ""
    try:
        answer = subprocess.run(
            [path, "-c", _ASK, server],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        said = answer.stderr.strip() or answer.stdout.strip()
        facts: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AppNotReady(f"{path} does not run.", seen=str(error), hint=_HINT) from None
    except (ValueError, IndexError):
        last = said.splitlines()[-1] if said else "no output"
        raise AppNotReady(f"{path} is no Python that can serve an app.", seen=last, hint=_HINT) from None
    return facts
