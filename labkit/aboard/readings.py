"""One process's readings: its memory, its descriptors, its requests, its pools.

What happens in every request is a number added under a lock and a weak reference; everything else is looked up when
somebody takes a reading. Objects are never searched for: the collector's list is not touched.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from . import process
from .growth import Growth

_WITNESS = "_labkit_witness"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was seen at one moment; None where the system does not say."""

    pid: int
    started_s: float
    requests_begun: int
    requests_ended: int
    requests_live: int
    requests_kept: int
    resident_bytes: int | None
    unique_bytes: int | None
    threads: int | None
    descriptors: int | None
    descriptors_limit: int | None
    allocated_blocks: int
    gc_uncollected: tuple[int, ...]
    gc_collections: tuple[int, ...]
    pools: Mapping[str, int]
    is_warm: bool
    steady_requests: int
    grown: Mapping[str, float]

    @property
    def requests_in_flight(self) -> int:
        """Requests whose answer has not been sent to its end."""
        return self.requests_begun - self.requests_ended


class Phase:
    """Whether a request is over; its request object may hold this, and no ticket."""

    __slots__ = ("is_over",)

    def __init__(self) -> None:
        self.is_over = False


class Ticket:
    """One request in flight, until ``end``; a ticket nobody holds any more has ended too."""

    __slots__ = ("_end", "phase")

    def __init__(self, end: Callable[[], None]) -> None:
        self._end: Callable[[], None] | None = end
        self.phase = Phase()

    def end(self) -> None:
        """The answer is out, or never will be. Told twice, it is counted once."""
        end, self._end = self._end, None
        if end is not None:
            self.phase.is_over = True
            end()

    def __del__(self) -> None:
        self.end()


class _Witness:
    """Lives exactly as long as the request it is tied to: Falcon's requests take no weak references themselves."""

    __slots__ = ("__weakref__",)


class _Counts:
    """What is counted in one process. The lock is re-entrant: a collection may end a ticket at any point."""

    def __init__(self, warmup_requests: int) -> None:
        self.pid = os.getpid()
        self.started_s = time.time()
        self.lock = threading.RLock()
        self.begun = 0
        self.ended = 0
        self.live: dict[int, tuple[weakref.ref[object], Phase]] = {}
        self.growth = Growth(warmup_requests)
        self.unique: tuple[float, tuple[int, int] | None] | None = None

    def end(self) -> None:
        with self.lock:
            self.ended += 1

    def forget(self, reference: weakref.ref[object]) -> None:
        self.live.pop(id(reference), None)


class Readings:
    """Counts requests and reads the process; a forked worker begins its own count.

    ``pools`` name callables that say how many connections are checked out, for instance
    ``{"main": engine.pool.checkedout}``. ``on_first_request`` are called in each process when its first request begins:
    threads started before a worker is forked would not be in it.
    """

    def __init__(
        self,
        *,
        warmup_requests: int = 200,
        unique_every_s: float = 15.0,
        pools: Mapping[str, Callable[[], int]] | None = None,
    ) -> None:
        self._warmup_requests = warmup_requests
        self._unique_every_s = unique_every_s
        self._pools = dict(pools or {})
        self._counts = _Counts(warmup_requests)
        self._greeted_pid: int | None = None
        self.on_first_request: list[Callable[[], object]] = []

    def _here(self) -> _Counts:
        counts = self._counts
        if counts.pid != os.getpid():
            counts = self._counts = _Counts(self._warmup_requests)
        return counts

    def begin(self) -> Ticket:
        """A request has come in."""
        counts = self._here()
        with counts.lock:
            counts.begun += 1
            is_first = self._greeted_pid != counts.pid
            self._greeted_pid = counts.pid
        if is_first:
            for call in self.on_first_request:
                call()
        return Ticket(counts.end)

    def witness(self, request: object, phase: Phase) -> None:
        """Count this request object as live until it is gone. Tied to it is a small object that can be watched."""
        counts = self._here()
        watched: object = _Witness()
        try:
            setattr(request, _WITNESS, watched)
        except (AttributeError, TypeError):
            watched = request
        with contextlib.suppress(TypeError):
            reference = weakref.ref(watched, counts.forget)
            counts.live[id(reference)] = (reference, phase)

    def take(self, *, note_growth: bool = False) -> Reading:
        """Read everything now. ``note_growth`` at regular intervals, and by one caller only."""
        counts = self._here()
        seen = process.resident_bytes_and_threads()
        unique = self._unique_bytes(counts)
        descriptors = process.open_descriptors()
        allocated_blocks = sys.getallocatedblocks()
        with counts.lock:
            begun, ended = counts.begun, counts.ended
            if note_growth:
                values = {
                    "unique_bytes": unique and unique[1],  # what it shared with its master did not grow
                    "allocated_blocks": allocated_blocks,
                    "descriptors": descriptors,
                }
                known = {name: float(value) for name, value in values.items() if value is not None}
                counts.growth.note(ended, known)
            grown, steady_requests = dict(counts.growth.grown), counts.growth.requests
        return Reading(
            pid=counts.pid,
            started_s=counts.started_s,
            requests_begun=begun,
            requests_ended=ended,
            requests_live=len(counts.live),
            requests_kept=sum(phase.is_over for _, phase in list(counts.live.values())),
            resident_bytes=seen and seen[0],
            unique_bytes=unique and unique[0],
            threads=seen and seen[1],
            descriptors=descriptors,
            descriptors_limit=process.descriptors_limit(),
            allocated_blocks=allocated_blocks,
            gc_uncollected=gc.get_count(),
            gc_collections=tuple(generation["collections"] for generation in gc.get_stats()),
            pools=self._ask_pools(),
            is_warm=counts.growth.is_warm(ended),
            steady_requests=steady_requests,
            grown=grown,
        )

    def _unique_bytes(self, counts: _Counts) -> tuple[int, int] | None:
        now = time.monotonic()
        if counts.unique is None or now - counts.unique[0] >= self._unique_every_s:
            counts.unique = (now, process.unique_and_anonymous_bytes())
        return counts.unique[1]

    def _ask_pools(self) -> dict[str, int]:
        """A pool that cannot say is left out: it is the app's own code, and no reason to lose a reading."""
        found = {}
        for name, checked_out in self._pools.items():
            with contextlib.suppress(Exception):
                found[name] = int(checked_out())
        return found
