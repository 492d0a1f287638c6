"""A recording that goes on for as long as its answer is open, and the folder for what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from labkit import pipeline
from labkit.cases import Target
from labkit.drive.judgement import Judgement
from labkit.drive.options import RecordOptions
from labkit.drive.record import record
from labkit.errors import AnalysisError, LabkitError
from labkit.findings.model import Findings
from labkit.store.beside import written_beside
from labkit.store.capture import Capture


def judged(findings: Findings) -> Judgement:
    """What the findings so far ask the recording for."""
    return Judgement(
        is_open="longer-run" in findings.wanted,
        is_provisional="confirmation" in findings.wanted,
        has_suspects=bool(findings.suspects),
        asks_for_native="native-recording" in findings.wanted,
    )


def record_until_clear(
    target: Target,
    options: RecordOptions,
    out_dir: Path,
    command: str,
    progress: bool,
    report: Callable[[str], None],
    weigh: Callable[[Findings], Judgement] = judged,
) -> Capture:
    """Like ``drive.record``, which it calls: with rungs and instruments as the answer so far asks for them.

    ``weigh`` says what an answer asks for, where not every suspect is worth going on.
    """

    def judge(capture: Capture) -> Judgement:
        try:
            return weigh(pipeline.analyse(capture, report))
        except AnalysisError:  # told when all is recorded
            return Judgement()

    return record(target, options, out_dir, command, progress, judge)


@contextmanager
def new_folder(folder: Path, hint: str = "choose another --out") -> Iterator[None]:
    """Make ``folder`` for what the block writes; when the block is left by an error, an empty one does not stay.

    Raises LabkitError when there is something in it, or when it cannot be made, with ``hint`` then.
    """
    if folder.exists() and not folder.is_dir():
        raise LabkitError(f"{folder} is a file; a folder is needed.", hint="choose another --out")
    if folder.exists() and any(folder.iterdir()):
        raise LabkitError(f"{folder} is not empty; nothing is written over.", hint="choose another --out")
    had_folder = folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabkitError(f"{folder} cannot be made.", seen=str(error.strerror), hint=hint) from None
    try:
        yield
    except BaseException:
        if not had_folder and not any(folder.iterdir()):
            folder.rmdir()
        raise


def keep(findings: Findings, folder: Path) -> None:
    """Write the report and the findings beside the capture."""
    from labkit.views.report import write_report  # here: drawing takes longest to import, and few commands draw

    write_report(findings, folder / "report.html")
    with written_beside(folder / "findings.json") as stream:
        stream.write(findings.model_dump_json(indent=1) + "\n")
