"""The set-up script in copies of the repository: from nothing, again, interrupted, and in every bad place."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
NEEDED = ("workbook", "pyproject.toml", "uv.lock", "README.md", "labkit", "sample_apps")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what set-up needs, in a folder with a space in its name."""
    folder = tmp_path / "a copy"
    folder.mkdir()
    return fill(folder)


def fill(folder: Path) -> Path:
    for name in NEEDED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    return folder


def run(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "LABKIT_PYTHON")}
    command = [folder / "workbook", *words]
    return subprocess.run(
        command, cwd=folder.parent, env=environment | variables, capture_output=True, text=True, timeout=280
    )


def refused(done: subprocess.CompletedProcess[str], what: str, seen: str, hint: str) -> None:
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith("workbook: ")]
    assert len(lines) == 3, done.stderr
    assert lines[0] == f"error: {what}"
    assert lines[1].startswith("  seen: ")
    assert seen in lines[1]
    assert lines[2].startswith("  try:  ")
    assert hint in lines[2]


def test_from_nothing_interrupted_and_again(copy: Path, tmp_path: Path) -> None:
    command = [copy / "workbook", "cases"]
    with subprocess.Popen(
        command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
    ) as first:
        while not (copy / ".boot" / "bin" / "python").exists():
            assert first.poll() is None
            time.sleep(0.02)
        os.killpg(first.pid, signal.SIGKILL)
    assert not (copy / ".venv" / ".ready").exists()

    second = run(copy, "cases")
    assert second.returncode == 0, second.stderr
    assert "making a small environment" in second.stderr
    assert "installing the packages" in second.stderr
    assert "session_cache" in second.stdout

    third = run(copy, "cases")
    assert (third.returncode, third.stderr, third.stdout) == (0, "", second.stdout)

    link = tmp_path / "link"
    link.symlink_to(copy / "workbook")
    fourth = subprocess.run([link, "cases"], cwd="/", capture_output=True, text=True, timeout=60)
    assert fourth.stdout == second.stdout

    (copy / ".venv" / "bin" / "python").unlink()
    (copy / ".venv" / ".ready").write_text("made from something else\n")
    half_made = run(copy, "cases")
    assert (half_made.returncode, half_made.stdout) == (0, second.stdout)
    assert "making a small environment" not in half_made.stderr
    assert "installing the packages" in half_made.stderr


def test_two_at_a_time(copy: Path) -> None:
    command = [copy / "workbook", "cases"]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    outcomes = [one.communicate(timeout=280) for one in runs]
    assert [one.returncode for one in runs] == [0, 0], outcomes
    assert sum("installing the packages" in err for _, err in outcomes) == 1


def test_help_needs_no_set_up(copy: Path) -> None:
    for words in ((), ("help",), ("--help",)):
        done = run(copy, *words)
        assert done.returncode == 0
        assert "./workbook demo" in done.stdout
    assert not (copy / ".boot").exists()


def stub(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def path_without_python(tmp_path: Path) -> Path:
    """A folder with the few tools the script uses, and no interpreter."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in (
        "sh",
        "dirname",
        "readlink",
        "cksum",
        "cut",
        "tr",
        "cat",
        "grep",
        "touch",
        "id",
        "flock",
        "rm",
        "sed",
        "tail",
        "env",
        "mkdir",
    ):
        (tools / name).symlink_to(shutil.which(name) or name)
    return tools


def test_no_python(copy: Path, tmp_path: Path) -> None:
    done = run(copy, "cases", PATH=str(path_without_python(tmp_path)))
    refused(done, "Python 3.11 to 3.13 is needed.", "no python3 on the PATH", "install Python 3.11, 3.12 or 3.13")


def test_python_too_old(copy: Path, tmp_path: Path) -> None:
    tools = path_without_python(tmp_path)
    old = '#!/bin/sh\ncase "$2" in *sys.exit*) exit 1;; *) echo 3.8;; esac\n'
    stub(tools, "python3", old)
    done = run(copy, "cases", PATH=str(tools))
    refused(done, "Python 3.11 to 3.13 is needed.", "python3 is 3.8", "LABKIT_PYTHON")


def test_labkit_python_is_no_python(copy: Path) -> None:
    done = run(copy, "cases", LABKIT_PYTHON="/nowhere/python")
    refused(done, "LABKIT_PYTHON cannot be used: Python 3.11 to 3.13 is needed.", "/nowhere/python", "LABKIT_PYTHON=")


def test_python_without_venv(copy: Path, tmp_path: Path) -> None:
    """As on a Debian without python3-venv, where ensurepip is missing."""
    real = shutil.which("python3")
    hidden = "import sys; sys.modules['ensurepip'] = None"
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(hidden)
    stub(tmp_path / "bin", "python3", f'#!/bin/sh\nPYTHONPATH={tmp_path / "site"} exec {real} "$@"\n')
    done = run(copy, "cases", LABKIT_PYTHON=str(tmp_path / "bin" / "python3"))
    refused(
        done, "Python's venv module is not complete.", "cannot import venv and ensurepip", "apt install python3-venv"
    )


def test_no_network(copy: Path, tmp_path: Path) -> None:
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    done = run(copy, "cases", PIP_NO_CACHE_DIR="1", PIP_FIND_LINKS="", **nowhere)
    refused(done, "uv could not be installed.", "uv==", "check the network or the proxy")


def test_a_folder_one_may_not_write_to(tmp_path: Path) -> None:
    if os.getuid() != 0:
        folder = fill(tmp_path)
        folder.chmod(0o555)
        done = run(folder, "cases")
        folder.chmod(0o755)
    else:
        folder = Path("/tmp") / f"labkit-readonly-{os.getpid()}"
        folder.mkdir(mode=0o755)
        try:
            fill(folder)
            command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", folder / "workbook", "cases"]
            done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=60)
        finally:
            shutil.rmtree(folder)
    refused(done, "The folder cannot be written to.", "is read-only for", "a folder of your own")
