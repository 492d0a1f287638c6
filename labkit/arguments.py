"""The words of the command line: commands, their options, and what --help says of them."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Mapping
from typing import NoReturn

from labkit import __version__
from labkit.exchange.export import FORMS
from labkit.store.recordings import TOOLS

#: How the user calls this program; ``./workbook`` says so when it stands in front.
PROGRAM = os.environ.get("LABKIT_PROGRAM") or "labkit"

ABOUT = "Find what keeps memory alive in a Python service. Exit status: 0 clean, 1 suspects found, 2 could not run, \
3 inconclusive, 130 interrupted."

SERVERS = ("gunicorn", "uvicorn", "builtin")
Run = Callable[[argparse.Namespace], int]


class _Parser(argparse.ArgumentParser):
    """Wrong words get an error like every other: what happened, and what to try."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}\n  try:  {self.prog} --help\n")


def _seconds(text: str) -> float:
    """``90``, ``90s`` or ``5m``."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in ("s", "m") else (text, "s")
    try:
        return float(number) * (60 if unit == "m" else 1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: 90, 90s or 5m") from None


def _limit(text: str) -> float:
    """A finite number that is not negative."""
    try:
        limit = float(text)
    except ValueError:
        limit = math.nan
    if not 0 <= limit < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no limit: 0, or a larger number")
    return limit


def parser(runs: Mapping[str, Run]) -> argparse.ArgumentParser:
    """The parser of all commands; ``options.run`` is then the one of ``runs`` that was asked for."""
    whole = _Parser(prog=PROGRAM, description=ABOUT)
    whole.add_argument("--version", action="version", version=f"labkit {__version__}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, about: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=about, description=about)
        sub.set_defaults(run=runs[name])
        sub.add_argument("--debug", action="store_true", help="show the traceback of an error")
        sub.add_argument("--quiet", action="store_true", help="no progress bar")
        return sub

    cases = command("cases", "list the sample cases")
    cases.add_argument("--json", action="store_true", help="as JSON")
    investigate = command("investigate", "run an app under load and say what it keeps alive")
    investigate.add_argument("target", nargs="?", help="a case, case:fixed, a case.toml, or a load file")
    investigate.add_argument("--json", action="store_true", help="findings as JSON on standard output, nothing else")
    investigate.add_argument("--out", metavar="DIR", help="keep capture, findings and report here")
    _add_app_options(investigate)
    grade = command("grade", "investigate all cases and say how often the answer was true")
    grade.add_argument("cases", nargs="*", metavar="CASE", help="default: all")
    grade.add_argument(
        "--seed", type=int, action="append", metavar="N", help="seed of the load, repeatable (default 1)"
    )
    grade.add_argument("--python", action="append", metavar="PATH", help="interpreter of the apps, repeatable")
    grade.add_argument("--budget", type=_seconds, default=0.0, metavar="SECONDS", help="go on so long where it is open")
    grade.add_argument("--json", action="store_true", help="as JSON")
    _add_gates(command)
    demo = command("demo", "find the leak in a sample app and write the report")
    demo.add_argument("case", help="a case that leaks")
    _add_app_options(demo)
    triage = command("triage", "say what a capture, or a single snapshot, shows")
    triage.add_argument("paths", nargs="+", metavar="SNAPSHOT|CAPTURE")
    triage.add_argument("--json", action="store_true", help="findings as JSON on standard output, nothing else")
    html = command("report", "write a capture's report as one HTML file")
    html.add_argument("capture", metavar="CAPTURE")
    html.add_argument("-o", "--output", required=True, metavar="FILE")
    export = command("export", "write a snapshot in the form of another tool")
    export.add_argument("snapshot", metavar="SNAPSHOT")
    export.add_argument("--to", required=True, choices=FORMS, help="Chrome DevTools and memlab; or a drawing")
    export.add_argument("-o", "--output", required=True, metavar="FILE")
    export.add_argument("--type", default="", help="of a drawing: the object of this type that retains most")
    export.add_argument("--around", action="store_true", help="of a drawing: its neighbours, not the path to it")
    _add_production(command)
    _add_class(command)
    return whole


def _add_gates(command: Callable[[str, str], argparse.ArgumentParser]) -> None:
    about = "a short investigation for a build: 1 when a request leaves more behind than allowed, 0 when not"
    check = command("check", about)
    check.add_argument("target", nargs="?", help="a case, case:fixed, a case.toml or a load file, with its load")
    check.add_argument("--json", action="store_true", help="findings as JSON on standard output, nothing else")
    check.add_argument("--out", metavar="DIR", help="keep capture, findings and report here")
    check.add_argument(
        "--limit-bytes-per-request",
        type=_limit,
        default=0.0,
        metavar="N",
        help="what one reference may keep (default 0)",
    )
    check.add_argument(
        "--limit-descriptors-per-request",
        type=_limit,
        default=0.0,
        metavar="N",
        help="descriptors, connections or threads one may leave behind (default 0)",
    )
    check.add_argument("--inconclusive-passes", action="store_true", help="0, not 3, where nothing can be said")
    _add_app_options(check, requests=100, rungs=5, warmup=200, budget="30s")
    compare = command("compare", "what became of each suspect between two captures: 0 mended, 1 still there, 3 open")
    compare.add_argument("before", metavar="BEFORE", help="a capture, a bundle, or the folder of an investigation")
    compare.add_argument("after", metavar="AFTER")
    compare.add_argument("--json", action="store_true", help="as JSON")


def _add_production(command: Callable[[str, str], argparse.ArgumentParser]) -> None:
    agent = command("agent", "write the agent for production servers to a folder, and say how they load it")
    agent.add_argument("folder", metavar="DIR")
    agent.add_argument("--python", default=sys.executable, metavar="PATH", help="the interpreter that will load it")
    workers = command("workers", "list live workers that have an agent")
    workers.add_argument("--dir", metavar="DIR", help="their LABKIT_AGENT_DIR, if they were given one")
    workers.add_argument("--json", action="store_true", help="as JSON")
    attach = command("attach", "put the agent into a process that was started without it, with a debugger")
    attach.add_argument("pid", type=int, metavar="PID")
    attach.add_argument("--yes", action="store_true", help="the risks, which are told first, are known")
    attach.add_argument("--wait", type=float, default=30, metavar="SECONDS", help="for it to answer (default 30)")
    capture = command("capture", "take a snapshot, or a series, of a live worker")
    capture.add_argument("--pid", type=int, action="append", metavar="PID", help="which worker; repeatable in a series")
    capture.add_argument("--socket", metavar="PATH", help="... by its agent's socket")
    capture.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="the snapshot; of a series a folder, or X.capture"
    )
    capture.add_argument("--snapshots", type=int, default=1, metavar="N", help="a series; 5 or more show a trend")
    capture.add_argument("--every", type=float, default=60, metavar="SECONDS", help="... so far apart (default 60)")
    _add_recording(capture)
    capture.add_argument("--record-for", type=float, default=60, metavar="SECONDS", help="... for so long (default 60)")
    capture.add_argument(
        "--with-values",
        action="store_true",
        help="with the beginnings of texts and numbers: secrets and personal data, too; slower",
    )
    capture.add_argument("--deadline", type=float, default=120, metavar="SECONDS", help="of a snapshot (default 120)")


def _add_class(command: Callable[[str, str], argparse.ArgumentParser]) -> None:
    whole = command("class", "a training: an unknown leaky service for each team, and what becomes of it")
    actions = whole.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, about: str) -> argparse.ArgumentParser:
        sub = actions.add_parser(name, help=about, description=about)
        sub.add_argument(
            "--debug", action="store_true", default=argparse.SUPPRESS, help="show the traceback of an error"
        )
        return sub

    new = action("new", "write a service for each team, and the answer key for the trainer")
    new.add_argument("--teams", type=int, default=4, metavar="N", help="how many teams (default 4)")
    new.add_argument("--seed", type=int, default=1, metavar="S", help="the same seed makes the same class (default 1)")
    new.add_argument("--out", default="class", metavar="DIR", help="a new folder (default class)")
    for name, about in (
        ("check", "measure a team's service: 0 passed, 1 refused"),
        ("answer", "what holds the memory, in a team's opinion: 0 right, 1 near or wrong"),
        ("board", "how far the teams are: a table here, a page for the wall"),
        ("reset", "a team's untouched service again, or that of all teams"),
    ):
        sub = action(name, about)
        if name != "board":
            sub.add_argument("team", nargs="?" if name == "reset" else None, metavar="TEAM", help="team-1, or 1")
        if name == "answer":
            sub.add_argument("name", metavar="NAME", help="a dotted name: service.NAME")
        sub.add_argument("--dir", default="class", metavar="DIR", help="the folder of the class (default class)")


def _add_recording(command: argparse._ActionsContainer) -> None:
    command.add_argument(
        "--record",
        action="append",
        default=[],
        metavar="TOOL",
        help=f"afterwards have {', '.join(TOOLS)} or all record beside the heap, one after the other",
    )
    command.add_argument("--native", action="store_true", help="... memray with the stacks of C code")


def _add_app_options(
    parser: argparse.ArgumentParser, *, requests: int = 200, rungs: int = 6, warmup: int = 200, budget: str = "60s"
) -> None:
    app = parser.add_argument_group("any app")
    app.add_argument("--app", metavar="FILE.py:NAME", help="an app in a file or module; NAME may be create_app()")
    app.add_argument(
        "--request",
        action="append",
        default=[],
        metavar="'METHOD /PATH'",
        help="one step of a visit, repeatable; {i} is the visit's number, {word} a new random word",
    )
    app.add_argument(
        "--body", action="append", default=[], help="body of POST, PUT and PATCH requests; one for all, or one each"
    )
    app.add_argument("--body-file", metavar="FILE")
    app.add_argument("--header", action="append", default=[], metavar="'Name: value'")
    app.add_argument(
        "--allow-status",
        action="append",
        type=int,
        default=[],
        metavar="N",
        help="an error status that is normal for this load",
    )
    load = parser.add_argument_group("load")
    load.add_argument("--requests", type=int, metavar="N", help=f"requests in each rung (default {requests})")
    load.add_argument("--rungs", type=int, metavar="K", help=f"rungs, at least 4 (default {rungs})")
    load.add_argument("--warmup", type=int, metavar="W", help=f"requests before the first snapshot (default {warmup})")
    load.add_argument("--concurrency", type=int, metavar="C", help="clients at a time (default 4)")
    load.add_argument(
        "--budget",
        type=_seconds,
        metavar="SECONDS",
        help=f"go on until then while the answer is open (default {budget}; 0 for a case, --requests or --rungs)",
    )
    load.add_argument("--seed", type=int, help="seed of the load")
    load.add_argument("--request-timeout", type=float, default=10, metavar="SECONDS")
    server = parser.add_argument_group("server")
    server.add_argument("--server", choices=SERVERS, help="default: gunicorn, or the case's own")
    server.add_argument("--worker-class", choices=["sync", "gthread"], help="default: sync, or the case's own")
    server.add_argument("--workers", type=int, default=1)
    server.add_argument("--threads", type=int, help="threads of a gthread worker (default 4)")
    server.add_argument("--port", type=int, default=0, help="default: any free one")
    server.add_argument(
        "--python",
        default=sys.executable,
        metavar="PATH",
        help="interpreter, or virtual environment, that runs the app (default: labkit's own)",
    )
    _add_recording(server)
    server.add_argument("--no-sites", action="store_true", help="skip the second pass that finds allocation sites")
