"""What the repository promises about itself: linted, typed, layered, and speaking only of the project."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
CODE = ("labkit", "tests", "sample_apps", "benchmarks", "data")


def tracked(*patterns: str) -> list[Path]:
    """Files of the repository that match, as git knows them."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    done = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    return [path for line in done.stdout.splitlines() if (path := REPOSITORY / line).is_file()]


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", *CODE),
        ("ruff", "format", "--check", *CODE),
        ("mypy",),
        ("lint-imports", "--no-cache"),
        ("nbstripout", "--verify", "--keep-id", *(str(path) for path in NOTEBOOKS)),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_tool_is_content(command: tuple[str, ...]) -> None:
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=REPOSITORY, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(f"{' '.join(command)}\n{done.stdout}{done.stderr}", pytrace=False)


def test_there_are_notebooks() -> None:
    assert {path.name for path in NOTEBOOKS} >= {"00_start_here.ipynb", "01_is_it_growing.ipynb"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_is_short_and_clean(path: Path) -> None:
    notebook = json.loads(path.read_text())
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    sources = ["".join(cell["source"]).splitlines() for cell in cells]
    lines = [[line for line in source if line.strip()] for source in sources]
    assert len(cells) <= 12
    assert sum(map(len, lines)) <= 40
    assert max(map(len, lines)) <= 8
    assert not [line for source in lines for line in source if re.match(r"\s*(def|class)\s", line)]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells)
    assert notebook["metadata"]["kernelspec"]["language"] == "python"


def test_modules_are_small() -> None:
    sizes = {path: len(path.read_text().splitlines()) for path in tracked("labkit/*.py", "labkit/**/*.py")}
    assert {path.name: size for path, size in sizes.items() if size > 400} == {}


def test_there_is_no_room_for_leftovers() -> None:
    assert [path for path in tracked("*.py") if path.stem in ("utils", "util", "helpers", "misc")] == []


def test_labkit_names_no_sample_app() -> None:
    names = [path.parent.name for path in tracked("sample_apps/*/case.toml")]
    assert names
    for path in tracked("labkit/*.py", "labkit/**/*.py"):
        lines = path.read_text().splitlines()
        assert not [name for name in names if any(name in line for line in lines)], path


def test_apps_import_nothing_of_labkit() -> None:
    assert not [path for path in tracked("sample_apps/*.py", "sample_apps/**/*.py") if "labkit" in path.read_text()]


def test_no_path_of_one_machine() -> None:
    """Homes of invented people may appear in test data, nowhere else."""
    everywhere, outside_tests = re.compile(r"/(root|work)/[\w.]+/"), re.compile(r"/(home|Users)/\w+/")
    patterns = ("*.py", "*.md", "*.toml", "*.ipynb", "*.yml", "*.lock", "*.json", "*.sh", "workbook", ".ci/run")
    found = {}
    for path in tracked(*patterns):
        text, name = path.read_text(), str(path.relative_to(REPOSITORY))
        hit = everywhere.search(text) or (not name.startswith("tests/") and outside_tests.search(text))
        if hit:
            found[name] = hit[0]
    assert found == {}


def test_workbook_accepts_the_pythons_of_pyproject() -> None:
    script = (REPOSITORY / "workbook").read_text()
    bounds = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["requires-python"]
    minors = [int(minor) for minor in re.findall(r'"3\.(\d+) cpython "', script)]
    assert bounds == f">=3.{minors[0]},<3.{minors[-1] + 1}"
    assert minors == [*range(minors[0], minors[-1] + 1)]
    assert f'RANGE="3.{minors[0]} to 3.{minors[-1]}"' in script


def test_lock_file_names_public_registries_only() -> None:
    hosts = set(re.findall(r"https?://([^/\"]+)", (REPOSITORY / "uv.lock").read_text()))
    assert hosts == {"pypi.org", "files.pythonhosted.org"}


def test_lock_file_agrees_with_pyproject(tmp_path: Path) -> None:
    """Asked of the pinned uv without network and with an empty cache; ``./workbook`` installed it."""
    uv = REPOSITORY / ".boot" / "bin" / "uv"
    command = [uv, "lock", "--check", "--offline", "--cache-dir", tmp_path]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
