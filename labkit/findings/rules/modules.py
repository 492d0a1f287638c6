"""Modules made while serving: each is a root of its own, so that no single path shows how many there are."""

from __future__ import annotations

from labkit.findings.accumulation import noise_bytes, smallest_gain
from labkit.findings.allocation import allocation_site, calling_site
from labkit.findings.draft import Draft
from labkit.findings.evidence import Evidence
from labkit.findings.holders import holder_name
from labkit.findings.model import Suspect
from labkit.findings.told import growth, series
from labkit.growth.trend import trend_of
from labkit.heap.populations import Counts

TABLE = "sys.modules"


def find(draft: Draft) -> None:
    """Make a suspect of ``sys.modules`` when each rung brings new modules, as the ones before it did."""
    evidence = draft.evidence
    modules = [
        number
        for number, row in enumerate(evidence.populations.rows)
        if row.parent < 0 and row.edge.startswith("module ")
    ]
    counts: Counts = evidence.objects[modules].sum(axis=0)
    trend = trend_of(evidence.requests, counts.tolist(), smallest=smallest_gain(evidence))
    if trend.shape != "linear":
        return
    new = [number for number in modules if evidence.objects[number, 0] == 0]
    members = [below for number in new for below in evidence.below(number)]
    sizes: Counts = evidence.bytes[members].sum(axis=0)
    bytes_trend = trend_of(evidence.requests, sizes.tolist(), unit=noise_bytes(sizes))
    for found in draft.accumulations:
        if found.grows_in_place and holder_name(evidence, found) == TABLE:
            draft.settled.add(id(found))
    draft.suspects.append(
        _suspect(evidence, new, members, trend.slope, bytes_trend.slope, bytes_trend.interval95, sizes)
    )


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
        why=f"{TABLE} gains {rate:.2f} modules per request, in the last rung as in the ones before, and lets none go: "
        f"{size:,.0f} bytes per request. Modules made while serving stay until somebody takes them out.",
        series=series(evidence, counts, sizes),
    )
