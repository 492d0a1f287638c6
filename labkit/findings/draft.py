"""What the rules write on while they run; ``Findings`` is made from it at the end."""

from __future__ import annotations

from dataclasses import dataclass, field

from labkit.findings.accumulation import Accumulation
from labkit.findings.evidence import Evidence
from labkit.findings.model import Explained, Suspect, Wanted


@dataclass
class Draft:
    """Suspects in the making, explained growth, and the measurements an answer still lacks.

    ``wanted`` are those of the missing measurements that an investigation can take by itself. ``suspected`` tells
    which accumulation stands behind which suspect; ``settled`` has the ``id()`` of those that are explained already.
    ``garbage_bytes_per_request`` is how fast uncollected cycles grow, ``imported_bytes_per_request`` how much modules
    took that were imported while serving.
    """

    evidence: Evidence
    accumulations: list[Accumulation]
    suspects: list[Suspect] = field(default_factory=list)
    explained: list[Explained] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    wanted: set[Wanted] = field(default_factory=set)
    suspected: dict[int, Accumulation] = field(default_factory=dict)
    settled: set[int] = field(default_factory=set)
    garbage_bytes_per_request: float = 0.0
    imported_bytes_per_request: float = 0.0

    def lacks_requests(self, line: str) -> None:
        """More requests would settle it; ``line`` says what, once."""
        self.wanted.add("longer-run")
        if line not in self.missing:
            self.missing.append(line)

    def drop(self, places: list[int]) -> None:
        """Take back the suspects at ``places``: another rule has said more about the same growth."""
        kept = [place for place in range(len(self.suspects)) if place not in places]
        self.suspects = [self.suspects[place] for place in kept]
        self.suspected = {new: self.suspected[old] for new, old in enumerate(kept) if old in self.suspected}
