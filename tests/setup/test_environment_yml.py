"""Conda users get the same packages with the same bounds."""

from __future__ import annotations

import tomllib
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
PROMISED = {"jupyterlab", "falcon", "objgraph", "guppy3", "memray", "pandas", "matplotlib"}


def test_it_agrees_with_pyproject() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    conda = yaml.safe_load((REPOSITORY / "environment.yml").read_text())["dependencies"]
    pip = conda[-1]["pip"]
    assert conda[:2] == [f"python{project['requires-python']}", "pip"]
    assert pip[-1] == "-e ."
    assert set(pip[:-1]) <= set(project["dependencies"])
    assert {line.partition(">")[0] for line in pip[:-1]} == PROMISED
