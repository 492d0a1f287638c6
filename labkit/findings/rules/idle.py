"""Live workers that did next to nothing while they were watched: that nothing grew says nothing."""

from __future__ import annotations

from labkit.findings import thresholds
from labkit.findings.draft import Draft


def find(draft: Draft) -> None:
    """Ask for traffic where workers used hardly more time than the snapshots take."""
    notes = draft.evidence.capture.manifest.get("notes")
    used = notes.get("cpu_s") if isinstance(notes, dict) else None
    if draft.evidence.unit != "second" or draft.suspects or not isinstance(used, int | float):
        return
    watched = draft.evidence.requests[-1] - draft.evidence.requests[0]
    workers = max(len(draft.evidence.lasts), 1)
    expected = thresholds.IDLE_SHARE * watched + thresholds.SNAPSHOT_CPU_S * len(draft.evidence.requests)
    if used <= workers * expected:
        draft.missing.append(
            f"traffic: the workers used {used:.2f} s of CPU in {watched} s, which is next to nothing; what requests "
            "leave behind shows only while there are some"
        )
