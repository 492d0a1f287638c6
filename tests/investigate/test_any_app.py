"""Somebody else's app: the same leaks under other names, elsewhere, in an interpreter without labkit."""

from __future__ import annotations

import ast
import importlib.metadata
import io
import re
import shutil
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

from labkit.cases import Case, load_case

from .conftest import REPOSITORY, Labkit

#: A dict, kept exceptions, descriptors, a cache of a method: the others say nothing new here.
LEAKY = [load_case(name) for name in ("error_tracebacks", "lru_cache_on_method", "open_files", "session_cache")]


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with falcon and gunicorn and nothing else, above all no labkit."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    uv = shutil.which("uv") or str(REPOSITORY / ".boot" / "bin" / "uv")
    wanted = [f"{name}=={importlib.metadata.version(name)}" for name in ("falcon", "gunicorn")]
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    python = folder / "bin" / "python"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", str(python), *wanted], check=True)
    for absent in ("labkit", "numpy", "psutil"):
        assert subprocess.run([python, "-c", f"import {absent}"], capture_output=True, cwd=folder).returncode != 0
    return python


@pytest.mark.parametrize(
    ("case", "worker_class"),
    # one case under gthread is enough here; the driver's own tests cover the rest
    [*((case, "sync") for case in LEAKY), (LEAKY[0], "gthread")],
    ids=lambda given: given.name if isinstance(given, Case) else given,
)
def test_found_in_a_renamed_copy(
    case: Case, worker_class: str, bare_python: Path, tmp_path: Path, labkit: Labkit
) -> None:
    source, names = renamed((case.folder / "leaky.py").read_text())
    app = tmp_path / "orderdesk" / "backend.py"
    app.parent.mkdir()
    app.write_text(source)
    load = case.load
    options = ["--app", f"{app}:app", "--python", str(bare_python), "--worker-class", worker_class, "--json"]
    for step in load.steps:
        options += ["--request", step.request]
        if not step.request.startswith(("GET ", "DELETE ")):
            options += ["--body", step.body]
    kinds = {value for step in load.steps for name, value in step.headers.items() if name == "Content-Type"}
    options += [word for kind in kinds for word in ("--header", f"Content-Type: {kind}")]
    for status in load.expect_statuses:
        options += ["--allow-status", str(status)]
    outcome = labkit("investigate", *options, "--requests", str(load.requests_per_rung))
    found = outcome.findings
    assert found["verdict"] == "suspect", found
    assert outcome.status == 1
    assert found["suspects"][0]["retainer"] == translated(case.truth.retainer, names)
    assert found["suspects"][0]["grows"]["type"] == translated(case.truth.grows_type, names)
    assert found["suspects"][0]["allocation_site"]["file"] == "backend.py"
    assert sorted(path.name for path in app.parent.iterdir()) == ["backend.py"]


def renamed(source: str) -> tuple[str, dict[str, str]]:
    """The same program with other names for its module-level names and its private attributes."""
    tree = ast.parse(source)
    names = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names[node.name] = f"{node.name}Q" if isinstance(node, ast.ClassDef) else f"{node.name}_q"
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update({t.id: f"{t.id}_KEPT" for t in targets if isinstance(t, ast.Name) and t.id != "app"})
    names.update({name: f"_own{name}" for name in set(re.findall(r"self\.(_[a-z_]+)", source))})
    methods = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    names.update({name: f"{name}_z" for name in methods if not name.startswith(("on_", "__", "process_"))})
    out = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        text = names.get(token.string, token.string) if token.type == tokenize.NAME else token.string
        out.append((token.type, text))
    return re.sub(r"# leak: \w+", "", tokenize.untokenize(out)), names


def translated(dotted: str, names: dict[str, str]) -> str:
    """A dotted name of the case as it reads in the renamed copy."""
    parts = dotted.split(".")
    if parts[0] == "leaky":
        return ".".join(["backend", *(names.get(part, part) for part in parts[1:])])
    return dotted
