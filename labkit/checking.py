"""A check for builds: a short investigation, its suspects against limits; for the command and the pytest plugin."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from labkit import pipeline
from labkit.cases import Load, Target
from labkit.drive.options import RecordOptions
from labkit.errors import CaptureError
from labkit.findings.limits import Checked, Limits, check
from labkit.investigation import record_until_clear
from labkit.targets import record_options_from, target_from
from labkit.views.gate import check_text

PASSED, FAILED, INCONCLUSIVE = 0, 1, 3
#: A short run: it sees what gains three objects in 60 requests; docs/ci.md says what it does not see.
SHORT = {"warmup_requests": 120, "rungs": 5, "requests_per_rung": 60}
#: So long may it go on while its answer is open.
BUDGET_S = 20.0


def shortened(load: Load, options: argparse.Namespace) -> Load:
    """The load of a check, but for what was asked for."""
    asked = {"warmup_requests": options.warmup, "rungs": options.rungs, "requests_per_rung": options.requests}
    short = {name: value for name, value in SHORT.items() if asked[name] is None}
    return load.model_copy(update=short)


def check_target(target: Target, options: RecordOptions, limits: Limits, out: Path | None, command: str) -> Checked:
    """Record and judge; the capture is kept in ``out``, if there is one. Raises what recording and analysing raise."""
    with _folder(out) as folder:
        capture = record_until_clear(target, options, folder / "capture", command, False, lambda _: None)
        return check(pipeline.analyse(capture), limits)


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    if out is None:
        with tempfile.TemporaryDirectory(prefix="labkit-") as place:
            yield Path(place)
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CaptureError(f"{out} is not empty; nothing is written over.", hint="choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    yield out


def checked_by(options: argparse.Namespace) -> Checked:
    """What the words of the command ``check`` ask for."""
    target = target_from(options)
    if not options.target:
        target = target.model_copy(update={"load": shortened(target.load, options)})
    if options.budget is None and not options.target:
        options.budget = BUDGET_S
    limits = Limits(options.limit_bytes_per_request, options.limit_descriptors_per_request)
    chosen = record_options_from(options, target.serve)
    return check_target(target, chosen, limits, Path(options.out) if options.out else None, options.command)


def run_check(options: argparse.Namespace) -> int:
    """The command ``check``."""
    checked = checked_by(options)
    say: Callable[[str], None] = print
    say(checked.findings.model_dump_json(indent=1) if options.json else check_text(checked))
    if checked.over:
        return FAILED
    return INCONCLUSIVE if checked.is_open and not options.inconclusive_passes else PASSED
