"""What the rules write on while they run; ``Findings`` is made from it at the end."""

from __future__ import annotations

from dataclasses import dataclass, field

from labkit.findings.accumulation import Accumulation
from labkit.findings.evidence import Evidence
from labkit.findings.model import Explained, Suspect


@dataclass
class Draft:
    """Suspects in the making, explained growth, and the measurements an answer still lacks."""

    evidence: Evidence
    accumulations: list[Accumulation]
    suspects: list[Suspect] = field(default_factory=list)
    explained: list[Explained] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    suspected: dict[int, Accumulation] = field(default_factory=dict)
