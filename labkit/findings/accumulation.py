"""Where growth accumulates: the reference that does not grow and holds what does.

Walking a path from the root, the first population that gains objects on every rung marks the
accumulation point; the step before it is the retainer. What grows under one retainer is one
accumulation, whatever the number of types it consists of. Several workers may reach the same holder by
different paths (one through the server's records, one through its own stack); what has the same holder
is added up before any trend is judged, for no worker's share of the load is even.
"""

from __future__ import annotations

import builtins
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from labkit.findings import thresholds
from labkit.findings.evidence import Evidence
from labkit.growth.trend import Trend, trend_of
from labkit.heap.naming import local_name
from labkit.heap.populations import Counts

#: Classes without a module in their name that say what they are.
BUILTIN_EXCEPTIONS = frozenset(
    name for name, thing in vars(builtins).items() if isinstance(thing, type) and issubclass(thing, BaseException)
)
#: Classes of the standard library that say what a value is, and not what it is for.
VALUES = ("functools.", "weakref.", "decimal.", "datetime.", "uuid.", "ipaddress.", "fractions.", "dataclasses.")


@dataclass(frozen=True)
class Accumulation:
    """What grows under one retainer.

    ``retainer`` is a population number, -1 when the newcomers hang from no root by name. ``tops`` are
    the growing populations right below it, ``members`` all populations from there down, ``leads`` those
    whose type says best what grows, one for each path by which workers reach the holder.
    ``grows_in_place``: bytes grow without a growing number of objects, as in a buffer or a string.
    Series have one value per rung.
    """

    retainer: int
    tops: tuple[int, ...]
    members: tuple[int, ...]
    leads: tuple[int, ...]
    grows_in_place: bool
    objects: Counts
    bytes: Counts
    objects_trend: Trend
    bytes_trend: Trend
    overhead_bytes_per_request: float
    overhead_step_bytes_per_request: float

    @property
    def lead(self) -> int:
        """The first of ``leads``; all have the same type."""
        return self.leads[0]

    @property
    def trend(self) -> Trend:
        """The trend that decides: of objects; for growth in place, of bytes."""
        return self.bytes_trend if self.grows_in_place else self.objects_trend

    @property
    def bytes_per_request(self) -> float:
        """Slope of what is held, plus the growth of the holding container itself."""
        return self.bytes_trend.slope + self.overhead_bytes_per_request

    @property
    def interval95(self) -> tuple[float, float]:
        """Of ``bytes_per_request``. The container itself grows in leaps: one more or less is allowed for."""
        low, high = self.bytes_trend.interval95
        extra, step = self.overhead_bytes_per_request, self.overhead_step_bytes_per_request
        return low + max(extra - step, 0.0), high + extra + step


def accumulations(evidence: Evidence) -> list[Accumulation]:
    """All accumulations of whatever shape, largest growth in bytes per request first."""
    gaining, swelling = _gaining(evidence)
    rows = evidence.populations.rows
    groups: dict[int, list[int]] = defaultdict(list)
    for number in sorted(gaining):
        parent = rows[number].parent
        if parent not in gaining:
            groups[parent if parent >= 0 else -1 - number].append(number)
    paths = [_Path(max(retainer, -1), tops, _lead(evidence, tops)) for retainer, tops in groups.items()]
    paths += [_Path(rows[number].parent, [number], number, in_place=True) for number in sorted(swelling)]
    found = [_accumulation(evidence, same) for same in _by_holder(evidence, paths)]
    return sorted(found, key=lambda one: (-one.bytes_per_request, one.retainer, one.lead))


def root_kind(evidence: Evidence, found: Accumulation) -> str:
    """The kind of root the growth hangs from: ``module``, ``thread``, ``held-from-c``, ``garbage`` ..."""
    return evidence.populations.path(found.tops[0])[0].edge.partition(" ")[0]


def _gaining(evidence: Evidence) -> tuple[set[int], set[int]]:
    """Populations that gained objects enough to look at, and those that gained bytes in place."""
    objects = evidence.objects[:, -1] - evidence.objects[:, 0]
    bytes_gained = evidence.bytes[:, -1] - evidence.bytes[:, 0]
    served = evidence.requests[-1] - evidence.requests[0]
    enough = objects >= smallest_gain(evidence)
    swollen = ~enough & (bytes_gained >= thresholds.MIN_BYTES_PER_REQUEST_IN_PLACE * served)
    gaining = set(np.flatnonzero(enough).tolist())
    holders = {evidence.populations.rows[number].parent for number in gaining}
    inside = {below for number in gaining for below in evidence.below(number)}
    return gaining, set(np.flatnonzero(swollen).tolist()) - holders - inside


