"""Memory that grows although no Python object does: who asked for it, what would tell, or that nobody holds it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from labkit.findings import thresholds
from labkit.findings.draft import Draft
from labkit.findings.ledger import Parts, parts_per_rung
from labkit.findings.model import Explained, Suspect
from labkit.findings.native import NativeGrowth, native_growth, small_growth, was_recorded
from labkit.findings.told import growth
from labkit.growth.trend import MIN_POINTS, Trend, slope_with_interval, trend_of

PAGE_BYTES = 4096
#: What nobody named is called this.
NAMELESS = "C code without a name"


@dataclass(frozen=True)
class _Rest:
    """Growth that no Python object explains; ``is_held``: allocators say that it was handed out and not given back."""

    bytes_per_request: float
    interval95: tuple[float, float]
    words: str
    is_held: bool


def find(draft: Draft) -> None:
    """When memory keeps growing faster than the suspects explain: suspect C code, or say what would tell.

    Where the allocators were asked, memory that they hold free is fragmentation, however it grows.
    """
    parts = parts_per_rung(draft.evidence)
    rest = _held_by_c(draft, parts)
    if rest is None and (not parts or parts[-1].unexplained_bytes > 0):  # below zero: touched now, asked for long ago
        rest = _private(draft)
    free = _growing_free(draft, parts)
    _explain_free(draft, parts, free)
    if rest is None:
        return
    if not rest.is_held and free is not None and free.slope >= thresholds.NATIVE_SHARE * rest.bytes_per_request:
        return
    found, small = native_growth(draft.evidence.capture), small_growth(draft.evidence.capture)
    least = thresholds.NATIVE_SHARE * rest.bytes_per_request
    if found is not None and found.bytes_per_request >= least:
        _place(draft, _suspect(draft, found, rest))
    elif small is not None and small.bytes_per_request >= least and rest.is_held:
        _place(draft, _of_small(draft, small, rest))
    elif was_recorded(draft.evidence.capture) and rest.is_held:
        _place(draft, _nameless(draft, rest))
    elif was_recorded(draft.evidence.capture):
        seen = f"{found.bytes_per_request:,.0f} bytes per request" if found else "nothing"
        draft.missing.append(f"what keeps it: {rest.words}, and of what C code asked for memray saw {seen} stay")
    else:
        draft.wanted.add("native-recording")
        draft.missing.append(f"a native recording (--record memray --native): {rest.words}")


def _place(draft: Draft, native: Suspect) -> None:
    """A suspect of its own, or what C code holds of the objects that another suspect gains: their line tells."""
    lines = {
        (site.file, site.line)
        for one in draft.suspects
        for site in (one.allocation_site, one.heaviest_site, one.calling_site)
        if site is not None
    }
    site = native.allocation_site
    size = native.grows.bytes_per_request
    if not draft.suspects or (site is not None and lines and (site.file, site.line) not in lines):
        draft.suspects.append(native)
        return
    chief = max(draft.suspects, key=lambda one: one.grows.bytes_per_request)
    if site is not None and lines:
        grown = int(size * (draft.evidence.requests[-1] - draft.evidence.requests[0]))
        why = f"{native.retainer} keeps memory for what {chief.retainer} gains: it is asked for in the same line."
        draft.explained.append(Explained(kind="consequence", bytes=grown, why=why))
        return
    draft.missing.append(
        f"whether {size:,.0f} bytes per request that {native.retainer} keeps belong to what {chief.retainer} gains: "
        "mend that first, and measure again"
    )


def _explained(draft: Draft) -> float:
    """Bytes per request that the suspects, garbage and late imports account for."""
    explained = sum(one.grows.bytes_per_request for one in draft.suspects if one.kind != "uncollected-cycles")
    return explained + draft.garbage_bytes_per_request + draft.imported_bytes_per_request


def _held_by_c(draft: Draft, parts: list[Parts]) -> _Rest | None:
    """What the allocators handed out and no live Python object is made of, where that keeps growing."""
    if len(parts) < MIN_POINTS:
        return None
    requests = draft.evidence.requests
    trend = trend_of(
        requests,
        [one.native_bytes for one in parts],
        smallest=thresholds.MIN_NATIVE_BYTES_PER_RUNG,
        unit=thresholds.MIN_NATIVE_BYTES_PER_RUNG,
    )
    live = trend_of(requests, [one.live_python_bytes for one in parts], smallest=PAGE_BYTES, unit=PAGE_BYTES)
    slack = thresholds.ROUNDED_UP_SHARE * max(live.slope, 0.0)
    rest = trend.slope - slack - _explained(draft)
    if trend.shape != "linear" or rest < thresholds.MIN_NATIVE_BYTES_PER_REQUEST:
        return None
    words = f"memory that C code asked for and did not give back grows by {trend.slope:,.0f} bytes per request"
    return _Rest(rest, trend.interval95, words, is_held=True)


def _private(draft: Draft) -> _Rest | None:
    """Private memory as the kernel counts it, beyond what the suspects explain."""
    per_rung: dict[int, dict[int, int]] = defaultdict(dict)
    requests: dict[int, int] = {}
    for sample in draft.evidence.samples:
        per_rung[sample.rung][sample.pid] = sample.uss_bytes
        requests[sample.rung] = sample.requests
    if len(per_rung) < MIN_POINTS:
        return None
    rungs = sorted(per_rung)
    values = [float(sum(per_rung[rung].values())) for rung in rungs]
    trend = trend_of([requests[rung] for rung in rungs], values, smallest=8 * PAGE_BYTES, unit=8 * PAGE_BYTES)
    live, _ = slope_with_interval(draft.evidence.requests, draft.evidence.bytes.sum(axis=0).tolist())
    explained = max(_explained(draft), live)  # what fills up and stops is no suspect, and Python's all the same
    threads = sum(one.grows.objects_per_request for one in draft.suspects if one.kind == "threads")
    rest = trend.slope - 1.5 * explained - threads * thresholds.MAX_BYTES_PER_THREAD
    if trend.shape != "linear" or rest <= thresholds.MAX_UNEXPLAINED_BYTES_PER_REQUEST:
        return None
    words = f"private memory grows by {trend.slope:,.0f} bytes per request, of which Python objects explain "
    return _Rest(rest, trend.interval95, words + f"{explained:,.0f}", is_held=False)


def _growing_free(draft: Draft, parts: list[Parts]) -> Trend | None:
    """The trend of what allocators hold free, where it keeps growing."""
    if len(parts) < MIN_POINTS:
        return None
    smallest = 8 * PAGE_BYTES
    free = [one.allocator_free_bytes for one in parts]
    trend = trend_of(draft.evidence.requests, free, smallest=smallest, unit=smallest)
    return trend if trend.shape == "linear" else None


def _explain_free(draft: Draft, parts: list[Parts], growing: Trend | None) -> None:
    """A large part of a worker that is free inside its allocators."""
    if not parts:
        return
    last = parts[-1]
    size = last.allocator_free_bytes
    if size < thresholds.MIN_FREE_BYTES or size < thresholds.FREE_SHARE * last.rss_bytes:
        return
    why = (
        f"{size:,} bytes are free inside the allocators of Python and C: nothing holds them, and new objects fill them"
    )
    if growing is not None:
        why += f"; they grow by {growing.slope:,.0f} bytes per request, for what lives scatters over them"
    draft.explained.append(Explained(kind="fragmentation", bytes=size, why=why + "."))


def _suspect(draft: Draft, found: NativeGrowth, rest: _Rest) -> Suspect:
    function = found.function or "a function without a name"
    caller = f" called by {found.caller}" if found.caller else ""
    size, (low, high) = found.bytes_per_request, rest.interval95  # two instruments: the interval has room for both
    return Suspect(
        rank=0,
        kind="native",
        retainer=f"{function} (C code{caller})",
        retaining_path=[],
        grows=growth(draft.evidence, "memory of C code", 0.0, size, (min(size, low), max(size, high))),
        allocation_site=found.site,
        why=f"{_sentence(rest)} memray saw {found.bytes_per_request:,.0f} bytes per request stay, in "
        f"{found.allocations_per_request:.2f} allocations by {function}{caller}.",
    )


def _of_small(draft: Draft, found: NativeGrowth, rest: _Rest) -> Suspect:
    """What Python's own allocator handed out and no live object is made of: nobody refers to it any more."""
    caller = f"C code called by {found.caller}"
    size, (low, high) = found.bytes_per_request, rest.interval95
    return Suspect(
        rank=0,
        kind="native",
        retainer=f"{found.function} ({caller})" if found.function else caller,
        retaining_path=[],
        grows=growth(draft.evidence, "memory of C code", 0.0, size, (min(size, low), max(size, high))),
        allocation_site=found.site,
        why=f"{_sentence(rest)} memray saw {size:,.0f} bytes per request stay, in {found.allocations_per_request:.2f} "
        f"allocations for {caller}: memory of an extension, or objects that it counts once too often, which no "
        "reference leads to.",
    )


def _nameless(draft: Draft, rest: _Rest) -> Suspect:
    return Suspect(
        rank=0,
        kind="native",
        retainer=NAMELESS,
        retaining_path=[],
        grows=growth(draft.evidence, "memory of C code", 0.0, rest.bytes_per_request, rest.interval95),
        why=f"{_sentence(rest)} memray saw nobody ask for it, as when it is asked for through ctypes.",
    )


def _sentence(rest: _Rest) -> str:
    return f"{rest.words[0].upper()}{rest.words[1:]}."
