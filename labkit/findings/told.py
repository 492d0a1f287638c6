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


def things(number: str, kind: str) -> str:
    """So many objects: classes speak for themselves, ``bytes`` or ``str`` alone would be taken for units."""
    if "." in kind or kind[:1].isupper():
        return f"{number} {kind}"
    return f"{number} {'object' if number in ('one', '1') else 'objects'} of type {kind}"


def series(evidence: Evidence, objects: Iterable[int], sizes: Iterable[int]) -> list[SeriesPoint]:
    """One point for each snapshot."""
    return [
        SeriesPoint(requests=requests, objects=int(count), bytes=int(size))
        for requests, count, size in zip(evidence.requests, objects, sizes, strict=True)
    ]
