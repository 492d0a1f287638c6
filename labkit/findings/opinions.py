"""Second opinions: what other tools saw grow, whether that is the suspect, and why it may not be.

Each tool sees a part. The reasons given here are about the tool, not about this capture; docs/recordings.md has the
whole table, and which of it was measured.
"""

from __future__ import annotations

from collections.abc import Sequence

from labkit.findings.model import SecondOpinion, SeenGrowth, Suspect
from labkit.store.capture import Capture
from labkit.store.recordings import Recording, Row, read_rows

MOST_SEEN = 5
#: Types the collector does not track; objgraph does not count their objects.
UNTRACKED = frozenset({"str", "bytes", "bytearray", "int", "float", "complex", "bool"})
OWN_FILES = ("picture", "raw")

_TYPES_DIFFER = "It counts by type: it can say that more are there, not what holds them."
_UNTRACKED = "It counts only what the collector tracks, and {type} is not tracked."
_NOT_FOUND = "In its window there were no more of {type} than before."
_SAME_LINE = "It names the line that allocated what grows, not what holds it."
_NO_LINE = "The suspect's line is not known, so there is nothing to compare."
_OTHER_LINE = (
    "It charges the line that asked the allocator for memory. An object made of memory that was kept for reuse is "
    "charged to whoever asked for that first."
)
_POOLS = (
    "It sees memory that is asked for from the system. Small objects come from pools that Python asks for as a "
    "whole: the line that needed a new pool is charged."
)
_STACKS = "It shows where time goes, or what a thread waits for. It measures no memory."


def second_opinions(capture: Capture, suspects: Sequence[Suspect]) -> list[SecondOpinion]:
    """One for each recording of the capture, in its order; a file that cannot be read is told as ``why_not``."""
    first = suspects[0] if suspects else None
    return [_opinion(capture, entry, first) for entry in capture.recordings]


def _opinion(capture: Capture, entry: Recording, suspect: Suspect | None) -> SecondOpinion:
    opinion = SecondOpinion(
        tool=entry.tool,
        version=entry.version,
        pid=entry.pid,
        window_s=entry.window_s,
        requests=entry.requests,
        cost=entry.cost,
        files=[entry.files[what] for what in OWN_FILES if what in entry.files],
        why_not=entry.why_not,
    )
    if entry.why_not:
        return opinion
    try:
        rows = _grown(capture, entry)
    except (OSError, ValueError, KeyError) as error:
        return opinion.model_copy(update={"why_not": f"its recording cannot be read: {error}"})
    seen = [_seen(row) for row in rows[:MOST_SEEN]]
    if entry.tool == "py-spy":
        return opinion.model_copy(update={"saw": seen, "why": _STACKS})
    agrees, match, why = _compared(entry.tool, rows, suspect)
    return opinion.model_copy(update={"saw": seen, "agrees": agrees, "match": match, "why": why})


def _grown(capture: Capture, entry: Recording) -> list[Row]:
    """What there is more of after the window than before it, the most first."""
    if "over" in entry.files:
        rows = list(read_rows(capture.folder, entry, "over"))
        return [row for row in rows if row.places or entry.tool != "py-spy"]
    before = {_key(row): row for row in read_rows(capture.folder, entry, "before")}
    grown = []
    for row in read_rows(capture.folder, entry, "after"):
        old = before.get(_key(row))
        count = row.count - (old.count if old else 0)
        size_bytes = row.size_bytes
        if size_bytes is not None and old is not None:
            size_bytes -= old.size_bytes or 0
        if count > 0 and (size_bytes is None or size_bytes > 0):
            grown.append(Row(row.what, count, size_bytes, row.places))
    return sorted(grown, key=lambda row: (-(row.size_bytes or row.count), row.what))


def _key(row: Row) -> object:
    return row.places or row.what


def _seen(row: Row) -> SeenGrowth:
    what = "{} ({}:{})".format(row.what, *row.places[0]) if row.places and row.size_bytes is None else row.what
    return SeenGrowth(what=what.removeprefix("builtins."), objects=row.count, bytes=row.size_bytes)


def _compared(tool: str, rows: Sequence[Row], suspect: Suspect | None) -> tuple[bool | None, SeenGrowth | None, str]:
    """Whether the suspect is among what grew, its row there, and the reason."""
    if tool in ("objgraph", "guppy3"):
        if suspect is None:
            return None, None, _TYPES_DIFFER
        found = next((row for row in rows if row.what.removeprefix("builtins.") == suspect.grows.type), None)
        if found is not None:
            return True, _seen(found), _TYPES_DIFFER
        untracked = tool == "objgraph" and suspect.grows.type in UNTRACKED
        return False, None, (_UNTRACKED if untracked else _NOT_FOUND).format(type=suspect.grows.type)
    otherwise = _POOLS if tool == "memray" else _OTHER_LINE
    if suspect is None:
        return None, None, otherwise
    sites = {(site.file, site.line) for site in (suspect.allocation_site, suspect.heaviest_site) if site}
    if not sites:
        return None, None, _NO_LINE
    found = next((row for row in rows if sites.intersection(row.places)), None)
    if found is None:
        return False, None, otherwise
    return True, _seen(found), _SAME_LINE
