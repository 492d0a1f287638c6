"""Findings against the truth of a case: what was found, missed, and accused for nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from labkit.cases import Truth
from labkit.findings.model import Findings

Outcome = Literal["named", "unnamed", "missed", "quiet", "open", "false alarm"]

#: What each variant should come to; the rest counts as a fault unless the case declares it a known miss.
RIGHT: dict[str, Outcome] = {"suspect": "named", "clean": "quiet", "inconclusive": "open"}


@dataclass(frozen=True)
class Score:
    """One investigation of one variant. ``said`` is what was named first, ``false_names`` all that is not true.

    ``outcome`` of a leak: ``named``, ``unnamed`` (a suspect, but another one comes first) or ``missed``; of what is
    healthy: ``quiet``, ``open`` (inconclusive) or ``false alarm``.
    """

    label: str
    kind: str
    expected: str
    outcome: Outcome
    said: str
    false_names: tuple[str, ...]
    declared: str = ""

    @property
    def is_right(self) -> bool:
        """Whether it came out as the truth says, and nothing else was accused."""
        return self.outcome == RIGHT[self.expected] and not self.false_names


def score(label: str, variant: str, truth: Truth, findings: Findings) -> Score:
    """Compare one variant's findings with its case's truth."""
    expected = next(verdict for name, verdict in truth.verdict.items() if name == variant)
    names = [suspect.retainer for suspect in findings.suspects]
    accepted = (truth.retainer, *truth.also_accept)
    true_names = accepted if expected == "suspect" else ()
    return Score(
        label=label,
        kind=truth.kind,
        expected=expected,
        outcome=_outcome(expected, findings, accepted),
        said=names[0] if names else "",
        false_names=tuple(name for name in names if name not in true_names),
        declared=truth.known_miss if expected == "suspect" else "",
    )


def _outcome(expected: str, findings: Findings, accepted: tuple[str, ...]) -> Outcome:
    if expected == "suspect":
        if not findings.suspects:
            return "missed"
        return "named" if findings.suspects[0].retainer in accepted else "unnamed"
    if findings.suspects:
        return "false alarm"
    return "open" if findings.verdict == "inconclusive" else "quiet"


@dataclass(frozen=True)
class Rates:
    """Of one kind of leak: how many of the accusations were true, and how many of the leaks were named."""

    kind: str
    leaks: int
    named: int
    accusations: int

    @property
    def precision(self) -> float:
        """True accusations by all; 1 where nothing was accused."""
        return self.named / self.accusations if self.accusations else 1.0

    @property
    def recall(self) -> float:
        """Leaks that were named by all leaks; 1 where there was none."""
        return self.named / self.leaks if self.leaks else 1.0


def rates(scores: Iterable[Score]) -> list[Rates]:
    """Precision and recall per kind, known misses left out, and of all together at the end under ``all``."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for one in scores:
        if one.declared:
            continue
        is_named = one.outcome == "named"
        for kind in (one.kind, "all"):
            found[kind][0] += one.expected == "suspect"
            found[kind][1] += is_named
            found[kind][2] += is_named + len(one.false_names)
    return [Rates(kind, *found[kind]) for kind in sorted(found, key=lambda kind: (kind == "all", kind))]
