"""Build the compiled walker for the interpreter that runs the app, once per interpreter and source.

It takes a C compiler and the interpreter's header files. Where either is missing, captures are taken
all the same, by the walker in plain Python. Built files are kept in ``$XDG_CACHE_HOME/labkit``.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from labkit.agent import AGENT_DIR

SOURCES = Path(AGENT_DIR) / "native"
FLAGS = ("-O2", "-shared", "-fPIC", "-fvisibility=hidden")
_ASK = """
import json, sys, sysconfig
print(json.dumps([sysconfig.get_path("include"), sysconfig.get_path("platinclude"), sys.version,
                  sysconfig.get_config_var("SOABI"), sys.implementation.name]))
"""


def build_walker(python: str, folder: Path | None = None) -> tuple[Path | None, str]:
    """The extension module for ``python`` in ``folder``, built if need be; or None and the reason."""
    try:
        return _build(python, folder or _cache_folder())
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return None, f"the compiled walker cannot be built: {error}"


def _build(python: str, folder: Path) -> tuple[Path | None, str]:
    asked = subprocess.run([python, "-I", "-c", _ASK], capture_output=True, text=True, timeout=60, check=True)
    include, platform_include, version, abi, name = json.loads(asked.stdout)
    sources = sorted(SOURCES.glob("*.c"))
    parts = [path.read_bytes() for path in (*sources, *sorted(SOURCES.glob("*.h")))]
    key = hashlib.sha256(b"\0".join([*parts, f"{version} {include} {FLAGS}".encode()])).hexdigest()[:16]
    built = folder / f"_walker-{key}.{abi}.so"
    if built.is_file():
        return built, ""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if name != "cpython" or compiler is None:
        return None, "there is no C compiler" if compiler is None else f"{name} is no CPython"
    if not (Path(include) / "internal/pycore_frame.h").is_file():
        return None, f"{include} has no header files of the interpreter"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        made = Path(place) / built.name
        places = [f"-I{each}" for each in dict.fromkeys((include, platform_include))]
        command = [compiler, *FLAGS, *places, "-o", str(made), *map(str, sources)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            wrong = [line for line in done.stderr.splitlines() if "error" in line] or [f"{compiler} failed"]
            return None, wrong[0]
        made.replace(built)
    return built, ""


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "labkit"
