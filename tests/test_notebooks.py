"""Every notebook, top to bottom, in a kernel of its own; what it teaches is what its cells show."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

REPOSITORY = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))


def executed(path: Path, **replaced: str) -> str:
    """Run a notebook and return all its outputs as one text."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        for old, new in replaced.items():
            cell.source = cell.source.replace(f"{old} = False", f"{old} = {new}")
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=240, resources=resources).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    return "\n".join(str(output.get("data", output.get("text", ""))) for output in outputs)


#: What a learner must see, by notebook; a new notebook belongs here.
TEACHES = {
    "00_start_here.ipynb": ("leaky.SESSIONS", "leaky.Session", "session_cache:fixed"),
    "01_is_it_growing.ipynb": (
        "leaky.Region",
        "leaky.Session",
        "plateau",
        "linear",
        "step",
        "saturating",
        "too few snapshots",
    ),
}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_runs_and_shows_what_it_teaches(path: Path) -> None:
    shown = executed(path, LIVE="True")
    for words in TEACHES[path.name]:
        assert words in shown
