"""Workers that ended, or came, while the others were watched: what they held nobody followed."""

from __future__ import annotations

from labkit.findings.draft import Draft


def find(draft: Draft) -> None:
    """Say that they are left out; without a suspect among those that stayed nothing is settled."""
    for pid in draft.evidence.left_out:
        draft.missing.append(
            f"process {pid} from the first snapshot to the last: it ended or came meanwhile, as recycled workers do, "
            "and is left out"
        )
