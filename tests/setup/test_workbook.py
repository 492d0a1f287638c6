"""The set-up script from nothing: cut short, two at once, again, moved, and what it then runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from copies import ENVIRONMENT, fill, refused, run
from jupyter_client.blocking import BlockingKernelClient

FIRST = "workbook: making a small environment for uv"
SECOND = "workbook: installing the packages of uv.lock into .venv"
UPDATE = "workbook: bringing .venv up to date with uv.lock\n"
REMOVED = "workbook: removing .venv: it is half-made, or was made for another place or Python"


def started(folder: Path, *words: str, **variables: str) -> subprocess.Popen[str]:
    """Start the copy's ``./workbook`` as the leader of its own process group."""
    return subprocess.Popen(
        [folder / "workbook", *words],
        env=ENVIRONMENT | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def cut_short(process: subprocess.Popen[str], when: Callable[[], bool], by: signal.Signals) -> tuple[str, str]:
    """Send the signal to the whole group as soon as the condition holds; what it had said."""
    while not when():
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)
    os.killpg(process.pid, by)
    return process.communicate(timeout=60)


@dataclass(frozen=True)
class FromNothing:
    """One copy that was set up from nothing, and what happened on the way."""

    folder: Path
    stamped_after_kill: bool
    two: list[tuple[int, str, str]]

    @property
    def stamp(self) -> Path:
        return self.folder / ".venv" / ".ready"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FromNothing]:
    """The one full set-up of these tests: killed early on, then started twice at the same moment; large, so removed."""
    folder = fill(tmp_path_factory.mktemp("set up") / "a copy")
    cut_short(started(folder, "cases"), (folder / ".boot" / "bin" / "python").exists, signal.SIGKILL)
    stamped = (folder / ".boot" / ".ready").exists()
    both = [started(folder, "cases") for _ in range(2)]
    said = [one.communicate(timeout=280) for one in both]
    yield FromNothing(folder, stamped, [(one.returncode, *text) for one, text in zip(both, said, strict=True)])
    shutil.rmtree(folder.parent)


def test_two_at_once_after_a_kill_make_one_environment(made: FromNothing) -> None:
    assert not made.stamped_after_kill
    assert [status for status, _, _ in made.two] == [0, 0], made.two
    assert made.two[0][1] == made.two[1][1]
    assert "session_cache" in made.two[0][1]
    told = [err for _, _, err in made.two]
    for line in (FIRST, SECOND):
        assert sum(err.count(line) for err in told) == 1, told
    assert [err for err in told if SECOND not in err] == ["workbook: waiting for another set-up to finish\n"]


def test_again_it_is_quiet_from_anywhere_whatever_is_set(made: FromNothing, tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('taken from PYTHONPATH')\n")
    (tmp_path / "link").symlink_to(made.folder / "workbook")
    hostile = {
        "PYTHONPATH": str(tmp_path),
        "PYTHONHOME": "/nowhere",
        "VIRTUAL_ENV": "/nowhere",
        "UV_PYTHON": "3.8",
        "UV_PROJECT_ENVIRONMENT": str(tmp_path / "elsewhere"),
        "UV_NO_DEV": "1",
        "PIP_USER": "1",
    }
    done = subprocess.run(
        [tmp_path / "link", "cases"], cwd="/", env=ENVIRONMENT | hostile, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", made.two[0][1])

    shutil.rmtree(made.folder / ".venv")
    done = run(made.folder, "cases", **hostile)
    assert (done.returncode, done.stdout) == (0, made.two[0][1]), done.stderr
    assert (made.folder / ".venv" / "bin" / "pytest").exists()
    assert not (tmp_path / "elsewhere").exists()


def test_without_a_compiler_the_plain_loops_are_used(made: FromNothing, tmp_path: Path) -> None:
    (made.folder / "setup.py").write_text((made.folder / "setup.py").read_text() + "# changed\n")
    for library in (made.folder / "labkit" / "heap").glob("*.so"):
        library.unlink()
    done = run(made.folder, "cases", CC=str(tmp_path / "no-compiler"))
    assert (done.returncode, "session_cache" in done.stdout) == (0, True), done.stderr
    asked = "from labkit.heap import kernels; print(kernels.compiled, kernels.loops.__name__)"
    python = made.folder / ".venv" / "bin" / "python"
    told = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True, cwd=made.folder)
    assert told.stdout.split() == ["None", "labkit.heap.plain"]


def test_a_changed_lock_file_is_followed(made: FromNothing) -> None:
    lock = made.folder / "uv.lock"
    lock.write_text(lock.read_text() + "\n")
    assert run(made.folder, "--version").stderr == UPDATE
    assert run(made.folder, "--version").stderr == ""


def test_killed_while_packages_go_in(made: FromNothing) -> None:
    """What is only partly there is not trusted: uv takes a package for installed that has half of its files."""
    shutil.rmtree(made.folder / ".venv")
    site = made.folder / ".venv" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    cut_short(started(made.folder, "cases"), lambda: site.is_dir() and len([*site.iterdir()]) > 20, signal.SIGKILL)
    assert not made.stamp.exists()
    done = run(made.folder, "cases")
    assert (done.returncode, done.stdout) == (0, made.two[0][1])
    assert REMOVED in done.stderr
    assert SECOND in done.stderr
    assert FIRST not in done.stderr
    imports = "import memray, pandas, playwright, pytest"
    subprocess.run([made.folder / ".venv" / "bin" / "python", "-c", imports], check=True, timeout=120)


def test_ctrl_c_is_told(made: FromNothing) -> None:
    made.stamp.unlink()
    process = started(made.folder, "cases")
    _, err = cut_short(process, lambda: not (made.folder / ".venv" / "bin" / "labkit").exists(), signal.SIGINT)
    assert process.returncode == 130
    assert err.endswith("workbook: interrupted; run it again, what is done already is kept\n")
    assert run(made.folder, "cases").stdout == made.two[0][1]


@pytest.mark.parametrize("harm", ["python is gone", "moved"])
def test_an_environment_that_cannot_work_is_made_again(made: FromNothing, harm: str) -> None:
    folder, bin_folder = made.folder, made.folder / ".venv" / "bin"
    if harm == "python is gone":
        (bin_folder / "python").unlink()
        (bin_folder / "python").symlink_to("/nowhere/python")
    else:
        folder = made.folder.rename(made.folder.with_name("moved"))
    done = run(folder, "cases")
    assert (done.returncode, done.stdout) == (0, made.two[0][1]), done.stderr
    assert REMOVED in done.stderr
    subprocess.run([folder / ".venv" / "bin" / "ruff", "--version"], check=True, capture_output=True, timeout=60)
    subprocess.run([folder / ".venv" / "bin" / "pytest", "--version"], check=True, capture_output=True, timeout=60)
    if folder != made.folder:
        folder.rename(made.folder)
        assert run(made.folder, "--version").returncode == 0


def test_no_network_for_the_packages(made: FromNothing, tmp_path: Path) -> None:
    shutil.rmtree(made.folder / ".venv")
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "UV_HTTP_RETRIES": "0"}
    done = run(made.folder, "cases", UV_CACHE_DIR=str(tmp_path / "empty"), **nowhere)
    refused(done, "The packages could not be installed.", "refused", "check the network or the proxy")
    assert run(made.folder, "cases").stdout == made.two[0][1]


