"""Numbers as people say them: decimal kB and MB, rates per request, intervals, milliseconds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labkit.findings.model import Unit  # with pydantic, which whoever only opens a heap does not need

UNMEASURED = "not measured"
_UNITS = ("B", "kB", "MB", "GB", "TB")


def _unit_index(amount_bytes: float) -> int:
    """The unit in which ``amount_bytes`` reads as 1 to 999, after rounding to three digits."""
    index = 0
    size = abs(amount_bytes)
    while round(size, 1) >= 999.5 and index < len(_UNITS) - 1:
        size /= 1000
        index += 1
    return index


def number(value: float, digits: int = 3) -> str:
    """``value`` with thousands separators and about ``digits`` significant digits: ``1.83``, ``0.25``, ``1,400``."""
    if not math.isfinite(value):
        return "unknown"
    size = round(abs(value), digits)
    if size == 0:
        return "0"
    whole = len(str(int(size))) if size >= 1 else 0
    text = f"{value:,.{max(0, digits - whole)}f}"
    if size < 1:
        text = text.rstrip("0").rstrip(".")
    return "0" if float(text.replace(",", "")) == 0 else text.replace("-", "−")


def bytes_text(amount_bytes: float | None, digits: int = 3) -> str:
    """Bytes in human units: ``1.83 kB``; None is ``not measured``."""
    if amount_bytes is None:
        return UNMEASURED
    if not math.isfinite(amount_bytes):
        return "unknown"
    index = _unit_index(amount_bytes)
    size = amount_bytes / 1000**index
    is_whole = index == 0 and (abs(size) >= 10 or size == int(size))
    text = f"{round(size):,}".replace("-", "−") if is_whole else number(size, digits)
    return f"{text} {_UNITS[index]}"


def count_text(count: int | None) -> str:
    """A count with thousands separators; None is ``not measured``."""
    return UNMEASURED if count is None else f"{count:,}".replace("-", "−")


def plural(count: int, one: str, many: str = "") -> str:
    """``1 snapshot``, ``6 snapshots``."""
    return f"{count_text(count)} {one if count == 1 else many or one + 's'}"


def rate_shown(per: Unit) -> tuple[int, str]:
    """How a rate is shown: by what it is multiplied, and per what it is then; seconds are told by the hour."""
    return (3600, "per hour") if per == "second" else (1, "per request")


def bytes_rate(bytes_per_request: float, per: Unit = "request") -> str:
    """``1.83 kB per request``, ``40.1 MB per hour``."""
    times, words = rate_shown(per)
    return f"{bytes_text(bytes_per_request * times)} {words}"


def objects_rate(objects_per_request: float, per: Unit = "request") -> str:
    """``1.00 per request``, ``3,600 per hour``."""
    times, words = rate_shown(per)
    return f"{number(objects_per_request * times)} {words}"


def bytes_range(low_bytes: float, high_bytes: float) -> str:
    """An interval, both ends in the unit of the larger: ``1.81 to 1.86 kB``."""
    if not (math.isfinite(low_bytes) and math.isfinite(high_bytes)):
        return "unknown"
    index = _unit_index(max(abs(low_bytes), abs(high_bytes)))
    scale = 1000**index
    ends = [number(end / scale) if index or abs(end) < 10 else f"{round(end):,}" for end in (low_bytes, high_bytes)]
    low, high = (end.replace("-", "−") for end in ends)
    return f"{low} {_UNITS[index]}" if low == high else f"{low} to {high} {_UNITS[index]}"


def projected_bytes(bytes_per_request: float, requests: int = 1000) -> str:
    """A rate a person can picture: ``about 1.8 MB per 1,000 requests``."""
    return f"about {bytes_text(bytes_per_request * requests, digits=2)} per {count_text(requests)} requests"


def projected_count(per_request: float, requests: int = 1000) -> str:
    """``about 250 per 1,000 requests``."""
    return f"about {number(per_request * requests, digits=2)} per {count_text(requests)} requests"


def milliseconds_text(duration_ms: float | None) -> str:
    """A pause: ``3.5 ms`` or ``1.2 s``; None is ``not measured``."""
    if duration_ms is None:
        return UNMEASURED
    if abs(duration_ms) >= 1000:
        return f"{number(duration_ms / 1000, digits=2)} s"
    return f"{number(duration_ms, digits=2)} ms"
