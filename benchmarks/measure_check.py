"""Where the time of an investigation goes, and of a check.

    .venv/bin/python benchmarks/measure_check.py check APP.py:app --request 'GET /orders/{i}'
    .venv/bin/python benchmarks/measure_check.py investigate CASE

Runs the command in this process and prints how often each phase came and the seconds it took, beside what the command
prints. Nothing is judged: the figures are those of the machine and of what else it does, so compare two made together.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from typing import Any

from labkit import cli, pipeline
from labkit.drive.measure import Measurement
from labkit.drive.server import Server

phases: dict[str, list[float]] = {}


def timed(owner: Any, name: str, phase: Callable[..., str]) -> None:
    """Note how long each call of ``owner.name`` takes, under what ``phase`` makes of its arguments."""
    called = getattr(owner, name)

    @functools.wraps(called)
    def wrapper(*given: Any, **named: Any) -> Any:
        began = time.monotonic()
        try:
            return called(*given, **named)
        finally:
            phases.setdefault(phase(*given, **named), []).append(time.monotonic() - began)

    setattr(owner, name, wrapper)


def snapshot_phase(_: Any, rung: int, *, sites: bool = False) -> str:
    del rung
    return "snapshot with allocation sites" if sites else "snapshot"


def main() -> int:
    """Run the command with the clock on its phases."""
    if len(sys.argv) < 2 or sys.argv[1] not in ("check", "investigate"):
        sys.exit(__doc__)
    timed(Server, "__enter__", lambda *_: "start the server")
    timed(Server, "__exit__", lambda *_: "stop the server")
    timed(Measurement, "play", lambda _, what, *rest, **named: f"play: {what.split(' ')[0].rstrip(',')}")
    timed(Measurement, "snapshot", snapshot_phase)
    timed(Measurement, "snapshot_under_load", lambda *_: "snapshot under load")
    timed(pipeline, "analyse", lambda *_, **__: "analyse")
    words = sys.argv[1:]
    if len(words) > 1 and ":" in words[1] and ".py" in words[1]:
        words.insert(1, "--app")
    began = time.monotonic()
    status = cli.main([*words, "--quiet"])
    print(f"\nexit status {status} after {time.monotonic() - began:.1f} s")
    for phase, seconds in phases.items():
        print(f"  {phase:<32} {len(seconds):>3} times  {sum(seconds):6.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
