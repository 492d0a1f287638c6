"""Findings against limits a team has set: what is over, what is within, and what is not known well enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from labkit.findings.model import Findings, Suspect

#: Of these the number counts, whatever memory they take.
COUNTED_KINDS = ("descriptors", "connections", "threads")
Place = Literal["over", "within", "between"]


@dataclass(frozen=True)
class Limits:
    """What one reference may keep per request before a check fails: bytes, and descriptors, connections or threads."""

    bytes_per_request: float = 0.0
    descriptors_per_request: float = 0.0

    def place_of(self, suspect: Suspect) -> Place:
        """Where a rate is: ``between`` when its interval has the limit inside. Numbers are exact and have no interval.

        Without a limit every suspect is over it, however wide its interval.
        """
        grows = suspect.grows
        if suspect.kind in COUNTED_KINDS:
            return "over" if grows.objects_per_request > self.descriptors_per_request else "within"
        low, high = grows.interval95
        if not self.bytes_per_request or min(low, grows.bytes_per_request) > self.bytes_per_request:
            return "over"
        return "within" if max(high, grows.bytes_per_request) <= self.bytes_per_request else "between"

    def of(self, suspect: Suspect) -> float:
        """The limit that goes for a suspect of this kind."""
        return self.descriptors_per_request if suspect.kind in COUNTED_KINDS else self.bytes_per_request


@dataclass(frozen=True)
class Checked:
    """Findings, and their suspects by the limits: ``between`` are those whose interval has the limit inside."""

    findings: Findings
    limits: Limits
    over: tuple[Suspect, ...]
    within: tuple[Suspect, ...]
    between: tuple[Suspect, ...]

    @property
    def is_open(self) -> bool:
        """Whether nothing is over the limits, but something could not be judged.

        A suspect that is allowed settles nothing: what was missing beside it is missing still.
        """
        findings = self.findings
        is_open = self.between or findings.verdict == "inconclusive" or findings.missing
        return not self.over and bool(is_open)


def check(findings: Findings, limits: Limits) -> Checked:
    """Sort the suspects by the limits."""
    sorted_: dict[Place, list[Suspect]] = {"over": [], "within": [], "between": []}
    for suspect in findings.suspects:
        sorted_[limits.place_of(suspect)].append(suspect)
    return Checked(findings, limits, tuple(sorted_["over"]), tuple(sorted_["within"]), tuple(sorted_["between"]))
