"""What a recording does about an answer that is open: longer rungs, a second instrument, or nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from labkit.drive.measure import Measurement
from labkit.store.capture import Capture

#: Each further round has so many rungs, each so many times longer than those of the round before.
RUNGS_MORE = 2
LONGER = 2
#: A worker that grows may take so much more, and this share of what the machine has left.
MOST_GROWTH_BYTES = 1 << 30
MOST_OF_FREE = 0.25


@dataclass(frozen=True)
class Judgement:
    """What those who analyse make of the capture so far, as far as a recording can do something about it.

    ``is_open``: a longer run may give an answer. ``is_provisional``: there is one, and a longer run may yet change it.
    """

    is_open: bool = False
    is_provisional: bool = False
    has_suspects: bool = True
    asks_for_native: bool = False


Judge = Callable[[Capture], Judgement]


class Rounds:
    """Further rungs while the answer is open and the budget lasts; the rungs are part of the same series."""

    def __init__(
        self, measurement: Measurement, requests_per_rung: int, budget_s: float, confirming_share: float
    ) -> None:
        self._measurement = measurement
        self._width = requests_per_rung
        self._budget_s = budget_s
        self._confirming_s = confirming_share * budget_s
        self._began = time.monotonic()

    def play(self, rung: int, judge: Callable[[], Judgement]) -> Judgement:
        """Go on after ``rung`` until ``judge`` has its answer or the next round does not fit."""
        started = time.monotonic()
        judged = judge()
        while self._goes_on(judged, time.monotonic() - started):
            self._width *= LONGER
            for _ in range(RUNGS_MORE):
                rung += 1
                self._measurement.play(f"longer, to be sure: rung {rung}", self._width)
                self._measurement.snapshot(rung)
            started = time.monotonic()
            judged = judge()
        return judged

    def _goes_on(self, judged: Judgement, judging_s: float) -> bool:
        """Whether there is a reason for another round, and it is likely to end in time and to leave room in memory."""
        if not (judged.is_open or judged.is_provisional):
            return False
        budget_s = self._budget_s if judged.is_open else self._confirming_s
        requests = RUNGS_MORE * LONGER * self._width
        seen = self._measurement
        takes_s = requests * seen.seconds_per_request + RUNGS_MORE * seen.snapshot_s + 1.5 * judging_s
        room = min(MOST_GROWTH_BYTES, MOST_OF_FREE * psutil.virtual_memory().available)
        left_s = budget_s - (time.monotonic() - self._began)
        return takes_s < left_s and requests * seen.growth_per_request < room
