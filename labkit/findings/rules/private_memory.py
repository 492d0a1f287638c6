"""Private memory that grows although no Python object does: say so, and say what would tell why."""

from __future__ import annotations

from collections import defaultdict

from labkit.findings import thresholds
from labkit.findings.draft import Draft
from labkit.growth.trend import MIN_POINTS, trend_of

PAGE_BYTES = 4096


def find(draft: Draft) -> None:
    """Ask for a native recording when USS keeps growing faster than the suspects explain."""
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
    if trend.shape == "linear" and rest > thresholds.MAX_UNEXPLAINED_BYTES_PER_REQUEST:
        draft.missing.append(
            f"a native recording (memray with native stacks): private memory grows by {trend.slope:,.0f} bytes "
            f"per request, of which Python objects explain {explained:,.0f}"
        )
