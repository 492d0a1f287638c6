"""The command line: parse, call the pipeline, print. No logic lives here.

Exit status: 0 clean, 1 suspects found, 2 could not run, 3 inconclusive, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from labkit import grading, operate, pipeline
from labkit.arguments import PROGRAM, parser
from labkit.cases import Target, list_cases
from labkit.checking import run_check
from labkit.errors import Interrupted, LabkitError
from labkit.exchange.export import export
from labkit.findings.compare import compare, differences
from labkit.findings.model import Findings
from labkit.investigation import record_until_clear
from labkit.store.beside import written_beside
from labkit.store.bundle import unpack
from labkit.store.capture import open_capture
from labkit.targets import record_options_from, target_from
from labkit.views import text
from labkit.views.gate import comparison_text

EXIT = {"clean": 0, "suspect": 1, "inconclusive": 3}
COULD_NOT_RUN = 2
#: What still leaks as much, or more, is as bad as a suspect.
COMPARED = {"clean": 0, "fixed": 0, "better": 0, "same": 1, "worse": 1, "unknown": 3}
INTERRUPTED = 128 + signal.SIGINT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status and prints errors as up to three lines."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = parser(COMMANDS).parse_args(words)
    options.command = shlex.join([PROGRAM, *_shareable(words)])
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except LabkitError as error:
        if options.debug:
            traceback.print_exc()
        print(f"error: {error}", file=sys.stderr)
    except KeyboardInterrupt as stop:
        start = "\r\033[K" if sys.stderr.isatty() else ""
        print(f"{start}interrupted: {stop if str(stop) else 'no unfinished file was left'}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # whoever read along has gone; nothing more may be written, at exit neither
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return COULD_NOT_RUN


#: What a report must not repeat: secrets, payloads, and where things are on somebody's machine.
PRIVATE_OPTIONS = dict.fromkeys(
    ["--header", "--body", "--body-file", "--out", "--output", "-o", "--python", "--socket", "--dir"], "..."
)


def _shareable(words: Sequence[str]) -> list[str]:
    """The command as it may stand in a report: without values that are secret or local."""
    shared: list[str] = []
    for word in words:
        option, equals, _ = word.partition("=")
        if shared and shared[-1] in PRIVATE_OPTIONS:
            shared.append(PRIVATE_OPTIONS[shared[-1]])
        elif equals and option in PRIVATE_OPTIONS:
            shared.append(f"{option}={PRIVATE_OPTIONS[option]}")
        else:
            shared.append(Path(word).name if word.startswith(("/", "./", "../", "~")) else word)
    return shared


def _cases(options: argparse.Namespace) -> int:
    found = list_cases()
    if options.json:
        print(json.dumps([case.model_dump(mode="json", exclude={"folder"}) for case in found], indent=1))
    else:
        width = max(len(case.name) for case in found)
        for case in found:
            print(f"{case.name:<{width}}  {case.title}")
    return 0


def _investigate(options: argparse.Namespace) -> int:
    target = target_from(options)
    if not options.quiet and not sys.stderr.isatty():  # where no progress bar can be drawn
        print(f"Investigating {target.label} ...", file=sys.stderr, flush=True)
    if options.out:
        return _investigate_into(options, target, Path(options.out))
    if options.json:
        with tempfile.TemporaryDirectory(prefix="labkit-") as folder:
            return _investigate_into(options, target, Path(folder) / "out", "--out DIR keeps what was recorded")
    return _investigate_into(options, target, _next_folder(target.label))


def _investigate_into(options: argparse.Namespace, target: Target, folder: Path, goes_on: str = "") -> int:
    if folder.exists() and not folder.is_dir():
        raise LabkitError(f"{folder} is a file; a folder is needed.", hint="choose another --out")
    if folder.exists() and any(folder.iterdir()):
        raise LabkitError(f"{folder} is not empty; nothing is written over.", hint="choose another --out")
    had_folder = folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        hint = "choose another --out" if options.out else "start this in a folder you may write to, or give --out"
        raise LabkitError(f"{folder} cannot be made.", seen=str(error.strerror), hint=hint) from None
    try:
        chosen = record_options_from(options, target.serve)
        place, shown = folder / "capture", not options.quiet
        capture = record_until_clear(target, chosen, place, options.command, shown, lambda _: None)
    except BaseException as stop:
        if isinstance(stop, KeyboardInterrupt) and (folder / "capture").is_dir():  # it came when all was recorded
            raise _interrupted(folder, goes_on) from None
        if not had_folder:
            folder.rmdir()
        if isinstance(stop, KeyboardInterrupt):
            raise Interrupted("the server was stopped and no unfinished file was left") from None
        raise
    try:
        findings = pipeline.analyse(capture, _progress_line(options))
        _write_report(findings, folder / "report.html")
        with written_beside(folder / "findings.json") as stream:
            stream.write(findings.model_dump_json(indent=1) + "\n")
    except KeyboardInterrupt:
        raise _interrupted(folder, goes_on) from None
    _print(findings, options.json)
    if not options.json:
        print(f"Report: {folder / 'report.html'}")
    return EXIT[findings.verdict]


def _interrupted(folder: Path, goes_on: str) -> Interrupted:
    words = goes_on or f"the recording is complete in {folder}; {PROGRAM} triage {folder} goes on from there"
    return Interrupted(words)


def _demo(options: argparse.Namespace) -> int:
    """Investigate a leaky sample app; success is that the culprit was found."""
    options.target, options.app, options.json, options.out = options.case, None, False, None
    target = target_from(options)  # a wrong name is told before anything is said to begin
    print(f"Investigating {options.case}: a Falcon app under Gunicorn, about half a minute.\n", flush=True)
    status = _investigate_into(options, target, _next_folder(target.label))
    if status != EXIT["suspect"]:
        raise LabkitError(
            "The demo shows a leak, and none was found.",
            seen=f"{options.case} came out {next(verdict for verdict in EXIT if EXIT[verdict] == status)}",
            hint=f"{PROGRAM} investigate {options.case}, where that is an answer",
        )
    return 0


def _report(options: argparse.Namespace) -> int:
    with _opened(Path(options.capture)) as folder:
        findings = pipeline.analyse(folder, _progress_line(options))
    _write_report(findings, Path(options.output))
    print(f"Report: {options.output}")
    return EXIT[findings.verdict]


def _write_report(findings: Findings, path: Path) -> None:
    from labkit.views.report import write_report  # here: drawing takes longest to import, and few commands draw

    write_report(findings, path)


def _export(options: argparse.Namespace) -> int:
    image = export(
        Path(options.snapshot), options.to, Path(options.output), type_name=options.type, around=options.around
    )
    count = image.graph.node_count
    print(f"{options.to} of {count:,} objects: {options.output}")
    return 0


def _triage(options: argparse.Namespace) -> int:
    with _opened(Path(options.paths[0])) as first:
        if first.is_dir() and len(options.paths) == 1:
            findings = pipeline.analyse(first, _progress_line(options))
        else:
            findings = pipeline.survey([Path(path) for path in options.paths], _progress_line(options))
    _print(findings, options.json)
    return EXIT[findings.verdict]


def _compare(options: argparse.Namespace) -> int:
    with _opened(Path(options.before)) as one, _opened(Path(options.after)) as other:
        before, after = open_capture(one), open_capture(other)
        found = compare(
            pipeline.analyse(before, _progress_line(options)),
            pipeline.analyse(after, _progress_line(options)),
            differences(before.manifest, after.manifest),
        )
    print(found.model_dump_json(indent=1, by_alias=True) if options.json else comparison_text(found))
    return COMPARED[found.verdict]


@contextmanager
def _opened(path: Path) -> Iterator[Path]:
    """The capture itself: in the folder of a whole investigation, or unpacked for the time being."""
    inside = path / "capture"
    if path.suffix == ".capture" and path.is_file():
        with tempfile.TemporaryDirectory(prefix="labkit-") as folder:
            yield unpack(path, Path(folder) / "capture").folder
    else:
        yield inside if (inside / "manifest.json").is_file() else path


def _next_folder(label: str) -> Path:
    name = re.sub(r"[^A-Za-z0-9_]+", "-", label).strip("-") or "app"
    number = 1
    while (folder := Path("investigations") / f"{name}-{number}").exists():
        number += 1
    return folder


def _progress_line(options: argparse.Namespace) -> Callable[[str], None]:
    if options.quiet or not sys.stderr.isatty():
        return lambda _: None
    return lambda line: print(f"\r\033[K{line} ...", end="\r", file=sys.stderr, flush=True)


def _print(findings: Findings, as_json: bool) -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    words = text.render_text(findings, colour=text.wants_colour(sys.stdout))
    print(findings.model_dump_json(indent=1) if as_json else words, flush=True)


COMMANDS = {
    "cases": _cases,
    "investigate": _investigate,
    "demo": _demo,
    "grade": grading.grade,
    "check": run_check,
    "compare": _compare,
    "triage": _triage,
    "report": _report,
    "export": _export,
    "agent": operate.agent,
    "workers": operate.workers,
    "attach": operate.attach,
    "capture": operate.capture,
}
