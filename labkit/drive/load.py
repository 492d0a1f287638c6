"""Playing load: some players, each with its own connection, take visits in turn until they are through."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType

from labkit.drive.exchange import Answer, Connection
from labkit.drive.visits import Request, Script
from labkit.errors import AppHangs

_POLL_S = 0.05


@dataclass
class Tally:
    """What became of the requests: counts by (status, step), the slowest answer, one body per status.

    The status of a request without a complete answer is ``lost``.
    """

    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    bodies: dict[str, bytes] = field(default_factory=dict)
    slowest_s: float = 0.0
    requests: int = 0

    @property
    def lost(self) -> int:
        """Requests without a complete answer."""
        return sum(count for (status, _), count in self.answers.items() if status == "lost")

    def add(self, request: Request, answer: Answer | None) -> None:
        """Count one request."""
        status = "lost" if answer is None else str(answer.status)
        self.answers[status, request.name] += 1
        self.requests += 1
        if answer is not None:
            self.bodies.setdefault(status, answer.body_start)
            self.slowest_s = max(self.slowest_s, answer.duration_s)


class Players:
    """Plays visits in the background for the time of a ``with`` block.

    ``visits`` is a number, or None: until ``enough()``. Each player rests for ``pause_s`` after a visit.
    At the end of ``drain`` every request has its complete answer and every connection is closed. Without
    it, leaving the block aborts what is in flight.
    """

    def __init__(
        self,
        address: tuple[str, int],
        script: Script,
        *,
        first_visit: int,
        visits: int | None,
        concurrency: int,
        timeout_s: float,
        pause_s: float = 0,
    ) -> None:
        self.tally = Tally()
        self._script = script
        self._numbers: Iterator[int] = itertools.count(first_visit)
        if visits is not None:
            self._numbers = iter(range(first_visit, first_visit + visits))
        self._timeout_s = timeout_s
        self._pause_s = pause_s
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._fault: BaseException | None = None
        self._connections = [Connection(address, timeout_s) for _ in range(concurrency)]
        self._threads: list[threading.Thread] = []
        self.visits_begun = 0

    def __enter__(self) -> Players:
        try:
            for number, connection in enumerate(self._connections):
                thread = threading.Thread(target=self._play, args=(connection,), name=f"player-{number}", daemon=True)
                self._threads.append(thread)
                thread.start()
        except BaseException:
            self._abandon()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._abandon()

    def enough(self) -> None:
        """Begin no further visit."""
        self._stop.set()

    def drain(self, watch: Callable[[], None]) -> Tally:
        """Wait until every player is through; ``watch`` is called meanwhile and at the end, and may raise.

        Raises AppHangs when a request got no complete answer in time.
        """
        for thread in self._threads:
            while thread.is_alive():
                thread.join(_POLL_S)
                watch()
                if self._fault is not None:
                    self._abort()
        watch()
        if self._fault is not None:
            raise self._fault
        return self.tally

    def wait_for(self, requests: int, watch: Callable[[], None]) -> None:
        """Wait until this many requests more are through."""
        goal = self.tally.requests + requests
        while self.tally.requests < goal and any(thread.is_alive() for thread in self._threads):
            self._stop.wait(0.01)
            watch()

    def _abandon(self) -> None:
        self._stop.set()
        for thread in self._threads:
            while thread.is_alive():
                self._abort()
                thread.join(_POLL_S)

    def _abort(self) -> None:
        for connection in self._connections:
            connection.abort()

    def _play(self, connection: Connection) -> None:
        try:
            while (number := self._next_visit()) is not None:
                for request in self._script.visit(number):
                    self._ask(connection, request)
                if self._pause_s:
                    self._stop.wait(self._pause_s)
        except BaseException as fault:  # it belongs to whoever waits for the players
            with self._lock:
                self._fault = self._fault or fault
            self._stop.set()
        finally:
            connection.close()

    def _next_visit(self) -> int | None:
        with self._lock:
            number = None if self._stop.is_set() else next(self._numbers, None)
            self.visits_begun += number is not None
        return number

    def _ask(self, connection: Connection, request: Request) -> None:
        try:
            answer = connection.ask(request)
        except TimeoutError:
            raise AppHangs(
                f"{request.method} {request.path} got no complete answer within {self._timeout_s:g} s.",
                seen=f"{self.tally.requests} requests were answered before it",
                hint="leave this request out, or find out what it waits for",
            ) from None
        with self._lock:
            self.tally.add(request, answer)
