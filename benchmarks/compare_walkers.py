"""Compare the two walkers on one process: the pause, the time until the file is there, the child's memory.

    python benchmarks/compare_walkers.py                        0.3 and 1 million objects
    python benchmarks/compare_walkers.py --objects 3000000 --repeat 5

Medians; the walkers take turns in the same process.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from labkit.agent import compiled, snapshot
from labkit.drive.build_walker import build_walker

KEPT: list[object] = []


class Order:
    """An instance with its attributes inline, a list and a text."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.lines = [number]
        self.name = f"order {number}"


def look(start: Any, path: Path) -> dict[str, Any]:
    """One picture by one walker."""
    prepared = compiled.prepare()
    begun = time.perf_counter()
    result: dict[str, Any] = snapshot._take(str(path), begun, 600, start, prepared)
    return result | {"file_bytes": path.stat().st_size}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, nargs="+", default=[300_000, 1_000_000])
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    built, reason = build_walker(sys.executable)
    refused = compiled.load(str(built)) if built else reason
    if refused:
        raise SystemExit(refused)
    with tempfile.TemporaryDirectory() as folder:
        for objects in options.objects:
            KEPT.clear()
            KEPT.extend(Order(number) for number in range(objects // 4))
            costs: dict[str, list[dict[str, Any]]] = {"c": [], "python": []}
            for _ in range(options.repeat):
                costs["c"].append(look(snapshot._start_compiled, Path(folder) / "c.heap"))
                costs["python"].append(look(snapshot._start_forked, Path(folder) / "python.heap"))
            for name, found in costs.items():
                middle = {key: statistics.median(each[key] for each in found) for key in found[0]}
                print(
                    f"{name:6} {middle['nodes']:9,.0f} nodes {middle['edges']:10,.0f} edges  "
                    f"pause {middle['pause_ms']:6.1f} ms  file after {middle['duration_s']:6.2f} s  "
                    f"child {middle['child_peak_bytes'] / 1e6:6.1f} MB  file {middle['file_bytes'] / 1e6:6.1f} MB"
                )


if __name__ == "__main__":
    main()
