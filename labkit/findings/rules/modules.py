"""Modules made while serving: each is a root of its own, so that no single path shows how many there are.

Those imported once, late, are warm-up, and what comes with them: their contents, and the entries of their classes in
the tables of subclasses.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from labkit.findings import longer_run, thresholds
from labkit.findings.accumulation import Accumulation, noise_bytes, smallest_gain
from labkit.findings.allocation import allocation_site, calling_site
from labkit.findings.draft import Draft
from labkit.findings.evidence import Evidence
from labkit.findings.holders import holder_name
from labkit.findings.model import Explained, Suspect
from labkit.findings.told import growth, series
from labkit.growth.trend import trend_of
from labkit.heap.populations import Counts

Rungs = npt.NDArray[np.bool_]

TABLE = "sys.modules"
SUBCLASSES = ".__subclasses__"
_NAMED = 4


def find(draft: Draft) -> None:
    """Make a suspect of ``sys.modules`` when each rung brings new modules as steadily; else explain them."""
    evidence = draft.evidence
    modules = [
        number
        for number, row in enumerate(evidence.populations.rows)
        if row.parent < 0 and row.edge.startswith("module ")
    ]
    counts: Counts = evidence.objects[modules].sum(axis=0)
    trend = trend_of(evidence.requests, counts.tolist(), smallest=smallest_gain(evidence))
    new = [number for number in modules if evidence.objects[number, 0] == 0]
    members = [below for number in new for below in evidence.below(number)]
    sizes: Counts = evidence.bytes[members].sum(axis=0)
    if trend.shape != "linear":
        _explain(draft, [number for number in new if evidence.objects[number, -1]], int(sizes[-1]), np.diff(counts) > 0)
        return
    bytes_trend = trend_of(evidence.requests, sizes.tolist(), unit=noise_bytes(sizes))
    for found in draft.accumulations:
        if found.grows_in_place and holder_name(evidence, found) == TABLE:
            draft.settled.add(id(found))
    draft.suspects.append(
        _suspect(evidence, new, members, trend.slope, bytes_trend.slope, bytes_trend.interval95, sizes)
    )


def _explain(draft: Draft, new: list[int], size: int, imported: Rungs) -> None:
    """Settle what came with the modules ``new``; ``imported`` has one entry per rung."""
    if not new:
        return
    evidence = draft.evidence
    came_along = [found for found in draft.accumulations if _came_along(evidence, found, imported)]
    draft.settled.update(id(found) for found in came_along)
    names = _told(evidence, new)
    draft.imported_bytes_per_request = size / (evidence.requests[-1] - evidence.requests[0])
    if imported[-1] and any(one.bytes_per_request >= thresholds.MIN_SUSPECT_BYTES_PER_REQUEST for one in came_along):
        again = f"--warmup {longer_run.rounded_up(evidence.requests[-1])} has that done before the first snapshot"
        draft.lacks_requests(
            f"more requests: modules were imported as late as the last rung, and what came with them may go on growing "
            f"({names}){'' if evidence.unit == 'second' else f'; {again}'}"
        )
    elif size >= thresholds.MIN_EXPLAINED_BYTES:
        count = f"{len(new)} modules were" if len(new) > 1 else "one module was"
        why = f"{count} imported while serving ({names}), which happens once; modules and their classes stay."
        draft.explained.append(Explained(kind="warm-up", bytes=size, why=why))


def _came_along(evidence: Evidence, found: Accumulation, imported: Rungs) -> bool:
    """Whether all of the growth happened when the module it hangs from was imported; of tables of subclasses, any."""
    if found.trend.shape == "linear":
        return False
    grew = np.diff(found.bytes if found.grows_in_place else found.objects) > 0
    if found.retainer >= 0 and holder_name(evidence, found).endswith(SUBCLASSES):
        return not bool(np.any(grew & ~imported))
    roots = {_root(evidence, top) for top in found.tops}
    if any(evidence.objects[root, 0] for root in roots):
        return False
    appeared = np.diff(evidence.objects[list(roots)].sum(axis=0)) > 0
    return not bool(np.any(grew & ~appeared))


def _root(evidence: Evidence, number: int) -> int:
    rows = evidence.populations.rows
    while rows[number].parent >= 0:
        number = rows[number].parent
    return number


def _told(evidence: Evidence, new: list[int]) -> str:
    """The largest few, of a package and its parts the package alone, those that are nobody's part first."""
    rows = evidence.populations.rows
    size = {rows[n].edge.removeprefix("module "): int(evidence.bytes[evidence.below(n), -1].sum()) for n in new}
    tops = [name for name in size if not any(name.startswith(f"{other}.") for other in size)]
    tops.sort(key=lambda name: (name.startswith("_"), -size[name], name))
    more = len(size) - len(tops[:_NAMED])
    return ", ".join(tops[:_NAMED]) + (f" and {more} more" if more else "")


def _suspect(
    evidence: Evidence,
    new: list[int],
    members: list[int],
    rate: float,
    size: float,
    interval95: tuple[float, float],
    sizes: Counts,
) -> Suspect:
    counts = evidence.objects[new].sum(axis=0)
    site = allocation_site(evidence, tuple(new), tuple(members))
    return Suspect(
        rank=0,
        kind="python-objects",
        retainer=TABLE,
        retaining_path=["module sys", "modules", "dict", "[*]", "module"],
        retainer_step=1,
        grows=growth(evidence, "module", rate, size, interval95),
        allocation_site=site,
        calling_site=calling_site(evidence, tuple(members), site),
        why=f"{TABLE} gains {rate:.2f} modules per request, in the last rung as in the ones before: "
        f"{size:,.0f} bytes per request. Modules made while serving stay until somebody takes them out.",
        series=series(evidence, counts, sizes),
    )
