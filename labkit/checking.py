"""Leak tests for builds: a short investigation against limits, for command and pytest; and before against after."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from labkit import pipeline
from labkit.arguments import PROGRAM
from labkit.cases import Load, Target
from labkit.drive.judgement import Judgement
from labkit.drive.options import RecordOptions
from labkit.errors import CaseError, Interrupted
from labkit.findings.compare import compare
from labkit.findings.differences import differences
from labkit.findings.limits import Checked, Limits, check
from labkit.findings.model import Findings
from labkit.investigation import judged, keep, new_folder, record_until_clear
from labkit.store.bundle import opened
from labkit.store.capture import open_capture
from labkit.targets import record_options_from, target_from
from labkit.views.gate import check_text, comparison_text

PASSED, FAILED, INCONCLUSIVE = 0, 1, 3
#: What leaks as much as before, or more, is as bad as a suspect.
COMPARED = {"clean": 0, "fixed": 0, "better": 0, "same": 1, "worse": 1, "unknown": 3}
#: A short run: five rungs are the least that show a trend; docs/ci.md says what it does not see.
SHORT = {"warmup_requests": 200, "rungs": 5, "requests_per_rung": 100}
#: So long may it go on while its answer is open.
BUDGET_S = 30.0
#: A build is told of a suspect sooner, and that a bound would look the same.
CONFIRMING_SHARE = 0.4


def shortened(load: Load, options: argparse.Namespace) -> Load:
    """The load of a check, but for what was asked for."""
    asked = {"warmup_requests": options.warmup, "rungs": options.rungs, "requests_per_rung": options.requests}
    short = {name: value for name, value in SHORT.items() if asked[name] is None}
    return load.model_copy(update=short)


def check_target(target: Target, options: RecordOptions, limits: Limits, out: Path | None, command: str) -> Checked:
    """Record and judge; ``out`` keeps capture, findings and report. Raises what recording and analysing raise."""

    def weigh(findings: Findings) -> Judgement:
        """What is within the limits needs no longer run to confirm it, and no line; what is open at them needs both."""
        found, asked = check(findings, limits), judged(findings)
        return replace(
            asked,
            is_open=asked.is_open or (bool(found.between) and not found.over),
            is_provisional=asked.is_provisional and bool(found.over),
            has_suspects=bool(found.over or found.between) or (out is not None and asked.has_suspects),
        )

    with _folder(out) as folder:
        capture = record_until_clear(target, options, folder / "capture", command, False, lambda _: None, weigh)
        findings = pipeline.analyse(capture)
        if out is not None:
            keep(findings, folder)
    return check(findings, limits)


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    if out is None:
        with tempfile.TemporaryDirectory(prefix="labkit-") as place:
            yield Path(place)
        return
    with new_folder(out):
        yield out


def checked_by(options: argparse.Namespace) -> Checked:
    """What the words of the command ``check`` ask for."""
    if not (options.app or options.target):
        raise CaseError(
            "There is nothing to check.", hint=f"{PROGRAM} check --app FILE.py:app --request 'GET /items/{{i}}'"
        )
    target = target_from(options)
    if not options.target:  # a case brings a load that was thought about
        target = target.model_copy(update={"load": shortened(target.load, options)})
        if options.budget is None and not (options.requests or options.rungs):
            options.budget = BUDGET_S
    limits = Limits(options.limit_bytes_per_request, options.limit_descriptors_per_request)
    chosen = replace(record_options_from(options, target.serve), confirming_share=CONFIRMING_SHARE)
    return check_target(target, chosen, limits, Path(options.out) if options.out else None, options.command)


def run_check(options: argparse.Namespace) -> int:
    """The command ``check``."""
    try:
        checked = checked_by(options)
    except KeyboardInterrupt:
        raise Interrupted("the server was stopped and nothing was judged") from None
    print(checked.findings.model_dump_json(indent=1) if options.json else check_text(checked), flush=True)
    if checked.over:
        return FAILED
    return INCONCLUSIVE if checked.is_open and not options.inconclusive_passes else PASSED


def run_compare(options: argparse.Namespace) -> int:
    """The command ``compare``."""
    with opened(Path(options.before)) as one, opened(Path(options.after)) as other:
        before, after = open_capture(one), open_capture(other)
        differ = differences(before.manifest, after.manifest)
        found = compare(pipeline.analyse(before), pipeline.analyse(after), differ)
    print(found.model_dump_json(indent=1, by_alias=True) if options.json else comparison_text(found), flush=True)
    return COMPARED[found.verdict]
