"""Two captures of the same service, before a change and after it: what became of each suspect.

Suspects are the same when they go by the same name and the same type grows. Two versions of an app may live in modules
of different names: what has no counterpart is compared again without the module by which the targets' names differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Literal

from pydantic import Field

from labkit.findings import thresholds
from labkit.findings.differences import Differences
from labkit.findings.limits import COUNTED_KINDS
from labkit.findings.model import Findings, Growth, Record, Suspect

Outcome = Literal["fixed", "better", "same", "worse", "new", "unknown"]
Verdict = Literal["clean", "fixed", "better", "same", "worse", "unknown"]
_Names = Callable[[Suspect], tuple[str, str]]


class Side(Record):
    """A suspect as one of the two captures shows it."""

    retainer: str
    kind: str
    grows: Growth


class Change(Record):
    """What became of one suspect, and why that can or cannot be said; a side is null where it was no suspect."""

    retainer: str
    outcome: Outcome
    before: Side | None = None
    after: Side | None = None
    why: str


class Comparison(Record):
    """All changes, and one verdict with what stands behind it where no change does.

    ``differences`` say how the two measurements differ, which comes first.
    """

    schema_: Literal["labkit.comparison/1"] = Field(default="labkit.comparison/1", alias="schema")
    before: str
    after: str
    differences: list[str] = Field(default_factory=list)
    verdict: Verdict
    why: list[str] = Field(default_factory=list)
    changes: list[Change]


ALIKE = Differences()


def compare(before: Findings, after: Findings, differ: Differences = ALIKE) -> Comparison:
    """Match the suspects of both; judge each pair by its intervals, each single one by what the other could see."""
    pairs, gone, come = _matched(before, after)
    changes = [_both(old, new, differ) for old, new in pairs]
    changes += [_single(old, after, differ, is_new=False) for old in gone]
    changes += [_single(new, before, differ, is_new=True) for new in come]
    verdict = _verdict(changes, before, after)
    is_open = verdict == "unknown" and all(change.outcome != "unknown" for change in changes)
    return Comparison(
        before=before.target,
        after=after.target,
        differences=differ.lines,
        verdict=verdict,
        why=[*_open("before", before), *_open("after", after)] if is_open else [],
        changes=changes,
    )


# ---- who is who --------------------------------------------------------------------------------------


def _matched(before: Findings, after: Findings) -> tuple[list[tuple[Suspect, Suspect]], list[Suspect], list[Suspect]]:
    """The pairs, those only before, those only after."""
    pairs: list[tuple[Suspect, Suspect]] = []
    gone, come = list(before.suspects), list(after.suspects)
    words, words_after = _words(before.target), _words(after.target)
    own, own_after = words - words_after, words_after - words
    for names, names_after in ((_names, _names), (_names_without(own), _names_without(own_after))):
        for old in list(gone):
            match = next((new for new in come if names_after(new) == names(old)), None)
            if match is not None:
                pairs.append((old, match))
                gone.remove(old)
                come.remove(match)
    return pairs, gone, come


def _words(target: str) -> set[str]:
    return set(re.findall(r"\w+", target))


def _names(suspect: Suspect) -> tuple[str, str]:
    return suspect.retainer, suspect.grows.type


def _names_without(modules: Iterable[str]) -> _Names:
    """Both names without their first part where that is the module by which the two targets differ."""
    own = set(modules)

    def inside(name: str) -> str:
        first, _, rest = name.partition(".")
        return rest if rest and first in own else name

    return lambda suspect: (inside(suspect.retainer), inside(suspect.grows.type))


# ---- what became of it -------------------------------------------------------------------------------


def _side(suspect: Suspect) -> Side:
    return Side(retainer=suspect.retainer, kind=suspect.kind, grows=suspect.grows)


def _both(old: Suspect, new: Suspect, differ: Differences) -> Change:
    outcome, why = _outcome(old, new)
    if differ.of_requests:
        outcome, why = "unknown", "it grows in both, but rates per request of other requests cannot be compared"
    return Change(retainer=new.retainer, outcome=outcome, before=_side(old), after=_side(new), why=why)


def _outcome(old: Suspect, new: Suspect) -> tuple[Outcome, str]:
    if old.grows.per != new.grows.per:
        return "unknown", f"one rate is per {old.grows.per}, the other per {new.grows.per}"
    counted = [suspect.kind in COUNTED_KINDS for suspect in (old, new)]
    if any(counted) != all(counted):
        return "unknown", "in one of them a number was counted, in the other bytes were"
    return _by_number(old.grows, new.grows) if all(counted) else _by_bytes(old.grows, new.grows)


def _by_number(old: Growth, new: Growth) -> tuple[Outcome, str]:
    """Of descriptors, connections and threads, whose numbers have no interval."""
    rate, new_rate = old.objects_per_request, new.objects_per_request
    if abs(new_rate - rate) <= thresholds.SAME_COUNT_SHARE * max(rate, new_rate):
        return "same", f"the numbers differ by no more than {thresholds.SAME_COUNT_SHARE:.0%}"
    return ("better", "it grows more slowly") if new_rate < rate else ("worse", "it grows faster")


def _by_bytes(old: Growth, new: Growth) -> tuple[Outcome, str]:
    (low, high), (new_low, new_high) = old.interval95, new.interval95
    if new_low <= high and low <= new_high:
        return "same", "the intervals overlap: within what was measured, it is the same"
    rate, new_rate = old.bytes_per_request, new.bytes_per_request
    if abs(new_rate - rate) <= thresholds.SAME_RATE_SHARE * max(rate, new_rate):
        return "same", f"the rates differ by no more than {thresholds.SAME_RATE_SHARE:.0%}"
    how = "more slowly" if new_rate < rate else "faster"
    return "better" if new_rate < rate else "worse", f"it grows {how}, and the intervals do not overlap"


def _single(suspect: Suspect, other: Findings, differ: Differences, *, is_new: bool) -> Change:
    """A suspect of one side alone: ``other`` must have been able to see it."""
    side = "before" if is_new else "after"
    blind = _blind(suspect, other, side)
    outcome: Outcome = "unknown"
    if open_ := _open(side, other):
        why = "; ".join(open_)
    elif differ.of_requests:
        why = f"it is no suspect {side}, where other requests were played"
    elif blind:
        why = blind
    else:
        outcome = "new" if is_new else "fixed"
        why = "it did not grow before" if is_new else "it no longer grows"
    shown = {"after": _side(suspect)} if is_new else {"before": _side(suspect)}
    return Change(retainer=suspect.retainer, outcome=outcome, why=why, **shown)


def _open(side: str, findings: Findings) -> list[str]:
    """What a side leaves open, in words; empty where it has its answer."""
    if findings.verdict != "inconclusive" and not findings.missing:
        return []
    was = "was" if side == "before" else "is"
    return [f"{side} {was} inconclusive: {'; '.join(findings.missing) or 'nothing says why'}"]


def _blind(suspect: Suspect, other: Findings, side: str) -> str:
    """Why ``other`` would not have seen it: its rungs gain too little of it; empty where it would."""
    if other.unit != suspect.grows.per:
        return f"{side} was measured per {other.unit}, this per {suspect.grows.per}"
    widths = _rung_widths(other)
    if not widths:
        return ""
    grows, width = suspect.grows, min(widths[-3:])  # growth must go on to the end: the last three rungs decide
    if suspect.kind == "native":
        gains, least, what = grows.bytes_per_request, thresholds.MIN_NATIVE_BYTES_PER_RUNG, "bytes"
    else:
        gains, least, what = grows.objects_per_request, thresholds.MIN_OBJECTS_PER_RUNG, "objects"
    if not gains or gains * width >= least:
        return ""
    return (
        f"{side} was too short to see it: a rung of {width:,} {other.unit}s gains {gains * width:,.1f} {what}, "
        f"and what gains fewer than {least:,.0f} is not told from noise"
    )


def _rung_widths(findings: Findings) -> list[int]:
    """Requests in each rung, from the looks from outside."""
    served: dict[int, int] = {}
    for sample in findings.samples:
        served[sample.rung] = max(sample.requests, served.get(sample.rung, 0))
    return [later - earlier for earlier, later in pairwise(served[rung] for rung in sorted(served))]


def _verdict(changes: list[Change], before: Findings, after: Findings) -> Verdict:
    outcomes = {change.outcome for change in changes}
    if outcomes & {"worse", "new"}:
        return "worse"
    if "unknown" in outcomes:
        return "unknown"
    if outcomes == {"same"}:
        return "same"
    if _open("after", after) or (not changes and _open("before", before)):
        return "unknown"
    if not changes:
        return "clean"
    return "fixed" if outcomes == {"fixed"} else "better"