def smallest_gain(evidence: Evidence) -> float:
    """The least number of objects that counts as growth of a rung."""
    return max(thresholds.MIN_OBJECTS_PER_RUNG, thresholds.MIN_OBJECTS_PER_REQUEST * evidence.requests_per_rung)


@dataclass(frozen=True)
class _Path:
    """One path to a holder and what grows below it."""

    retainer: int
    tops: list[int]
    lead: int
    in_place: bool = False


def _by_holder(evidence: Evidence, paths: list[_Path]) -> list[list[_Path]]:
    """Paths that end at the same holder in different workers, together; otherwise each alone."""
    same: dict[object, list[_Path]] = defaultdict(list)
    for place, path in enumerate(paths):
        same[_holder_key(evidence, path) or place].append(path)
    found: list[list[_Path]] = []
    for together in same.values():
        workers = [worker for path in together for worker in _workers_with(evidence, path)]
        found += [together] if len(workers) == len(set(workers)) else [[path] for path in together]
    return found


def _workers_with(evidence: Evidence, path: _Path) -> list[int]:
    """In which of the last heaps the path leads to something."""
    return [worker for worker, heap in enumerate(evidence.lasts) if (heap.numbers == path.lead).any()]


def _holder_key(evidence: Evidence, path: _Path) -> tuple[str, str, bool] | None:
    """What is the same of one holder in all workers: the end of its name, the type that grows, and how."""
    named = path.lead if path.in_place else path.retainer
    if len(evidence.lasts) < 2 or named < 0:
        return None
    heap = evidence.lasts[evidence.heap_with([named])]
    nodes = np.flatnonzero(heap.numbers == named)
    if not len(nodes):
        return None
    return local_name(heap.tree, int(nodes[0])), evidence.populations.rows[path.lead].type, path.in_place


def _accumulation(evidence: Evidence, paths: list[_Path]) -> Accumulation:
    in_place = paths[0].in_place
    tops = [number for path in paths for number in path.tops]
    members = tops if in_place else sorted({number for top in tops for number in evidence.below(top)})
    leads = [path.lead for path in paths]
    retainers = [] if in_place else sorted({path.retainer for path in paths if path.retainer >= 0})
    objects: Counts = evidence.objects[leads].sum(axis=0)
    sizes: Counts = evidence.bytes[members].sum(axis=0)
    own: Counts = evidence.bytes[retainers].sum(axis=0)
    served = evidence.requests[-1] - evidence.requests[0]
    smallest = smallest_gain(evidence)
    return Accumulation(
        retainer=paths[0].retainer,
        tops=tuple(tops),
        members=tuple(members),
        leads=tuple(leads),
        grows_in_place=in_place,
        objects=objects,
        bytes=sizes + own,
        objects_trend=trend_of(evidence.requests, objects.tolist(), smallest=smallest),
        bytes_trend=trend_of(evidence.requests, sizes.tolist(), smallest=smallest, unit=noise_bytes(sizes)),
        overhead_bytes_per_request=max(int(own[-1] - own[0]), 0) / served,
        overhead_step_bytes_per_request=max(int(np.diff(own).max()), 0) / served,
    )


def noise_bytes(sizes: Counts) -> float:
    """How much a rung's bytes may differ by chance: a fifth, for buffers grow in steps of their own."""
    return max(float(np.diff(sizes).max()) / 25, 1.0)


def _lead(evidence: Evidence, tops: list[int]) -> int:
    """The population whose type says best what grows: a class somebody wrote, close to the retainer."""
    members = sorted({number for top in tops for number in evidence.below(top)})
    gain = {number: int(evidence.objects[number, -1] - evidence.objects[number, 0]) for number in members}
    most_on_top = max(gain[number] for number in tops)
    rows = evidence.populations.rows
    base = min(rows[number].depth for number in tops)

    def preference(number: int) -> tuple[bool, int, bool, int]:
        row = rows[number]
        is_class = "." in row.type and not row.type.startswith(VALUES)
        is_class = is_class or row.type in BUILTIN_EXCEPTIONS  # else a kept error is told by what its frames hold
        is_class = is_class or (row.type == "type" and row.depth == base)  # else a made class by what it consists of
        return (not is_class, row.depth - base, row.edge == "key", -gain[number])

    fast = [number for number in members if gain[number] >= thresholds.LEAD_SHARE * most_on_top]
    near = [number for number in fast if rows[number].depth - base <= 4]
    return min(near or tops, key=preference)
