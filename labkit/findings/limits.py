"""Findings against limits a team has set: what is over them, what is within."""

from __future__ import annotations

from dataclasses import dataclass

from labkit.findings.model import Findings, Suspect

#: Of these the number counts, whatever memory they take.
COUNTED_KINDS = ("descriptors", "connections", "threads")


@dataclass(frozen=True)
class Limits:
    """What one reference may keep per request before a check fails: bytes, and descriptors, connections or threads."""

    bytes_per_request: float = 0.0
    descriptors_per_request: float = 0.0


@dataclass(frozen=True)
class Checked:
    """Findings, and the suspects ``over`` the limits and ``within`` them."""

    findings: Findings
    over: tuple[Suspect, ...]
    within: tuple[Suspect, ...]

    @property
    def is_open(self) -> bool:
        """Whether nothing is over the limits, but something grows that could not be judged."""
        return not self.over and self.findings.verdict == "inconclusive"


def check(findings: Findings, limits: Limits) -> Checked:
    """Sort the suspects by the limits; a rate is over one when it is larger."""
    over = tuple(suspect for suspect in findings.suspects if _is_over(suspect, limits))
    return Checked(findings, over, tuple(suspect for suspect in findings.suspects if suspect not in over))


def _is_over(suspect: Suspect, limits: Limits) -> bool:
    if suspect.kind in COUNTED_KINDS:
        return suspect.grows.objects_per_request > limits.descriptors_per_request
    return suspect.grows.bytes_per_request > limits.bytes_per_request
