"""Recordings opened, cases investigated, captures analysed."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from html import escape
from pathlib import Path

from IPython.display import HTML, clear_output, display

from labkit import pipeline
from labkit.cases import target_of
from labkit.drive.options import RecordOptions
from labkit.errors import NotACapture
from labkit.findings.model import Findings
from labkit.investigation import record_until_clear
from labkit.store.bundle import unpack
from labkit.store.capture import Capture
from labkit.views.names import shown

DATA = Path(__file__).resolve().parents[2] / "data"
_PREFIX = "labkit-notebook-"
_JUST_MADE_S = 60
_held: list[int] = []


def open_recorded(name: str) -> Capture:
    """Open a recording that comes with the repository; raises NotACapture when there is none of that name."""
    file = DATA / f"{name}.capture"
    if not file.is_file():
        there = ", ".join(sorted(path.stem for path in DATA.glob("*.capture")))
        raise NotACapture(
            f"There is no recording {name!r}.", seen=f"there are: {there}", hint="data/remake.py makes them"
        )
    return unpack(file, scratch() / "capture")


def investigate(target: str, options: RecordOptions | None = None) -> Findings:
    """Record a target under a server of its own, and analyse what was recorded."""
    return analyse(record(target, options))


def record(target: str, options: RecordOptions | None = None) -> Capture:
    """Run a target under its load, with a server of its own and a progress bar: a case, or a load file."""
    command = f"labkit investigate {target}"
    aimed = target_of(target)
    chosen = options or RecordOptions.for_serving(aimed.serve)
    return record_until_clear(aimed, chosen, scratch() / "capture", command, True, lambda _: None)


def analyse(capture: Capture) -> Findings:
    """Analyse a capture, saying what is being done meanwhile."""
    findings = pipeline.analyse(capture, said)
    clear_output(wait=True)
    return findings


def scratch() -> Path:
    """A folder that goes with the kernel; what a killed kernel left behind goes with the next one's first."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if not _held:
        _sweep(folder.parent)
    _held.append(_lock(folder))
    return folder


def _lock(folder: Path) -> int:
    """A lock that ends with this process, however it ends; OSError when another has it."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        raise
    return held


def _sweep(parent: Path) -> None:
    """Remove folders of kernels that have ended; one just made may not be locked yet, and is left alone."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > _JUST_MADE_S:
                held = _lock(folder)
                shutil.rmtree(folder, ignore_errors=True)
                os.close(held)


def said(line: str) -> None:
    """Show what is being done, in place of what was shown before."""
    clear_output(wait=True)
    display(HTML(f"<em>{escape(shown(line))} …</em>"))
