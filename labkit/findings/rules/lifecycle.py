"""Requests that outlive their responses: said of the suspect that keeps them, for nothing else may."""

from __future__ import annotations

from labkit.findings.draft import Draft
from labkit.findings.lifecycle import classes_of_one_request, outlived


def find(draft: Draft) -> None:
    """Say of each suspect that keeps objects of requests that their responses have ended."""
    rows = draft.evidence.populations.rows
    for heap in draft.evidence.lasts[:1]:
        names = classes_of_one_request(heap.graph)
        seen = outlived(heap.tree) if names else None
        if seen is None:
            continue
        for place, found in draft.suspected.items():
            if any(rows[number].type in names for number in found.members):
                suspect = draft.suspects[place]
                more = f" {seen.kept:,} of {seen.alive:,} living {' and '.join(seen.types)} belong to no running call: "
                why = f"{suspect.why}{more}their responses have ended."
                draft.suspects[place] = suspect.model_copy(update={"why": why})
