"""Which longer run would settle what is open, as an option with a number that follows from what was played."""

from __future__ import annotations

import math

from labkit.findings import thresholds
from labkit.findings.accumulation import Accumulation
from labkit.findings.evidence import Evidence
from labkit.growth.trend import decline_ratio

#: So much longer, where nothing tells how much would do.
TIMES = 4
#: What is full to this share is called full.
_FULL = 0.99
#: In a run that shows the end, the last two rungs gain this share of the first; a tenth counts as none.
_END_SHARE = 0.02
#: A slower decline says too little about where it ends.
_SLOWEST_DECLINE = 0.97


def times(evidence: Evidence, factor: float) -> str:
    """The option for rungs ``factor`` times as long: ``--requests 800 (200 were played in each rung)``."""
    wide = evidence.requests_per_rung
    number = rounded_up(factor * wide)
    if evidence.unit == "second":
        return f"--every {number} (snapshots were {wide:,.0f} s apart)"
    return f"--requests {number} ({wide:,.0f} were played in each rung)"


def rounded_up(number: float) -> int:
    """To two digits, for nobody can tell more."""
    return math.ceil(number / _unit(number)) * _unit(number)


def until_it_stops(evidence: Evidence, found: Accumulation) -> str:
    """Of growth that slows down: where it seems to end, and the run that would show whether it does."""
    values = found.bytes if found.grows_in_place else found.objects
    ratio = decline_ratio([int(value) for value in values])
    rungs = len(values) - 1
    if found.grows_in_place or not 0 < ratio <= _SLOWEST_DECLINE:
        return f"{times(evidence, TIMES)} shows whether it stops"
    limit = int(values[0]) + int(values[-1] - values[0]) / (1 - ratio**rungs)
    full_after = evidence.requests[0] + evidence.requests_per_rung * math.log(1 - _FULL) / math.log(ratio)
    return (
        f"if it is filling up, it would be full at about {_roughly(limit)} after about {_roughly(full_after)} "
        f"{evidence.unit}s: {times(evidence, _factor(ratio, rungs))} shows whether it stops"
    )


def until_it_counts(evidence: Evidence, found: Accumulation) -> str:
    """Of few but large objects: the run in which their number can be judged."""
    rate = found.objects_trend.total / (evidence.requests[-1] - evidence.requests[0])
    if rate <= thresholds.MIN_OBJECTS_PER_REQUEST:
        return "too few for a longer run to count: look whether it may hold as much"
    enough = 2 * thresholds.MIN_OBJECTS_PER_RUNG / rate
    return f"{times(evidence, max(enough / evidence.requests_per_rung, 2))} shows whether it goes on"


def _factor(ratio: float, rungs: int) -> float:
    """So many times longer must rungs be for the last two to gain next to nothing of what the first does."""
    factor = 1.0
    while ratio ** (factor * (rungs - 2)) + ratio ** (factor * (rungs - 1)) > _END_SHARE:
        factor *= 1.1
    return factor


def _roughly(number: float) -> str:
    return f"{round(number / _unit(number)) * _unit(number):,}"


def _unit(number: float) -> int:
    return int(10 ** max(math.floor(math.log10(max(number, 1))) - 1, 0))
