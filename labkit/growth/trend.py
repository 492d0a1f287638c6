"""One series over a run's rungs: its shape, its slope per request and the slope's 95 % interval.

The shape decides before the slope is believed. A straight line through a cache that fills up has a
fine slope too; what tells a leak is that the last rungs grow as the ones before them did.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from labkit.errors import TooFewSnapshots

Shape = Literal["flat", "linear", "saturating", "plateau", "step", "noise"]

MIN_POINTS = 5  # a warm-up and four rungs
TAIL = 3  # rungs at the end that must agree

#: Two-sided 95 % quantiles of Student's t by degrees of freedom (any statistics table).
STUDENT_T_95 = (math.inf, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)


@dataclass(frozen=True)
class Trend:
    """``slope`` is in units per request over the steady part, ``interval95`` around it.

    ``total`` is last minus first value, ``from_point`` the first point of the steady part.
    """

    shape: Shape
    slope: float
    interval95: tuple[float, float]
    total: float
    from_point: int = 0


def trend_of(requests: Sequence[int], values: Sequence[float], *, smallest: float = 1.0) -> Trend:
    """Judge ``values`` at the cumulative ``requests``; growth under ``smallest`` per rung is flat.

    Raises TooFewSnapshots below MIN_POINTS points.
    """
    if len(values) < MIN_POINTS:
        raise TooFewSnapshots(
            "There are too few snapshots for a trend.",
            seen=f"{len(values)} snapshots",
            hint="--rungs 4 or more",
        )
    steps = [b - a for a, b in pairwise(values)]
    widths = [b - a for a, b in pairwise(requests)]
    rates = [step / width for step, width in zip(steps, widths, strict=True)]
    shape, start = _shape(steps, rates, smallest)
    slope, interval = slope_with_interval(requests[start:], values[start:])
    return Trend(shape, slope, interval, values[-1] - values[0], start)


def _shape(steps: list[float], rates: list[float], smallest: float) -> tuple[Shape, int]:
    """The shape, and the point from which it holds."""
    grown = sum(steps)
    if grown < smallest or max(steps) < smallest:
        return "flat", 0
    tail = rates[-TAIL:]
    largest = max(rates)
    if all(step >= smallest for step in steps[-TAIL:]):
        if all(later < earlier for earlier, later in pairwise(rates)):
            return "saturating", 0
        if min(tail) >= 0.5 * max(tail):
            return "linear", _steady_from(rates)
        if _within_counting_noise(steps[-TAIL:]) and sum(tail) / TAIL >= 0.5 * sum(rates) / len(rates):
            return "linear", 0
        return ("saturating" if rates[-1] < 0.5 * largest else "noise"), 0
    if sum(max(step, 0.0) for step in steps[-2:]) <= 0.1 * max(steps):
        single = max(steps) >= 0.8 * grown and steps[0] < max(steps)
        return ("step" if single else "plateau"), 0
    return "noise", 0


def _steady_from(rates: list[float]) -> int:
    """First point of the tail in which every rung's rate is within a factor of two of the tail's mean."""
    mean = sum(rates[-TAIL:]) / TAIL
    start = len(rates) - TAIL
    while start > 0 and 0.5 * mean <= rates[start - 1] <= 2 * mean:
        start -= 1
    return start


def _within_counting_noise(steps: list[float]) -> bool:
    """Whether the steps differ no more than Poisson counts of their size do (three deviations)."""
    mean = sum(steps) / len(steps)
    return max(abs(step - mean) for step in steps) <= 3 * math.sqrt(mean)


def slope_with_interval(requests: Sequence[int], values: Sequence[float]) -> tuple[float, tuple[float, float]]:
    """Least-squares slope of ``values`` per request and its 95 % interval (infinite below 3 points)."""
    n = len(values)
    mean_x, mean_y = sum(requests) / n, sum(values) / n
    spread = sum((x - mean_x) ** 2 for x in requests)
    if spread == 0:
        return 0.0, (-math.inf, math.inf)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(requests, values, strict=True)) / spread
    if n < 3:
        return slope, (-math.inf, math.inf)
    residual = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in zip(requests, values, strict=True))
    error = math.sqrt(residual / (n - 2) / spread)
    t = STUDENT_T_95[n - 2] if n - 2 < len(STUDENT_T_95) else 2.0
    return slope, (slope - t * error, slope + t * error)
