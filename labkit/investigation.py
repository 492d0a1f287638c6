"""A recording that is looked at while it goes on, so that it can go on for as long as its answer is open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from labkit import pipeline
from labkit.cases import Target
from labkit.drive.judgement import Judgement
from labkit.drive.options import RecordOptions
from labkit.drive.record import record
from labkit.errors import AnalysisError
from labkit.store.capture import Capture


def record_until_clear(
    target: Target, options: RecordOptions, out_dir: Path, command: str, progress: bool, report: Callable[[str], None]
) -> Capture:
    """Like ``drive.record``, which it calls: with rungs and instruments as the answer so far asks for them."""

    def judge(capture: Capture) -> Judgement:
        try:
            findings = pipeline.analyse(capture, report)
        except AnalysisError:  # told when all is recorded
            return Judgement()
        return Judgement(
            is_open="longer-run" in findings.wanted,
            is_provisional="confirmation" in findings.wanted,
            has_suspects=bool(findings.suspects),
            asks_for_native="native-recording" in findings.wanted,
        )

    return record(target, options, out_dir, command, progress, judge)
