"""Growth that ended within the run: caches that fill to their bound, pools, lazy imports, warm-up."""

from __future__ import annotations

from labkit.findings import thresholds
from labkit.findings.accumulation import Accumulation, root_kind
from labkit.findings.draft import Draft
from labkit.findings.holders import holder_name
from labkit.findings.model import Explained
from labkit.findings.rules.accumulated import is_slow_and_large
from labkit.findings.told import things
from labkit.heap.roots import GARBAGE


def find(draft: Draft) -> None:
    """Explain accumulations that grew and then stopped."""
    suspected = {id(found) for found in draft.suspected.values()} | draft.settled
    for found in draft.accumulations:
        grown = int(found.bytes[-1] - found.bytes[0])
        if id(found) in suspected or grown < thresholds.MIN_EXPLAINED_BYTES or found.retainer < 0:
            continue
        if root_kind(draft.evidence, found) == GARBAGE or is_slow_and_large(found):
            continue
        if found.trend.shape in ("plateau", "step", "flat"):
            kind = "plateau" if found.trend.shape == "plateau" else "warm-up"
            draft.explained.append(Explained(kind=kind, bytes=grown, why=_why(draft, found, grown)))


def _why(draft: Draft, found: Accumulation, grown: int) -> str:
    name = holder_name(draft.evidence, found)
    what = draft.evidence.populations.rows[found.lead].type
    gain = f"by {grown:,} bytes" if found.grows_in_place else f"to {things(f'{int(found.objects[-1]):,}', what)}"
    return f"{name} grew {gain} and then stopped growing while the load went on."