def test_words_and_variables_reach_labkit(made: FromNothing) -> None:
    """With a stand-in for labkit's own main, which prints what it was given."""
    main = made.folder / "labkit" / "__main__.py"
    original = main.read_text()
    main.write_text(
        "import json, os, sys\nprint(json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]))\nsys.exit(3)\n"
    )
    try:
        words = ["investigate", "--body", '{"a": "two words"}', "", "*"]
        done = run(made.folder, *words, PYTHONPATH="src", PYTHONDONTWRITEBYTECODE="1")
    finally:
        main.write_text(original)
    assert done.returncode == 3
    given, environment, current = json.loads(done.stdout)
    assert given == words
    assert current == str(made.folder.parent)
    assert environment["PYTHONPATH"] == "src"
    assert "PYTHONDONTWRITEBYTECODE" not in environment
    assert environment["PATH"].startswith(str(made.folder / ".venv" / "bin") + ":")


def test_test_runs_pytest_and_its_status_counts(made: FromNothing) -> None:
    done = run(made.folder, "test", "tests/setup/test_environment_yml.py", "-k", "agrees")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^=+ 1 passed.* in ", done.stdout, re.MULTILINE)
    none = run(made.folder, "test", "tests/setup/test_environment_yml.py", "-k", "no_such_test")
    assert none.returncode == 5


def test_ci_fails_when_no_test_ran(made: FromNothing) -> None:
    only = {"PYTEST_ADDOPTS": "--ignore-glob=*test_*"}
    command = ["bash", ".ci/run"]
    done = subprocess.run(command, cwd=made.folder, env=ENVIRONMENT | only, capture_output=True, text=True, timeout=280)
    assert done.returncode == 5, done.stdout + done.stderr
    assert "no tests ran" in done.stdout


@contextmanager
def lab(folder: Path, runtime: Path) -> Iterator[tuple[str, str]]:
    """JupyterLab as the script starts it, opened at the first notebook: its address and its token."""
    log = folder.parent / "lab.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [folder / "workbook", "lab", "--no-browser", "--ServerApp.port=0"],
            env=ENVIRONMENT | {"HOME": str(folder.parent), "JUPYTER_RUNTIME_DIR": str(runtime)},
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            pattern = re.compile(r"(http://127\.0\.0\.1:\d+)/lab/tree/notebooks/00_start_here\.ipynb\?token=(\w+)")
            deadline = time.monotonic() + 120
            while not (found := pattern.search(log.read_text())):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            yield found[1], found[2]
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=60)


def test_lab_opens_the_first_notebook(made: FromNothing) -> None:
    """A kernel of the environment answers over a local socket, and nobody is asked about news."""

    def ask(path: str, body: bytes | None = None) -> dict[str, Any]:
        request = urllib.request.Request(address + path, body, {"Authorization": f"token {token}"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return json.load(answer)

    with tempfile.TemporaryDirectory(prefix="labkit-") as name, lab(made.folder, Path(name)) as (address, token):
        assert ask("/api/contents/notebooks/00_start_here.ipynb")["type"] == "notebook"
        settings = ask("/lab/api/settings/@jupyterlab/apputils-extension:notification")
        assert settings["schema"]["properties"]["fetchNews"]["default"] == "false"

        kernel = ask("/api/kernels", b"{}")["id"]
        client = BlockingKernelClient(connection_file=str(Path(name) / f"kernel-{kernel}.json"))
        client.load_connection_file()
        assert client.transport == "ipc"
        client.start_channels()
        said: list[dict[str, Any]] = []
        client.wait_for_ready(timeout=120)
        client.execute_interactive("import sys; print(sys.prefix)", output_hook=said.append, timeout=60)
        client.stop_channels()
    texts = [one["content"]["text"] for one in said if one["msg_type"] == "stream"]
    assert texts == [f"{made.folder / '.venv'}\n"]
