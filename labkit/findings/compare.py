"""Two captures of the same service, before a change and after it: what became of each suspect.

Suspects are the same when they go by the same name and the same type grows. Two versions of an app may live in modules
of different names: what has no counterpart is compared again without the first part of its names.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from labkit.findings.model import Findings, Growth, Record, Suspect

Outcome = Literal["fixed", "better", "same", "worse", "new", "unknown"]
Verdict = Literal["clean", "fixed", "better", "same", "worse", "unknown"]


class Change(Record):
    """What became of one suspect. ``before`` and ``after`` are its growth, null where it was no suspect."""

    retainer: str
    outcome: Outcome
    before: Growth | None = None
    after: Growth | None = None
    why: str


class Comparison(Record):
    """All changes, and one verdict; ``differences`` say how the two measurements differ, which comes first."""

    schema_: Literal["labkit.comparison/1"] = Field(default="labkit.comparison/1", alias="schema")
    before: str
    after: str
    verdict: Verdict
    changes: list[Change]
    differences: list[str] = Field(default_factory=list)


def compare(before: Findings, after: Findings, differences: list[str] | None = None) -> Comparison:
    """Match the suspects of both and judge each pair by its intervals."""
    pairs, gone, come = _matched(before.suspects, after.suspects)
    changes = [_both(old, new) for old, new in pairs]
    changes += [_gone(old, after) for old in gone]
    changes += [_come(new, before) for new in come]
    return Comparison(
        before=before.target,
        after=after.target,
        verdict=_verdict(changes, before, after),
        changes=changes,
        differences=differences or [],
    )


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """How two captures' manifests differ in what was played, by what, on what; one line each."""
    found: list[str] = []
    for field in ("load", "server"):
        one, other = before.get(field) or {}, after.get(field) or {}
        found.extend(
            f"{field}: {key} was {_short(one.get(key))} before and {_short(other.get(key))} after"
            for key in sorted({*one, *other})
            if one.get(key) != other.get(key)
        )
    for key in ("python", "platform"):
        one, other = before.get("versions", {}).get(key), after.get("versions", {}).get(key)
        if one != other:
            found.append(f"{key}: {one} before, {other} after")
    return found


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else "another"


def _matched(
    before: list[Suspect], after: list[Suspect]
) -> tuple[list[tuple[Suspect, Suspect]], list[Suspect], list[Suspect]]:
    pairs: list[tuple[Suspect, Suspect]] = []
    gone, come = list(before), list(after)
    for names in (_full_names, _names_inside):
        for old in list(gone):
            match = next((new for new in come if names(new) == names(old)), None)
            if match is not None:
                pairs.append((old, match))
                gone.remove(old)
                come.remove(match)
    return pairs, gone, come


def _full_names(suspect: Suspect) -> tuple[str, str]:
    return suspect.retainer, suspect.grows.type


def _names_inside(suspect: Suspect) -> tuple[str, str]:
    """Both names without their module's first part, where they have one in common."""
    holder, kind = suspect.retainer.partition("."), suspect.grows.type.partition(".")
    return holder[2] or holder[0], kind[2] if kind[2] and kind[0] == holder[0] else suspect.grows.type


def _both(old: Suspect, new: Suspect) -> Change:
    (low, high), (new_low, new_high) = old.grows.interval95, new.grows.interval95
    outcome: Outcome = "same"
    why = "the intervals overlap: within what was measured, it is the same"
    if old.grows.per != new.grows.per:
        outcome, why = "unknown", "one is per request and the other per second"
    elif new_high < low:
        outcome, why = "better", "it grows more slowly, and the intervals do not overlap"
    elif new_low > high:
        outcome, why = "worse", "it grows faster, and the intervals do not overlap"
    return Change(retainer=new.retainer, outcome=outcome, before=old.grows, after=new.grows, why=why)


def _gone(old: Suspect, after: Findings) -> Change:
    if after.verdict == "inconclusive":
        why = f"after is inconclusive: {'; '.join(after.missing) or 'nothing says why'}"
        return Change(retainer=old.retainer, outcome="unknown", before=old.grows, why=why)
    return Change(retainer=old.retainer, outcome="fixed", before=old.grows, why="it no longer grows")


def _come(new: Suspect, before: Findings) -> Change:
    if before.verdict == "inconclusive":
        why = f"before was inconclusive: {'; '.join(before.missing) or 'nothing says why'}"
        return Change(retainer=new.retainer, outcome="unknown", after=new.grows, why=why)
    return Change(retainer=new.retainer, outcome="new", after=new.grows, why="it did not grow before")


def _verdict(changes: list[Change], before: Findings, after: Findings) -> Verdict:
    outcomes = {change.outcome for change in changes}
    if outcomes & {"worse", "new"}:
        return "worse"
    if "unknown" in outcomes or (not changes and "inconclusive" in (before.verdict, after.verdict)):
        return "unknown"
    if not changes:
        return "clean"
    if outcomes == {"fixed"}:
        return "fixed"
    return "better" if outcomes & {"fixed", "better"} else "same"
