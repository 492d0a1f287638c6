"""``labkit grade``: every case and every healthy twin, investigated and compared with the truth. It prints."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from labkit import pipeline
from labkit.cases import Case, list_cases, load_case, target_of
from labkit.drive.options import RecordOptions
from labkit.findings.score import Score, rates, score
from labkit.investigation import record_until_clear

PASSED, FAILED = 0, 1


def grade(options: argparse.Namespace) -> int:
    """Investigate, score, print the table; 0 when everything came out as declared."""
    cases = [load_case(name) for name in options.cases] if options.cases else list(list_cases())
    scores: list[Score] = []
    seconds: list[float] = []
    rows = []
    pythons = options.python or [sys.executable]
    for python in pythons:
        of_python = f", {python}" if len(pythons) > 1 else ""
        for seed in options.seed or [1]:
            for case in cases:
                for variant in case.variants:
                    began = time.monotonic()
                    scores.append(_graded(case, variant, seed, python, options.budget))
                    seconds.append(time.monotonic() - began)
                    rows.append(
                        {"python": python, "seed": seed, "seconds": round(seconds[-1], 1), **asdict(scores[-1])}
                    )
                    if not options.json:
                        _print_row(scores[-1], seconds[-1], f"seed {seed}{of_python}")
    if options.json:
        print(json.dumps({"scores": rows, "rates": [asdict(one) for one in rates(scores)]}, indent=1))
    else:
        _print_rates(scores, seconds)
    return PASSED if all(_is_as_declared(one) for one in scores) else FAILED


def _graded(case: Case, variant: str, seed: int, python: str, budget_s: float) -> Score:
    target = target_of(f"{case.folder}:{variant}")
    target = target.model_copy(update={"load": target.load.model_copy(update={"seed": seed})})
    with tempfile.TemporaryDirectory(prefix="labkit-") as folder:
        place = Path(folder) / "capture"
        chosen = RecordOptions.for_serving(case.serve, python=python, allocation_pass=False, budget_s=budget_s)
        capture = record_until_clear(target, chosen, place, "labkit grade", False, lambda _: None)
        return score(target.label, variant, case.truth, pipeline.analyse(capture))


def _is_as_declared(one: Score) -> bool:
    """A known miss that is found after all is a fault, too: its declaration is no longer true."""
    return one.is_right != bool(one.declared)


def _print_row(one: Score, seconds: float, of: str) -> None:
    told = one.said or "-"
    if one.false_names and one.said not in one.false_names:
        told += f"; falsely: {', '.join(one.false_names)}"
    mark = "ok  " if one.is_right else "miss" if one.declared else "FAIL"
    print(f"{mark}  {one.label:<36} {one.outcome:<12} {seconds:5.1f} s  {of}  {told}", flush=True)


def _print_rates(scores: list[Score], seconds: list[float]) -> None:
    print(f"\n{'kind':<20} {'leaks':>5} {'named':>5} {'precision':>9} {'recall':>7}")
    for row in rates(scores):
        print(f"{row.kind:<20} {row.leaks:>5} {row.named:>5} {row.precision:>9.0%} {row.recall:>7.0%}")
    healthy = [one for one in scores if one.expected == "clean"]
    alarms = sum(one.outcome == "false alarm" for one in healthy)
    print(f"\n{len(healthy)} healthy runs: {alarms} false alarms, {sum(one.outcome == 'open' for one in healthy)} open")
    print(f"median time to a verdict: {sorted(seconds)[len(seconds) // 2]:.1f} s")
    for one in scores:
        if one.declared:
            print(f"known miss: {one.label}: {one.declared}")
