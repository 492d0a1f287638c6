"""Threads that are started and never end: their frames hold whatever they work on."""

from __future__ import annotations

import numpy as np

from labkit.findings.accumulation import Accumulation, root_kind
from labkit.findings.allocation import allocation_site
from labkit.findings.draft import Draft
from labkit.findings.model import Growth, SeriesPoint, Suspect
from labkit.findings.rules.accumulated import is_steady

#: Frames of these run in every thread and say nothing about which one it is.
MACHINERY = ("threading.", "concurrent.", "queue.", "selectors.", "socket.", "asyncio.")


def find(draft: Draft) -> None:
    """Make one suspect of all growth that hangs from the frames of running threads."""
    hanging = [one for one in draft.accumulations if root_kind(draft.evidence, one) == "thread" and is_steady(one)]
    rows = draft.evidence.populations.rows
    running = [one for one in hanging if rows[one.tops[0]].type == "frame" and one.retainer < 0]
    if not running:
        return
    chief = min(running, key=lambda one: rows[one.tops[0]].name.startswith(MACHINERY))
    draft.suspected[len(draft.suspects)] = chief
    draft.suspects.append(_suspect(draft, chief, hanging))


def _suspect(draft: Draft, chief: Accumulation, hanging: list[Accumulation]) -> Suspect:
    evidence = draft.evidence
    function = evidence.populations.rows[chief.tops[0]].name
    counted = evidence.objects[chief.tops[0]]
    sizes = np.sum([one.bytes for one in hanging], axis=0)
    rate = chief.objects_trend.slope
    low, high = (sum(one.bytes_trend.interval95[side] for one in hanging) for side in (0, 1))
    size = sum(one.bytes_per_request for one in hanging)
    return Suspect(
        rank=0,
        kind="threads",
        retainer=function,
        retaining_path=["thread that does not end", function],
        grows=Growth(
            type="thread",
            objects_per_request=round(rate, 4),
            bytes_per_request=round(size, 1),
            interval95=(round(low, 1), round(high, 1)),
        ),
        allocation_site=allocation_site(evidence, chief.lead, chief.members),
        why=f"{rate:.2f} threads per request start to run {function} and none ends; each keeps its frames, "
        f"what they work on and its stack: {size:,.0f} bytes of Python objects per request.",
        series=[
            SeriesPoint(requests=requests, objects=int(count), bytes=int(total))
            for requests, count, total in zip(evidence.requests, counted, sizes, strict=True)
        ],
    )
