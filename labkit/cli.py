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
from collections.abc import Callable, Sequence
from pathlib import Path

from labkit import grading, operate, pipeline
from labkit.arguments import PROGRAM, parser
from labkit.cases import Target, list_cases
from labkit.checking import run_check, run_compare
from labkit.errors import Interrupted, LabkitError
from labkit.exchange.export import export
from labkit.findings.model import Findings
from labkit.investigation import keep, new_folder, record_until_clear
from labkit.store.bundle import opened
from labkit.targets import record_options_from, target_from
from labkit.teaching import run_class
from labkit.views import text

EXIT = {"clean": 0, "suspect": 1, "inconclusive": 3}
COULD_NOT_RUN = 2
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
    hint = "choose another --out" if options.out else "start this in a folder you may write to, or give --out"
    with new_folder(folder, hint):
        try:
            chosen = record_options_from(options, target.serve)
            place, shown = folder / "capture", not options.quiet
            capture = record_until_clear(target, chosen, place, options.command, shown, lambda _: None)
        except KeyboardInterrupt:
            if (folder / "capture").is_dir():  # it came when all was recorded
                raise _interrupted(folder, goes_on) from None
            raise Interrupted("the server was stopped and no unfinished file was left") from None
    try:
        findings = pipeline.analyse(capture, _progress_line(options))
        keep(findings, folder)
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
    with opened(Path(options.capture)) as folder:
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
    with opened(Path(options.paths[0])) as first:
        if first.is_dir() and len(options.paths) == 1:
            findings = pipeline.analyse(first, _progress_line(options))
        else:
            findings = pipeline.survey([Path(path) for path in options.paths], _progress_line(options))
    _print(findings, options.json)
    return EXIT[findings.verdict]


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
    "compare": run_compare,
    "triage": _triage,
    "report": _report,
    "export": _export,
    "agent": operate.agent,
    "workers": operate.workers,
    "attach": operate.attach,
    "capture": operate.capture,
    "class": run_class,
}
