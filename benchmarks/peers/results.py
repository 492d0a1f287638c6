"""What all contestants said at one size of heap, as medians over their runs."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Results:
    """Runs by contestant: each a dictionary of steps; ``problems`` has why a contestant gave up, in words."""

    objects: int
    runs: dict[str, list[dict[str, dict[str, Any]]]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, steps: dict[str, dict[str, Any]], problem: str) -> None:
        """Record one run; after a problem the contestant is not asked again at this size."""
        self.runs.setdefault(name, []).append(steps)
        if problem:
            self.problems[name] = problem

    def steps(self, name: str) -> list[str]:
        """The contestant's steps that were ended at least once, in order."""
        return list(dict.fromkeys(step for run in self.runs.get(name, []) for step in run))

    def median(self, name: str, step: str, figure: str) -> float | None:
        """Over the runs that have it; None when none has."""
        found = [run[step][figure] for run in self.runs.get(name, []) if figure in run.get(step, {})]
        return statistics.median(found) if found else None

    def total(self, name: str, steps: list[str], figure: str = "wall_s") -> float | None:
        """The median over runs of the sum over these steps; None unless a run has them all."""
        sums = [
            sum(run[step][figure] for step in steps)
            for run in self.runs.get(name, [])
            if all(figure in run.get(step, {}) for step in steps)
        ]
        return statistics.median(sums) if sums else None

    def said(self, name: str, step: str) -> str:
        """The contestant's own words in its last run with any."""
        words = [run[step]["said"] for run in self.runs.get(name, []) if run.get(step, {}).get("said")]
        return str(words[-1]) if words else ""

    @property
    def nodes(self) -> float:
        """Objects in the heap, as labkit's walk counts them; those asked for if it was not there."""
        for name in ("labkit", "labkit-plain"):
            if (found := self.median(name, "capture", "nodes")) is not None:
                return found
        return float(self.objects)
