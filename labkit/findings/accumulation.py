"""Where growth accumulates: the reference that does not grow and holds what does.

Walking a path from the root, the first population that gains objects on every rung marks the
accumulation point; the step before it is the retainer. What grows under one retainer is one
accumulation, whatever the number of types it consists of.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from labkit.findings import thresholds
from labkit.findings.evidence import Evidence
from labkit.growth.trend import Trend, trend_of
from labkit.heap.populations import Counts


@dataclass(frozen=True)
class Accumulation:
    """What grows under one retainer.

    ``retainer`` is a population number, -1 when the newcomers hang from no root by name. ``tops`` are
    the growing populations right below it, ``members`` all populations from there down, ``lead`` the
    one whose type says best what grows. ``grows_in_place``: bytes grow without a growing number of
    objects, as in a buffer or a string. Series have one value per rung.
    """

    retainer: int
    tops: tuple[int, ...]
    members: tuple[int, ...]
    lead: int
    grows_in_place: bool
    objects: Counts
    bytes: Counts
    objects_trend: Trend
    bytes_trend: Trend
    overhead_bytes_per_request: float

    @property
    def trend(self) -> Trend:
        """The trend that decides: of objects; for growth in place, of bytes."""
        return self.bytes_trend if self.grows_in_place else self.objects_trend

    @property
    def bytes_per_request(self) -> float:
        """Slope of what is held, plus the growth of the holding container itself."""
        return self.bytes_trend.slope + self.overhead_bytes_per_request


def accumulations(evidence: Evidence) -> list[Accumulation]:
    """All accumulations of whatever shape, largest growth in bytes per request first."""
    gaining, swelling = _gaining(evidence)
    rows = evidence.populations.rows
    groups: dict[int, list[int]] = defaultdict(list)
    for number in sorted(gaining):
        parent = rows[number].parent
        if parent not in gaining:
            groups[parent if parent >= 0 else -1 - number].append(number)
    found = [_accumulation(evidence, retainer, tops) for retainer, tops in groups.items()]
    found += [_accumulation(evidence, rows[number].parent, [number], in_place=True) for number in sorted(swelling)]
    return sorted(found, key=lambda one: (-one.bytes_per_request, one.retainer, one.lead))


def root_kind(evidence: Evidence, found: Accumulation) -> str:
    """The kind of root the growth hangs from: ``module``, ``thread``, ``held-from-c``, ``garbage`` ..."""
    return evidence.populations.path(found.tops[0])[0].edge.partition(" ")[0]


def _gaining(evidence: Evidence) -> tuple[set[int], set[int]]:
    """Populations that gained objects enough to look at, and those that gained bytes in place."""
    objects = evidence.objects[:, -1] - evidence.objects[:, 0]
    bytes_gained = evidence.bytes[:, -1] - evidence.bytes[:, 0]
    served = evidence.requests[-1] - evidence.requests[0]
    enough = objects >= _smallest(evidence)
    swollen = ~enough & (bytes_gained >= thresholds.MIN_BYTES_PER_REQUEST_IN_PLACE * served)
    gaining = set(np.flatnonzero(enough).tolist())
    holders = {evidence.populations.rows[number].parent for number in gaining}
    inside = {below for number in gaining for below in evidence.below(number)}
    return gaining, set(np.flatnonzero(swollen).tolist()) - holders - inside


def _smallest(evidence: Evidence) -> float:
    """The least number of objects that counts as growth of a rung."""
    return max(thresholds.MIN_OBJECTS_PER_RUNG, thresholds.MIN_OBJECTS_PER_REQUEST * evidence.requests_per_rung)


def _accumulation(evidence: Evidence, retainer: int, tops: list[int], *, in_place: bool = False) -> Accumulation:
    members = tops if in_place else sorted({number for top in tops for number in evidence.below(top)})
    lead = tops[0] if in_place else _lead(evidence, tops, members)
    objects = evidence.objects[lead]
    sizes: Counts = evidence.bytes[members].sum(axis=0)
    served = evidence.requests[-1] - evidence.requests[0]
    own = evidence.bytes[retainer] if retainer >= 0 and not in_place else np.zeros_like(sizes)
    overhead = max(int(own[-1] - own[0]), 0) / served
    smallest = _smallest(evidence)
    return Accumulation(
        retainer=max(retainer, -1),
        tops=tuple(tops),
        members=tuple(members),
        lead=lead,
        grows_in_place=in_place,
        objects=objects,
        bytes=sizes + own,
        objects_trend=trend_of(evidence.requests, objects.tolist(), smallest=smallest),
        bytes_trend=trend_of(evidence.requests, sizes.tolist(), smallest=smallest, unit=_noise_bytes(sizes)),
        overhead_bytes_per_request=overhead,
    )


def _noise_bytes(sizes: Counts) -> float:
    """How much a rung's bytes may differ by chance: a fifth, for buffers grow in steps of their own."""
    return max(float(np.diff(sizes).max()) / 25, 1.0)


def _lead(evidence: Evidence, tops: list[int], members: list[int]) -> int:
    """The population whose type says best what grows: a class somebody wrote, close to the retainer."""
    gain = {number: int(evidence.objects[number, -1] - evidence.objects[number, 0]) for number in members}
    most_on_top = max(gain[number] for number in tops)
    rows = evidence.populations.rows
    base = min(rows[number].depth for number in tops)

    def preference(number: int) -> tuple[bool, int, int]:
        row = rows[number]
        is_class = "." in row.type and not row.type.startswith(("functools.", "weakref."))
        return (not is_class, row.depth - base, -gain[number])

    fast = [number for number in members if gain[number] >= thresholds.LEAD_SHARE * most_on_top]
    near = [number for number in fast if rows[number].depth - base <= 4]
    return min(near or tops, key=preference)
