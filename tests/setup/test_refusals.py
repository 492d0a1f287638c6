"""Every bad place the set-up script can be started in, each with its own three lines."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from copies import ENVIRONMENT, fill, refused, run

RANGE = "Python 3.11 to 3.13 is needed."
TOOLS = "sh dirname readlink cksum cut tr cat grep id rm sed tail mkdir uname"
REAL_PYTHON = getattr(sys, "_base_executable", sys.executable)


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with what the script itself needs, and no interpreter."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in TOOLS.split():
        (folder / name).symlink_to(str(shutil.which(name)))
    return folder


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def altered_python(path: Path, at_start: str) -> Path:
    """The real interpreter, which runs a line before anything else."""
    folder = path.parent / f"{path.name}-start"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(f"import sys\nsys.executable = {str(path)!r}\n{at_start}\n")
    return script(path, f"PYTHONPATH='{folder}' exec '{REAL_PYTHON}' \"$@\"")


def nothing_was_made(folder: Path) -> bool:
    return not [name for name in (".boot", ".venv") if (folder / name).exists()]


def test_no_python(copy: Path, tools: Path) -> None:
    done = run(copy, "cases", PATH=str(tools))
    refused(done, RANGE, "no python3 on the PATH", "install one of them, or set LABKIT_PYTHON")
    assert nothing_was_made(copy)


@pytest.mark.parametrize("version", ["(2, 7)", "(3, 10)", "(3, 14)"])
def test_python_of_another_age(copy: Path, tools: Path, version: str) -> None:
    altered_python(tools / "python3", f"sys.version_info = {version}")
    done = run(copy, "cases", PATH=str(tools))
    seen = version.strip("()").replace(", ", ".")
    refused(done, RANGE, f"python3 is {seen} cpython {tools}/python3", "set LABKIT_PYTHON to its path")
    assert nothing_was_made(copy)


def test_another_kind_of_python(copy: Path, tools: Path) -> None:
    altered_python(tools / "python3", "sys.implementation.name = 'pypy'")
    done = run(copy, "cases", PATH=str(tools))
    refused(done, RANGE, f"python3 is {sys.version_info[0]}.{sys.version_info[1]} pypy", "set LABKIT_PYTHON")


def test_a_python_that_does_not_start(copy: Path, tools: Path) -> None:
    script(tools / "python3", "exit 127")
    done = run(copy, "cases", PATH=str(tools))
    refused(done, RANGE, "python3 is broken", "set LABKIT_PYTHON")


def test_labkit_python_is_no_python(copy: Path) -> None:
    done = run(copy, "cases", LABKIT_PYTHON="/nowhere/python")
    refused(
        done,
        f"LABKIT_PYTHON cannot be used: {RANGE}",
        "/nowhere/python is no working interpreter",
        "LABKIT_PYTHON=/path/to/python3.12 ./workbook cases",
    )


def test_python_without_venv(copy: Path, tools: Path) -> None:
    """As on a Debian without python3-venv. Here python3 is too old as well, so the next name is taken."""
    altered_python(tools / "python3", "sys.version_info = (3, 9)")
    altered_python(tools / "python3.12", "sys.modules['ensurepip'] = None")
    done = run(copy, "cases", PATH=str(tools))
    refused(
        done,
        "This Python cannot make virtual environments.",
        f"{tools}/python3.12 cannot import venv and ensurepip",
        "apt install python3-venv",
    )
    assert nothing_was_made(copy)


def test_not_linux(copy: Path, tools: Path) -> None:
    (tools / "uname").unlink()
    script(tools / "uname", "echo Darwin")
    done = run(copy, "cases", PATH=f"{tools}:{ENVIRONMENT['PATH']}")
    refused(done, "labkit runs on Linux only.", "this is Darwin", "a Linux machine")


def test_no_network(copy: Path) -> None:
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1", "PIP_NO_CACHE_DIR": "1"}
    done = run(copy, "cases", PIP_CONFIG_FILE=os.devnull, PIP_FIND_LINKS="", **nowhere)
    refused(
        done, "uv could not be installed.", "Connection refused", "check the network or the proxy, then run this again"
    )
    assert not (copy / ".boot" / ".ready").exists()


def test_a_full_disk(copy: Path, tmp_path: Path) -> None:
    """On a real file system of 40 MB, mounted where only this run sees it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    steps = (
        'mount -t tmpfs -o size=40m none "$1"',
        'cp "$2"/*.toml "$2/uv.lock" "$2/workbook" "$1"',
        '"$1/workbook" cases',
    )
    rights = () if os.getuid() == 0 else ("--map-root-user",)
    command = ["unshare", *rights, "--mount", "sh", "-c", " && ".join(steps), "sh", disk, copy]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=280)
    refused(done, "uv could not be installed.", "No space left", "make room: about 800 MB")


def test_a_folder_one_may_not_write_to() -> None:
    """Not in pytest's own folder, which another user, as this test needs when root runs it, cannot enter."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as name:
        folder = fill(Path(name))
        folder.chmod(0o555)
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
        command = [*nobody, folder / "workbook", "cases"]
        done = subprocess.run(command, cwd="/", env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
        folder.chmod(0o755)
        refused(done, "The folder cannot be written to.", f"{folder} is read-only for", "to a folder of your own")
