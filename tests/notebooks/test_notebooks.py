"""Every notebook, top to bottom, in a kernel of its own; what it teaches is what its cells show."""

from __future__ import annotations

import html
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

REPOSITORY = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))


def executed(path: Path, **replaced: str) -> str:
    """Run a notebook and return all its outputs as one text, then once more as they read, without tags."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        for old, new in replaced.items():
            cell.source = cell.source.replace(f"{old} = False", f"{old} = {new}")
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=240, resources=resources).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    shown = "\n".join(str(output.get("data", output.get("text", ""))) for output in outputs)
    read = html.unescape(re.sub(r"<[^>]*>|\s|\\n", " ", shown))
    return f"{shown}\n{' '.join(read.split())}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_runs_and_shows_what_it_teaches(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``NAME.txt`` beside this file has a line for each thing that a learner must see."""
    monkeypatch.setenv("LABKIT_WORK", str(tmp_path))
    shown = executed(path, LIVE="True")
    for words in Path(__file__).with_name(f"{path.stem}.txt").read_text(encoding="utf-8").splitlines():
        assert words in shown
