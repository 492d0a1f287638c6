"""Private memory that grows although no Python object does: who asked for it, or what would tell."""

from __future__ import annotations

from collections import defaultdict

from labkit.findings import thresholds
from labkit.findings.draft import Draft
from labkit.findings.model import Suspect
from labkit.findings.native import NativeGrowth, native_growth, was_recorded
from labkit.findings.told import growth
from labkit.growth.trend import MIN_POINTS, trend_of

PAGE_BYTES = 4096


def find(draft: Draft) -> None:
    """When USS keeps growing faster than the suspects explain: suspect C code, or ask for a native recording."""
    per_rung: dict[int, dict[int, int]] = defaultdict(dict)
    requests: dict[int, int] = {}
    for sample in draft.evidence.samples:
        per_rung[sample.rung][sample.pid] = sample.uss_bytes
        requests[sample.rung] = sample.requests
    if len(per_rung) < MIN_POINTS:
        return
    rungs = sorted(per_rung)
    values = [float(sum(per_rung[rung].values())) for rung in rungs]
    trend = trend_of([requests[rung] for rung in rungs], values, smallest=8 * PAGE_BYTES, unit=8 * PAGE_BYTES)
    explained = sum(one.grows.bytes_per_request for one in draft.suspects if one.kind != "uncollected-cycles")
    explained += draft.garbage_bytes_per_request + draft.imported_bytes_per_request
    threads = sum(one.grows.objects_per_request for one in draft.suspects if one.kind == "threads")
    rest = trend.slope - 1.5 * explained - threads * thresholds.MAX_BYTES_PER_THREAD
    if trend.shape != "linear" or rest <= thresholds.MAX_UNEXPLAINED_BYTES_PER_REQUEST:
        return
    grows = f"private memory grows by {trend.slope:,.0f} bytes per request, of which Python objects explain "
    grows += f"{explained:,.0f}"
    found = native_growth(draft.evidence.capture)
    if found is not None and found.bytes_per_request >= thresholds.NATIVE_SHARE * rest:
        draft.suspects.append(_suspect(draft, found, trend.interval95, grows))
    elif was_recorded(draft.evidence.capture):
        seen = f"{found.bytes_per_request:,.0f} bytes per request" if found else "nothing"
        draft.missing.append(f"what keeps it: {grows}, and of what C code asked for memray saw {seen} stay")
    else:
        draft.missing.append(f"a native recording (--record memray --native): {grows}")


def _suspect(draft: Draft, found: NativeGrowth, interval95: tuple[float, float], grows: str) -> Suspect:
    function = found.function or "a function without a name"
    caller = f" called by {found.caller}" if found.caller else ""
    size, (low, high) = found.bytes_per_request, interval95  # two instruments: the interval has room for both
    return Suspect(
        rank=0,
        kind="native",
        retainer=f"{function} (C code{caller})",
        retaining_path=[],
        grows=growth(draft.evidence, "memory of C code", 0.0, size, (min(size, low), max(size, high))),
        allocation_site=found.site,
        why=f"{grows[0].upper()}{grows[1:]}. memray saw {found.bytes_per_request:,.0f} bytes per request stay, in "
        f"{found.allocations_per_request:.2f} allocations by {function}{caller}.",
    )
