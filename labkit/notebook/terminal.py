"""Commands as a learner would type them, their output as they would see it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from html import escape
from pathlib import Path

from IPython.display import HTML

from labkit.views.course import terminal_card

REPOSITORY = Path(__file__).resolve().parents[2]
_LIMIT_S = 300


def terminal(words: str) -> HTML:
    """Run ``labkit check ...`` or ``pytest ...`` from the repository's folder; the output, and how it ended."""
    command, *more = shlex.split(words)
    module = {"labkit": "labkit", "pytest": "pytest"}[command]
    quiet = ["-q", "--no-header", "-p", "no:cacheprovider"] if module == "pytest" else []
    done = subprocess.run(
        [sys.executable, "-m", module, *more, *quiet],
        cwd=REPOSITORY,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "100", "PYTEST_ADDOPTS": ""},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    return HTML(terminal_card(words, done.stdout.rstrip(), done.returncode))


def source(file: str) -> HTML:
    """A file of the repository, to be read."""
    text = (REPOSITORY / file).read_text(encoding="utf-8")
    return HTML(f'<pre aria-label="{escape(file)}">{escape(text)}</pre>')
