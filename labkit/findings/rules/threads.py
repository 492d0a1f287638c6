"""Threads that are started and never end: their frames hold whatever they work on."""

from __future__ import annotations

import numpy as np

from labkit.findings.accumulation import Accumulation, root_kind
from labkit.findings.allocation import allocation_site, calling_site
from labkit.findings.draft import Draft
from labkit.findings.evidence import Evidence
from labkit.findings.model import AllocationSite, Suspect
from labkit.findings.rules.accumulated import is_steady
from labkit.findings.told import growth, series

#: Frames of these run in every thread and say nothing about which one it is.
MACHINERY = ("threading.", "concurrent.", "queue.", "selectors.", "socket.", "asyncio.")


def find(draft: Draft) -> None:
    """Make one suspect of the running threads that accumulate, and of the records kept of them."""
    rows = draft.evidence.populations.rows
    running = [
        one
        for one in draft.accumulations
        if one.retainer < 0 and root_kind(draft.evidence, one) == "thread" and is_steady(one)
    ]
    frames = [one for one in running if rows[one.tops[0]].type == "frame"]
    if not frames:
        return
    chief = min(frames, key=lambda one: _anonymity(rows[one.tops[0]].name))
    records = [place for place, one in draft.suspected.items() if _is_record(draft, one)]
    hanging = running + [draft.suspected[place] for place in records]
    draft.drop(records)
    draft.suspected[len(draft.suspects)] = chief
    draft.suspects.append(_suspect(draft, chief, hanging))


def _anonymity(function: str) -> int:
    """How little a function on a thread's stack says about which thread it is."""
    if not function.startswith(MACHINERY):
        return 0
    return 1 if function.endswith(".run") and function != "threading.Thread.run" else 2


def _is_record(draft: Draft, found: Accumulation) -> bool:
    """Whether this is what the ``threading`` module keeps about every thread that runs."""
    return draft.evidence.populations.path(found.tops[0])[0].edge == "module threading"


def _site(evidence: Evidence, found: list[Accumulation]) -> AllocationSite | None:
    """Where the threads are made: by their frames, else by what is kept of each."""
    sites = (allocation_site(evidence, one.leads, one.members) for one in found)
    return next((site for site in sites if site is not None), None)


def _suspect(draft: Draft, chief: Accumulation, hanging: list[Accumulation]) -> Suspect:
    evidence = draft.evidence
    function = evidence.populations.rows[chief.tops[0]].name
    counted = evidence.objects[chief.tops[0]]
    sizes = np.sum([one.bytes for one in hanging], axis=0)
    rate = chief.objects_trend.slope
    low, high = (sum(one.bytes_trend.interval95[side] for one in hanging) for side in (0, 1))
    size = sum(one.bytes_per_request for one in hanging)
    site = _site(evidence, [chief, *hanging])
    return Suspect(
        rank=0,
        kind="threads",
        retainer=function,
        retaining_path=["thread that does not end", function],
        grows=growth(evidence, "thread", rate, size, (min(low, size), max(high, size))),
        allocation_site=site,
        calling_site=calling_site(evidence, tuple(number for one in hanging for number in one.members), site),
        why=f"{rate:.2f} threads per request start to run {function} and none ends; each keeps its frames, "
        f"what they work on and its stack: {size:,.0f} bytes of Python objects per request.",
        series=series(evidence, counted, sizes),
    )
