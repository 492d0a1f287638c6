"""The order of calls from a capture to findings, on one page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from labkit.findings.conclude import conclude
from labkit.findings.evidence import gather
from labkit.findings.model import Findings
from labkit.findings.survey import survey_capture, survey_snapshots
from labkit.store.capture import Capture, open_capture


def analyse(capture: Capture | Path, report: Callable[[str], None] = lambda _: None) -> Findings:
    """Read a capture and say what grows in it, what holds it, and why we think so.

    ``report`` is called with one line per step. Raises StoreError for damaged files and AnalysisError
    when there are too few snapshots. A capture of one snapshot with recordings beside it is surveyed, without verdict.
    """
    opened = capture if isinstance(capture, Capture) else open_capture(capture)
    if opened.recordings and len({entry.rung for entry in opened.snapshots}) == 1:
        return survey_capture(opened, report)
    evidence = gather(opened, report)
    report("weighing the evidence")
    return conclude(evidence)


def survey(paths: list[Path], report: Callable[[str], None] = lambda _: None) -> Findings:
    """Look at snapshots that come without a load: what is large and what holds it, but no verdict.

    Sizes are no growth, so the verdict is ``inconclusive`` and says which measurement is missing.
    """
    return survey_snapshots(paths, report)
