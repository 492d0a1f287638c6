"""Objects that keep accumulating under one reference: the main road to a suspect."""

from __future__ import annotations

import numpy as np

from labkit.findings import longer_run, thresholds
from labkit.findings.accumulation import Accumulation, root_kind
from labkit.findings.allocation import allocation_site, calling_site, heaviest_site
from labkit.findings.co_holders import CoHolders, co_holders
from labkit.findings.draft import Draft
from labkit.findings.evidence import Evidence
from labkit.findings.holders import heap_of, holder_name, path_of, retained_bytes
from labkit.findings.model import Explained, Suspect
from labkit.findings.told import growth, series, things
from labkit.heap.roots import GARBAGE, HELD_FROM_C

CACHE_TYPE = "functools._lru_cache_wrapper"
CACHE_LINK_TYPE = "functools._lru_list_elem"
TRACEBACK_TYPES = ("traceback", "frame")

#: Shapes that may still become a leak, in words: of objects, and of bytes in place.
UNDECIDED = {
    "saturating": ("still gains objects, but fewer of late", "still grows, but less of late"),
    "noise": ("gains objects unevenly", "grows unevenly"),
}

_SCATTERED = " Most of them have one more holder each, of its own."


def find(draft: Draft) -> None:
    """Turn every steady accumulation into a suspect; one that slows down asks for more requests."""
    for found in draft.accumulations:
        root = root_kind(draft.evidence, found)
        if root == GARBAGE or (root == "thread" and found.retainer < 0):
            continue  # rules of their own
        if id(found) in draft.settled:
            continue
        if found.bytes_per_request < thresholds.MIN_SUSPECT_BYTES_PER_REQUEST:
            continue
        if fills_a_bound(draft.evidence, found):
            if found.trend.shape in ("linear", *UNDECIDED):
                holder = holder_name(draft.evidence, found)
                if heap_of(draft.evidence, found).tree.libraries.owns(holder):
                    draft.explained += _filling(found, holder)
                    continue
                line = f"more requests: {holder} is an lru_cache with a bound and was not seen full; "
                line += f"{longer_run.times(draft.evidence, longer_run.TIMES)} shows more of it"
                draft.lacks_requests(line)
        elif is_steady(found):
            draft.suspected[len(draft.suspects)] = found
            draft.suspects.append(suspect_of(draft.evidence, found))
        elif (shape := _undecided(found)) and not _gives_back(found):
            holder = holder_name(draft.evidence, found)
            draft.lacks_requests(f"more requests: {holder} {shape}; {_what_settles(draft.evidence, found)}")


def _filling(found: Accumulation, holder: str) -> list[Explained]:
    """A library's own cache that is not full yet; it has a bound, and nobody can change it."""
    grown = int(found.bytes[-1] - found.bytes[0])
    why = f"{holder} is a library's lru_cache with a bound, and still filling."
    return [Explained(kind="warm-up", bytes=grown, why=why)] if grown >= thresholds.MIN_EXPLAINED_BYTES else []


def _what_settles(evidence: Evidence, found: Accumulation) -> str:
    if found.trend.shape == "saturating":
        return longer_run.until_it_stops(evidence, found)
    if found.trend.shape == "noise":
        return f"{longer_run.times(evidence, longer_run.TIMES)} shows whether it stops"
    return longer_run.until_it_counts(evidence, found)


def _undecided(found: Accumulation) -> str:
    """What is open about growth that is neither steady nor over, in words; empty when nothing is."""
    if found.trend.shape in UNDECIDED:
        return UNDECIDED[found.trend.shape][found.grows_in_place]
    if is_slow_and_large(found):
        return f"gains few objects, but {found.bytes_per_request:,.0f} bytes per request"
    return ""


def is_slow_and_large(found: Accumulation) -> bool:
    """Whether objects come too slowly to be judged by their number, but are so large that their bytes count."""
    return (
        found.objects_trend.shape == "flat"
        and found.bytes_trend.shape == "linear"
        and found.bytes[-1] - found.bytes[0] >= thresholds.MIN_EXPLAINED_BYTES
    )


def _gives_back(found: Accumulation) -> bool:
    """Whether some rung let go of half of what the fullest rung gained: something empties it."""
    steps = np.diff(found.bytes if found.grows_in_place else found.objects)
    return bool(-steps.min() >= 0.5 * steps.max())


