"""Cycles nobody refers to: memory that comes back at the next collection, unless the collector is switched off."""

from __future__ import annotations

import numpy as np

from labkit.findings import thresholds
from labkit.findings.allocation import allocation_site, calling_site, heaviest_site
from labkit.findings.draft import Draft
from labkit.findings.evidence import Evidence
from labkit.findings.model import Explained, Suspect
from labkit.findings.told import growth, series
from labkit.growth.trend import trend_of
from labkit.heap.populations import Counts
from labkit.heap.roots import GARBAGE

RETAINER = "garbage that nobody collects"


def find(draft: Draft) -> None:
    """Explain garbage that grew; with the collector off for the whole run it is a suspect."""
    evidence = draft.evidence
    numbers = _garbage(evidence)
    objects: Counts = evidence.objects[numbers].sum(axis=0)
    sizes: Counts = evidence.bytes[numbers].sum(axis=0)
    if not numbers or sizes[-1] - sizes.min() < thresholds.MIN_GARBAGE_BYTES:
        return  # the tide between two collections
    trend = trend_of(evidence.requests, sizes.tolist(), smallest=thresholds.MIN_GARBAGE_BYTES / len(sizes), unit=1024)
    draft.garbage_bytes_per_request = max(trend.slope, 0.0)
    if trend.shape == "linear" and not any(evidence.collects):
        draft.suspects.append(_suspect(evidence, numbers, objects, sizes, trend.slope, trend.interval95))
        return
    draft.explained.append(
        Explained(
            kind="uncollected-cycles",
            bytes=int(sizes[-1]),
            why=f"{int(objects[-1]):,} objects refer only to each other; the next full collection frees them.",
        )
    )


def _garbage(evidence: Evidence) -> list[int]:
    """All populations that hang from no root at all."""
    rows = evidence.populations.rows
    tops = [number for number, row in enumerate(rows) if row.parent < 0 and row.edge.partition(" ")[0] == GARBAGE]
    return [below for top in tops for below in evidence.below(top)]


def _suspect(
    evidence: Evidence,
    numbers: list[int],
    objects: Counts,
    sizes: Counts,
    slope: float,
    interval95: tuple[float, float],
) -> Suspect:
    rows = evidence.populations.rows
    gain = evidence.objects[numbers, -1] - evidence.objects[numbers, 0]
    named = np.array(["." in rows[number].type for number in numbers])
    worth = np.where(named & (gain >= thresholds.LEAD_SHARE * gain.max()), gain + gain.max(), gain)
    lead = numbers[int(np.argmax(worth))]
    rate = trend_of(evidence.requests, evidence.objects[lead].tolist()).slope
    site = allocation_site(evidence, (lead,), tuple(numbers))
    return Suspect(
        rank=0,
        kind="uncollected-cycles",
        retainer=RETAINER,
        retaining_path=["nothing: garbage that waits for the collector", rows[lead].type],
        grows=growth(evidence, rows[lead].type, rate, slope, interval95),
        allocation_site=site,
        heaviest_site=heaviest_site(evidence, tuple(numbers), site),
        calling_site=calling_site(evidence, tuple(numbers), site),
        why=f"The collector was switched off at every snapshot, and {slope:,.0f} bytes per request end up in cycles "
        f"that only it could free: {int(objects[-1]):,} objects at the last snapshot.",
        series=series(evidence, objects, sizes),
    )
