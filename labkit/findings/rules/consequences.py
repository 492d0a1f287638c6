"""Growth that only follows from a suspect's: one cause is one suspect, with everything that comes of it below it."""

from __future__ import annotations

from labkit.findings.accumulation import Accumulation
from labkit.findings.draft import Draft
from labkit.findings.evidence import FoldedHeap
from labkit.findings.holders import heap_of, holder_name, holder_node
from labkit.findings.model import Explained

#: Their tables hold weak references that remove themselves when what they refer to dies.
WEAK_CONTAINERS = ("_weakrefset.WeakSet", "weakref.WeakValueDictionary", "weakref.WeakKeyDictionary")
#: The table of what ``weakref.finalize`` is to call: an entry goes when its object dies.
FINALIZERS = "weakref.finalize._registry"
#: What a thread keeps for each threading.local it has used, as long as that is there.
LOCAL_OF_A_THREAD = "_thread._localdummy"
#: Up to Python 3.11 it gathers what is written in a list that no traversal shows.
TEXT_BUFFER = "_io.StringIO"
#: So much faster may the weak references grow: each is counted a moment earlier or later.
SAME_RATE = 1.1
#: A part takes less than this share of the whole's bytes, and there are few of one kind in each.
_LITTLE = 0.25
_MOST_WITH_EACH = 4
#: Populations under a list of weak references: they, and what their callbacks consist of.
_PARTS = 4


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
        if other != place and draft.suspects[other].grows.bytes_per_request > found.bytes_per_request
    ]
    for _, suspect in larger:
        if name in suspect.also_held_by or suspect.retainer in draft.suspects[place].also_held_by:
            return f"{name} grows because it holds what {suspect.retainer} gains."
    for other, chief in draft.suspected.items():
        if other != place and _are_pieces_of(draft, place, chief):
            return (
                f"{name} grows with {draft.suspects[other].retainer}: texts that its {TEXT_BUFFER} objects gather in C."
            )
    rate = found.objects_trend.slope
    fast = [one for one in larger if rate <= SAME_RATE * one[0].objects_trend.slope]
    if fast and _is_weak(draft, found):
        _, suspect = min(fast, key=lambda one: one[0].objects_trend.slope)
        return f"{name} holds weak references; they go when what {suspect.retainer} gains is let go."
    for chief, suspect in larger:
        if _comes_with(rate, chief.objects_trend.slope) and _same_owner(draft, found, chief):
            return f"{name} grows along with {suspect.retainer}, which belongs to the same object."
        if _comes_with(rate, chief.objects_trend.slope) and _is_of_weak_references(draft, found):
            return f"{name} holds one weak reference for each that {suspect.retainer} gains."
        if _comes_with(rate, chief.objects_trend.slope) and name == FINALIZERS:
            return f"{name} has a finalizer for each that {suspect.retainer} gains; it goes with what it waits for."
        if _comes_with(rate, chief.objects_trend.slope) and found.bytes_per_request < _LITTLE * (
            suspect.grows.bytes_per_request
        ):
            if name.endswith(".__subclasses__"):
                return f"{name} lists the classes that {suspect.retainer} gains, without holding them."
            if draft.evidence.populations.rows[found.lead].type == LOCAL_OF_A_THREAD:
                return f"A thread keeps one entry for each threading.local that {suspect.retainer} gains."
            if draft.suspects[place].kind == "c-reference":
                return f"{name} grows with {suspect.retainer}: what C code holds of it, a thread's stack for instance."
    return None


def _comes_with(rate: float, of: float) -> bool:
    """Whether so many come with each of the other: one, two or a few, and no fraction."""
    each = round(rate / of) if of > 0 else 0
    return 1 <= each <= _MOST_WITH_EACH and abs(rate / of - each) <= SAME_RATE - 1


def _are_pieces_of(draft: Draft, place: int, chief: Accumulation) -> bool:
    """Whether lists held from C are the pieces that text buffers among what ``chief`` gains have gathered."""
    rows, found = draft.evidence.populations.rows, draft.suspected[place]
    return (
        draft.suspects[place].kind == "c-reference"
        and {rows[number].type for number in found.tops} == {"list"}
        and any(rows[number].type == TEXT_BUFFER for number in chief.members)
    )


def _same_owner(draft: Draft, found: Accumulation, chief: Accumulation) -> bool:
    """Whether both are held by attributes of one object, as a registry's tables are; a module is too wide for that."""
    evidence = draft.evidence
    heap = heap_of(evidence, found)
    if found.retainer < 0 or chief.retainer < 0 or heap_of(evidence, chief) is not heap:
        return False
    owners = [_owner(heap, holder_node(evidence, one)) for one in (found, chief)]
    return owners[0] == owners[1] and heap.graph.type_of(owners[0]) not in ("module", "frame", "type")


def _owner(heap: FoldedHeap, node: int) -> int:
    """Whose attribute ``node`` is; itself where it is nobody's."""
    above = int(heap.tree.parent[node])
    if above >= 0 and heap.graph.label_of(int(heap.tree.parent_edge[above])) == "__dict__":
        above = int(heap.tree.parent[above])
    return above if above >= 0 and "." in heap.graph.type_of(above) else node


def _is_of_weak_references(draft: Draft, found: Accumulation) -> bool:
    rows = draft.evidence.populations.rows
    return {rows[number].type for number in found.tops} == {"weakref.ReferenceType"} and len(found.members) <= _PARTS


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
