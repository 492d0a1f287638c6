"""What a worker has grown by since its warm-up: by how much its floor rose.

A level says little: it saws with every collection, and begins anew with every worker. Here readings are taken three at
a time, the lowest of the three counts, and only what lies above everything before it is growth. Such growth never
falls, so the growth of many workers can be added up, those that ended meanwhile included.
"""

from __future__ import annotations

from collections.abc import Mapping

_READINGS_PER_FLOOR = 3


class Growth:
    """One process's growth, quantity by quantity, and over how many requests."""

    def __init__(self, warmup_requests: int) -> None:
        self._warmup_requests = warmup_requests
        self._readings: list[Mapping[str, float]] = []
        self._highest: dict[str, float] = {}
        self._first_ended: int | None = None
        self.grown: dict[str, float] = {}
        self.requests = 0

    def is_warm(self, requests_ended: int) -> bool:
        """Whether the warm-up is over."""
        return requests_ended >= self._warmup_requests

    def note(self, requests_ended: int, values: Mapping[str, float]) -> None:
        """Take in one reading."""
        if not self.is_warm(requests_ended):
            return
        self._readings.append(values)
        if len(self._readings) < _READINGS_PER_FLOOR:
            return
        names = set(self._readings[0]).intersection(*self._readings[1:])
        for name in names:
            floor = min(values[name] for values in self._readings)
            highest = self._highest.setdefault(name, floor)
            self.grown[name] = self.grown.get(name, 0) + max(0.0, floor - highest)
            self._highest[name] = max(highest, floor)
        self._readings.clear()
        if self._first_ended is None:
            self._first_ended = requests_ended
        self.requests = requests_ended - self._first_ended
