"""Growth as it is told: rounded, per what, and its series rung by rung; the same for every rule."""

from __future__ import annotations

from collections.abc import Iterable

from labkit.findings.evidence import Evidence
from labkit.findings.model import Growth, SeriesPoint


def growth(evidence: Evidence, kind: str, rate: float, size: float, interval95: tuple[float, float]) -> Growth:
    """``rate`` objects of type ``kind`` and ``size`` bytes, each per request or per second."""
    low, high = interval95
    return Growth(
        type=kind,
        objects_per_request=round(rate, 4),
        bytes_per_request=round(size, 1),
        interval95=(round(low, 1), round(high, 1)),
        per=evidence.unit,
    )


def series(evidence: Evidence, objects: Iterable[int], sizes: Iterable[int]) -> list[SeriesPoint]:
    """One point for each snapshot."""
    return [
        SeriesPoint(requests=requests, objects=int(count), bytes=int(size))
        for requests, count, size in zip(evidence.requests, objects, sizes, strict=True)
    ]
