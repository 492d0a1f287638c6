"""Growth that ended within the run: caches that fill to their bound, pools, lazy imports, warm-up."""

from __future__ import annotations

from labkit.findings import thresholds
from labkit.findings.draft import Draft
from labkit.findings.holders import holder_node
from labkit.findings.model import Explained
from labkit.heap.naming import dotted_name


def find(draft: Draft) -> None:
    """Explain accumulations that grew and then stopped."""
    suspected = {id(found) for found in draft.suspected.values()}
    for found in draft.accumulations:
        grown = int(found.bytes[-1] - found.bytes[0])
        if id(found) in suspected or grown < thresholds.MIN_EXPLAINED_BYTES or found.retainer < 0:
            continue
        if found.objects_trend.shape in ("plateau", "step", "flat"):
            name = dotted_name(draft.evidence.last.tree, holder_node(draft.evidence, found))
            last = int(found.objects[-1])
            what = draft.evidence.populations.rows[found.lead].type
            draft.explained.append(
                Explained(
                    kind="plateau" if found.objects_trend.shape == "plateau" else "warm-up",
                    bytes=grown,
                    why=f"{name} grew to {last:,} {what} and then stopped growing while the load went on.",
                )
            )
