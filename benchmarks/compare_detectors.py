"""The cases as other tools see them: which names the holder, which the line, and which cry wolf on what is healthy.

    python benchmarks/compare_detectors.py [CASE ...] [--tool NAME ...]

Each tool looks at an app in a process of its own, the way its documentation shows: warm up, begin, play the same visits
as labkit does, end. Its whole output is then read:

    holder        the last part of the holder's name is in it
    line          the guilty line is in it
    false alarm   on a healthy twin or decoy it reports growth that goes on: in each of three windows, where it compares

pytest-memray, memalot, python-leak-hunter and dozer get environments of their own from PyPI for the run. A tool that
cannot tell a list that only grows from one that does not is left out. Cases that need a server's threads or an event
loop are left out, since these tools look from within; dozer, a WSGI middleware, cannot be used with ASGI at all.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import json
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from detectors import fetched, installed
from detectors.environments import environment, python_for
from detectors.player import TRIVIAL, Player, Said

from labkit.cases import Case, Serve, list_cases, load_case

TIMEOUT_S = 120
TOOLS: dict[str, Callable[[Player], Said]] = {
    "objgraph": installed.objgraph_growth,
    "tracemalloc": installed.tracemalloc_diff,
    "guppy3": installed.guppy3_heap,
    "memray": installed.memray_leaks,
    "pytest-memray": fetched.pytest_memray,
    "memalot": fetched.memalot_monitor,
    "leak-hunter": fetched.leak_hunter_growth,
    "dozer": fetched.dozer_pages,
}
VERDICTS = ("holder", "line", "something", "nothing", "false alarm", "quiet", "failed")


def main() -> None:
    """Run all pairs, print a row for each case and the sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--tool", action="append", choices=TOOLS)
    parser.add_argument("--within", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.within:
        print(json.dumps(_within(options.cases[0], *options.within)))
        return
    cases = [load_case(name) for name in options.cases] if options.cases else list(list_cases())
    with tempfile.TemporaryDirectory() as folder:
        pythons = {tool: python_for(tool, Path(folder)) for tool in options.tool or TOOLS}
        pythons = {tool: python for tool, python in pythons.items() if _tells_apart(python, tool)}
        _compare(cases, pythons)


def _compare(cases: list[Case], pythons: dict[str, Path]) -> None:
    sums: Counter[tuple[str, str]] = Counter()
    _row("case", list(pythons))
    for case in cases:
        if case.serve != Serve():
            asgi = case.serve.server == "uvicorn"
            _row(case.name, ["cannot be used" if asgi and tool == "dozer" else "left out" for tool in pythons])
            continue
        for variant in case.variants:
            cells = [_judged(case, variant, tool, python) for tool, python in pythons.items()]
            sums.update(zip(pythons, cells, strict=True))
            _row(f"{case.name}:{variant}", cells)
    for verdict in VERDICTS:
        _row(verdict, [str(sums[tool, verdict]) for tool in pythons])


def _row(name: str, cells: list[str]) -> None:
    print(f"{name:<34}" + "".join(f"{cell:<16}" for cell in cells), flush=True)


def _tells_apart(python: Path, tool: str) -> bool:
    grows = {}
    for variant in ("leaky", "fixed"):
        said = _said(TRIVIAL, variant, tool, python)
        grows[variant] = said is not None and said[1]
    if grows == {"leaky": True, "fixed": False}:
        return True
    print(f"{tool} is left out: asked whether a list grows, it said {grows}.")
    return False


def _said(name: str, variant: str, tool: str, python: Path) -> Said | None:
    command = [python, __file__, name, "--within", variant, tool]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True, env=environment())
        said, grows = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, ValueError, IndexError):
        return None
    return said, grows


def _judged(case: Case, variant: str, tool: str, python: Path) -> str:
    answer = _said(case.name, variant, tool, python)
    if answer is None:
        return "failed"
    said, grows = answer
    if case.truth.verdict[variant] != "suspect":  # type: ignore[index]
        return "false alarm" if grows else "quiet"
    holder = re.split(r"[.\[]", case.truth.retainer)[-1]
    _, first, last = case.guilty_span()
    if re.search(rf"\b{re.escape(holder)}\b", said):
        return "holder"
    if any(re.search(rf"leaky\.py:{line}\b", said) for line in range(first, last + 1)):
        return "line"
    return "something" if grows else "nothing"


def _within(name: str, variant: str, tool: str) -> Said:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        play = Player(name, variant)
        play.warm_up()
        gc.collect()
        return TOOLS[tool](play)


if __name__ == "__main__":
    main()
