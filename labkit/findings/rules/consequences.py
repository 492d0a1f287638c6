"""Growth that only follows from a suspect's: one cause is one suspect, with everything that comes of it below it."""

from __future__ import annotations

from labkit.findings.accumulation import Accumulation
from labkit.findings.draft import Draft
from labkit.findings.holders import holder_name
from labkit.findings.model import Explained

#: Their tables hold weak references that remove themselves when what they refer to dies.
WEAK_CONTAINERS = ("_weakrefset.WeakSet", "weakref.WeakValueDictionary", "weakref.WeakKeyDictionary")
#: So much faster may the weak references grow: each is counted a moment earlier or later.
SAME_RATE = 1.1


def find(draft: Draft) -> None:
    """Explain suspects whose growth ends when a larger suspect lets go of what it keeps."""
    following: dict[int, str] = {}
    for place, found in draft.suspected.items():
        cause = _cause(draft, place, found)
        if cause is not None:
            following[place] = cause
    for place, why in following.items():
        found = draft.suspected[place]
        grown = int(found.bytes[-1] - found.bytes[0])
        draft.explained.append(Explained(kind="consequence", bytes=grown, why=why))
        draft.settled.add(id(found))
    draft.drop(list(following))


def _cause(draft: Draft, place: int, found: Accumulation) -> str | None:
    """Why the growth at ``place`` follows from another suspect's; None when it stands for itself."""
    name = holder_name(draft.evidence, found)
    larger = [
        (chief, draft.suspects[other])
        for other, chief in draft.suspected.items()
        if other != place and chief.bytes_per_request > found.bytes_per_request
    ]
    for _, suspect in larger:
        if name in suspect.also_held_by:
            return f"{name} grows because it holds what {suspect.retainer} gains, and is named there."
    fast = [one for one in larger if found.objects_trend.slope <= SAME_RATE * one[0].objects_trend.slope]
    if fast and _is_weak(draft, found):
        _, suspect = min(fast, key=lambda one: one[0].objects_trend.slope)
        return f"{name} holds weak references; they go when what {suspect.retainer} gains is let go."
    return None


def _is_weak(draft: Draft, found: Accumulation) -> bool:
    rows = draft.evidence.populations.rows
    number = found.retainer
    for _ in range(3):  # the table, the container's own namespace, the container
        if number < 0:
            return False
        if rows[number].type in WEAK_CONTAINERS:
            return True
        number = rows[number].parent
    return False
