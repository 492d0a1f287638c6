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

from labkit.errors import AnalysisError, TooFewSnapshots

Shape = Literal["flat", "linear", "saturating", "plateau", "step", "noise"]

MIN_POINTS = 5  # a warm-up and four rungs
TAIL = 3  # rungs at the end that must agree

#: Differences of deviances that chance exceeds once in 3, 20 and 100 times (chi squared, 1 degree).
HINT = 1.0
SIGNIFICANT = 3.84
VERY_SIGNIFICANT = 6.63

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


def trend_of(requests: Sequence[int], values: Sequence[float], *, smallest: float = 1.0, unit: float = 1.0) -> Trend:
    """Judge ``values`` at the cumulative ``requests``; growth under ``smallest`` per rung is flat.

    ``unit`` is the size of one event (an object: 1), which tells how much a rung may differ by chance.
    Raises TooFewSnapshots below MIN_POINTS points, AnalysisError when ``requests`` do not ascend.
    """
    if len(values) < MIN_POINTS:
        raise TooFewSnapshots(
            "There are too few snapshots for a trend.",
            seen=f"{len(values)} snapshots",
            hint="--rungs 4 or more",
        )
    steps = [b - a for a, b in pairwise(values)]
    widths = [b - a for a, b in pairwise(requests)]
    if min(widths) <= 0:
        raise AnalysisError("Between two snapshots no request was served.", seen=f"requests {list(requests)}")
    mean_width = sum(widths) / len(widths)
    even = [step * mean_width / width for step, width in zip(steps, widths, strict=True)]
    shape, start = _shape(even, smallest, unit)
    slope, interval = slope_with_interval(requests[start:], values[start:])
    return Trend(shape, slope, interval, values[-1] - values[0], start)


def _shape(steps: list[float], smallest: float, unit: float) -> tuple[Shape, int]:
    """The shape of the growth per rung, and the point from which it holds."""
    grown = sum(steps)
    if grown < smallest or max(steps) < smallest:
        return "flat", 0
    if _grows_throughout(steps[-TAIL:], smallest, unit):
        start = _steady_from([max(step, 0.0) / unit for step in steps])
        if start is None or _falls_short(steps[start:], unit):
            return "saturating", 0
        return ("linear" if _grows_throughout(steps[start:], smallest, unit) else "noise"), start
    if sum(max(step, 0.0) for step in steps[-2:]) <= 0.1 * max(steps):
        single = max(steps) >= 0.8 * grown and steps[0] < max(steps)
        return ("step" if single else "plateau"), 0
    return "noise", 0


def _grows_throughout(steps: list[float], smallest: float, unit: float) -> bool:
    """Whether every rung grows, or those that do not are within chance of a mean that does.

    The deviance from a constant is judged by its expectation under chance and three deviations of it.
    So few events tell little, so not even a hint of decline is allowed.
    """
    if all(step >= smallest for step in steps):
        return True
    if min(steps) < 0 or sum(steps) < smallest * len(steps):
        return False
    counts = [step / unit for step in steps]
    free = len(counts) - 1
    return _deviance(counts, _level(counts)) <= free + 3 * math.sqrt(2 * free) and not _declines(counts, HINT)


def _steady_from(counts: list[float]) -> int | None:
    """The rung from which growth is steady; None when it declines and may well end.

    A cache filled by random keys from a finite set gains less on each rung, by a constant factor. Growth
    that declines significantly is steady only if "free first rungs, then a constant" explains the counts
    better than that decline does, each judged by its Poisson deviance.
    """
    if not _declines(counts):
        return 0
    decline = _best_decline(counts)
    for start in range(1, len(counts) - TAIL + 1):
        tail = counts[start:]
        if decline - _deviance(tail, _level(tail)) > VERY_SIGNIFICANT + 2 * (start - 1):
            return start if not _declines(tail) else None
    return None


def _declines(counts: list[float], threshold: float = SIGNIFICANT) -> bool:
    return _deviance(counts, _level(counts)) - _best_decline(counts) > threshold


def _falls_short(steps: list[float], unit: float) -> bool:
    """Whether the last rung gains less than those before it, by more than chance and by a tenth at least.

    So ends what lets go by age, or is full within that rung: what came before it was as steady as a leak.
    """
    *before, last = (max(step, 0.0) / unit for step in steps)
    mean = sum(before) / len(before)
    return last < 0.9 * mean and _deviance([last], [mean]) > VERY_SIGNIFICANT


def _best_decline(counts: list[float]) -> float:
    """The deviance from the decline by a constant factor that fits best."""
    return min(_deviance(counts, _decline(counts, step / 50)) for step in range(50))


def decline_ratio(values: Sequence[float]) -> float:
    """By which factor each step of ``values`` is less than the one before, as fits best; 1 where none is less."""
    counts = [max(b - a, 0.0) for a, b in pairwise(values)]
    if not any(counts):
        return 1.0
    return min((step / 200 for step in range(1, 201)), key=lambda ratio: _deviance(counts, _decline(counts, ratio)))


def _level(counts: list[float]) -> list[float]:
    """The best constant."""
    return [sum(counts) / len(counts)] * len(counts)


def _decline(counts: list[float], ratio: float) -> list[float]:
    """The best decline by ``ratio`` per rung."""
    weights = [ratio**place for place in range(len(counts))]
    return [sum(counts) / sum(weights) * weight for weight in weights]


def _deviance(counts: list[float], expected: list[float]) -> float:
    """Poisson deviance: twice the log likelihood ratio to a perfect fit."""
    total = 0.0
    for count, mean in zip(counts, expected, strict=True):
        mean = max(mean, 1e-9)
        total += mean - count + (count * math.log(count / mean) if count > 0 else 0.0)
    return 2 * total


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
