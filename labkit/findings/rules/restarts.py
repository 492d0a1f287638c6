"""Workers that ended, or came, while the others were watched: what they held nobody followed."""

from __future__ import annotations

from labkit.findings.draft import Draft

_LONGEST_TEXT = 200


def find(draft: Draft) -> None:
    """Say who is left out, and what cut a series short; without a suspect nothing is settled then."""
    notes = draft.evidence.capture.manifest.get("notes")
    cut_short = notes.get("ended_early") if isinstance(notes, dict) else None
    if isinstance(cut_short, str):
        draft.missing.append(f"the rest of the series, which ended early, {cut_short[:_LONGEST_TEXT]}")
    for pid in draft.evidence.left_out:
        draft.missing.append(
            f"process {pid} from the first snapshot to the last: it ended or came meanwhile, as recycled workers do, "
            "and is left out"
        )
