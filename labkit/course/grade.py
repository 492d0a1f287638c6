"""A learner's working copy, graded by measurement: it serves its users as before, and what grew grows no more."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from labkit import pipeline
from labkit.cases import Case, Target
from labkit.course.exercise import Exercise
from labkit.course.talk import files_per_round, first_fault
from labkit.course.treatments import new_treatments
from labkit.drive.options import RecordOptions
from labkit.errors import AnalysisError, CaptureError, WorkerDied
from labkit.findings.model import Findings
from labkit.investigation import record_until_clear

#: While the answer is open it may take so long.
BUDGET_S = 20.0
#: So many of the answers under load may be others than expected: a visitor can come a moment too early.
_TURNED_AWAY_SHARE = 0.01
_RESTART = "A restart is no cure: the next worker grows as the last did."
_REFUSES = "A limit that turns users away makes the curve flat, and the service useless."
_OPEN = "What is cured is flat at once; what has a bound, as soon as it is full."


@dataclass(frozen=True)
class Grade:
    """Passed, or refused for ``reason``; ``lesson`` is what to learn from it; ``findings`` if it was measured."""

    passed: bool
    reason: str
    lesson: str = ""
    findings: Findings | None = None


def grade(exercise: Exercise, app_file: Path) -> Grade:
    """Serve ``app_file``, talk to it as its users do, then investigate it. A learner's mistake is a grade, no error."""
    return grade_copy(exercise.case, app_file, f"{exercise.name}: your copy")


def grade_copy(case: Case, app_file: Path, label: str) -> Grade:
    """The same of what somebody made of a case's ``leaky.py``."""
    source = app_file.read_text(encoding="utf-8", errors="replace")
    original = case.app_file("leaky").read_text(encoding="utf-8")
    try:
        treated = new_treatments(source, original)
    except SyntaxError as fault:
        return Grade(False, f"The app cannot be read: {fault.msg}, line {fault.lineno}.")
    target = Target(label=label, app_file=app_file, load=case.load, serve=case.serve)
    served = RecordOptions.for_serving(case.serve)
    try:
        otherwise = first_fault(target, served, case.folder)
        if otherwise:
            return Grade(False, f"It does not do its work as before: {otherwise}.", "A cure keeps what users rely on.")
        found = _measured(target)
        files = 0 if found.verdict == "suspect" else files_per_round(target, served, case.folder)
    except WorkerDied as error:
        return Grade(False, f"{error.what} {error.seen}", _RESTART)
    except (CaptureError, AnalysisError) as error:
        return Grade(False, " ".join(part for part in (error.what, error.seen) if part))
    return _judged(found, case, treated, files)


def _judged(found: Findings, case: Case, treated: list[str], files: int) -> Grade:
    if found.verdict == "suspect":
        first = found.suspects[0]
        return Grade(False, f"It still grows: {_sentence(first.why)}", _lesson(first.retainer, case, treated), found)
    if otherwise := _unexpected(found):
        return Grade(False, f"It does not do its work as before: {otherwise}.", _REFUSES, found)
    if files:
        reason = f"The disk grows: each round of what its users do leaves {files} more files in the temporary folder."
        return Grade(False, reason, "What is no longer open is not gone: somebody has to remove it.", found)
    if treated:
        return Grade(False, f"It is a treatment, no cure: {treated[0]}.", "", found)
    if found.verdict == "inconclusive":
        missing = found.missing[0] if found.missing else "the measurement did not settle it"
        return Grade(False, f"Not proven: {_sentence(missing)}", _OPEN, found)
    return Grade(True, "It serves its users as before, and nothing grows any more.", "", found)


def _unexpected(found: Findings) -> str:
    """The answer under load that is most often not as it must be, in words; empty where all are."""
    statuses = found.provenance.statuses
    counts = {key: count for key, count in statuses.items() if " " in key}
    if sum(counts.values()) < _TURNED_AWAY_SHARE * sum(statuses.values()) or not counts:
        return ""
    most = max(counts, key=lambda key: counts[key])
    status, _, request = most.partition(" ")
    return f"under load {request} is answered with {status}, {counts[most]:,} times"


def _lesson(retainer: str, case: Case, treated: list[str]) -> str:
    if treated:
        return f"{treated[0]}."
    before = {name.partition(".")[2] or name for name in (case.truth.retainer, *case.truth.also_accept)}
    if (retainer.partition(".")[2] or retainer) in before:
        return "The same holder lets nothing go. A larger limit only takes longer to reach."
    return f"What grew was moved, not cured: now {retainer} holds it."


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _measured(target: Target) -> Findings:
    with tempfile.TemporaryDirectory(prefix="labkit-") as folder:
        options = RecordOptions.for_serving(target.serve, allocation_pass=False, budget_s=BUDGET_S)
        capture = record_until_clear(target, options, Path(folder) / "capture", "check", True, lambda _: None)
        return pipeline.analyse(capture)