def fills_a_bound(evidence: Evidence, found: Accumulation) -> bool:
    """Whether the growth is in a ``functools.lru_cache`` with a bound: only those keep their own entries in links."""
    rows = evidence.populations.rows
    cache = found.retainer
    while cache >= 0 and rows[cache].type != CACHE_TYPE:
        cache = rows[cache].parent if rows[cache].type in (CACHE_LINK_TYPE, "dict") else -1
    if cache < 0:
        return False
    own = evidence.children[cache]
    near = own + [number for table in own if rows[table].type == "dict" for number in evidence.children[table]]
    return any(rows[number].type == CACHE_LINK_TYPE for number in near)


def is_steady(found: Accumulation) -> bool:
    """Whether the last rungs grow as the ones before them did."""
    return found.trend.shape == "linear"


def suspect_of(evidence: Evidence, found: Accumulation) -> Suspect:
    """Put an accumulation into words, with its path, its holder and its allocation site."""
    lead = evidence.populations.rows[found.lead]
    kind = _kind(evidence, found)
    name = retainer_name(evidence, found)
    low, high = found.interval95
    rate = 0.0 if found.grows_in_place else found.objects_trend.slope
    held = found.retainer >= 0
    others = co_holders(evidence, found) if held and not found.grows_in_place else CoHolders()
    path, step = path_of(evidence, found)
    site = allocation_site(evidence, found.leads, found.members)
    return Suspect(
        rank=0,
        kind=kind,
        retainer=name,
        retaining_path=path,
        retainer_step=step if held else None,
        held_by_library=held and heap_of(evidence, found).tree.libraries.owns(name),
        grows=growth(evidence, _type_of(evidence, found), rate, found.bytes_per_request, (low, high)),
        allocation_site=site,
        heaviest_site=heaviest_site(evidence, found.members, site),
        calling_site=calling_site(evidence, found.members, site),
        why=_why(name, lead.type, rate, found.bytes_per_request, kind) + (_SCATTERED if others.scattered else ""),
        also_held_by=list(others.names),
        retained_size_bytes=retained_bytes(evidence, found) if held else None,
        retained_together_bytes=others.retained_bytes,
        series=series(evidence, found.objects, found.bytes),
    )


def _type_of(evidence: Evidence, found: Accumulation) -> str:
    """The type that grows; of classes and functions that all have one name, that name."""
    lead = evidence.populations.rows[found.lead]
    if lead.type not in ("type", "function"):
        return lead.type
    heap = heap_of(evidence, found)
    names = {heap.graph.own_name(node) for node in np.flatnonzero(np.isin(heap.numbers, found.leads)).tolist()}
    return (names.pop() if len(names) == 1 else "") or lead.type


def retainer_name(evidence: Evidence, found: Accumulation) -> str:
    """The dotted name of the holder, or an honest word where nothing with a name holds the growth."""
    if found.retainer >= 0:
        return holder_name(evidence, found)
    return f"a reference held from C (to {evidence.populations.rows[found.lead].type})"


def _kind(evidence: Evidence, found: Accumulation) -> str:
    held_by_root = found.retainer < 0 or evidence.populations.rows[found.retainer].parent < 0
    if held_by_root and root_kind(evidence, found) == HELD_FROM_C:
        return "c-reference"
    gained = evidence.objects[list(found.members), -1] - evidence.objects[list(found.members), 0]
    fast = found.objects_trend.total * thresholds.SAME_GROWTH_SHARE
    types = {
        evidence.populations.rows[number].type
        for number, gain in zip(found.members, gained.tolist(), strict=True)
        if gain >= fast and gain > 0
    }
    return "traceback" if types.intersection(TRACEBACK_TYPES) else "python-objects"


def _why(name: str, kind: str, rate: float, size: float, what: str) -> str:
    if rate <= 0:
        return f"{name} grows by {size:,.0f} bytes with every request and is never cut back."
    gain = things(f"{rate:.2f}" if rate < 0.995 else f"{rate:.0f}" if rate >= 1.5 else "one", kind)
    tail = {
        "traceback": " Each kept exception holds its traceback, and with it the frames and all they worked on.",
        "c-reference": " No Python object refers to them: the reference is counted, but held by C code.",
    }.get(what, "")
    return (
        f"{name} gains {gain} per request, in the last rung as in the ones before: {size:,.0f} bytes per request.{tail}"
    )
