"""Requests that outlive their responses: said of the suspect that keeps them, for nothing else may."""

from __future__ import annotations

from labkit.findings.draft import Draft
from labkit.findings.lifecycle import classes_of_one_request, outlived


def find(draft: Draft) -> None:
    """Say of each suspect that keeps objects of requests that their responses have ended."""
    rows, heap = draft.evidence.populations.rows, draft.evidence.lasts[0]
    seen = outlived(heap.tree)
    if seen is None:
        return
    names = classes_of_one_request(heap.graph)
    for place, found in draft.suspected.items():
        if any(rows[number].type in names for number in found.members):
            suspect = draft.suspects[place]
            draft.suspects[place] = suspect.model_copy(update={"why": f"{suspect.why} {seen.fact()}."})
