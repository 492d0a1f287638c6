"""Clients that ask again and again and compare each answer with what its request must get."""

from __future__ import annotations

import hashlib
import http.client
import threading
from collections import Counter
from types import TracebackType

from servers import HOST, Served


def expected(number: str) -> str:
    return hashlib.sha256(number.encode()).hexdigest() * 40


class Clients:
    """``count`` clients of one server for the time of a ``with`` block; ``outcomes`` counts what became of requests.

    Each rests for ``rest_s`` after an answer.
    """

    def __init__(self, served: Served, count: int = 20, rest_s: float = 0) -> None:
        self.outcomes: Counter[str] = Counter()
        self._port = served.port
        self._rest_s = rest_s
        self._closes = served.closes_connections  # without saying so in its answers
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._ask_on, args=(number,)) for number in range(count)]

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def wait_for(self, requests: int) -> None:
        """Go on when so many more have been answered."""
        wanted = self.outcomes["right"] + requests
        while self.outcomes["right"] < wanted and any(thread.is_alive() for thread in self._threads):
            self._stop.wait(0.01)

    def _ask_on(self, client: int) -> None:
        connection = http.client.HTTPConnection(HOST, self._port, timeout=30)
        asked = 0
        while not self._stop.is_set():
            asked += 1
            outcome = self._ask(connection, f"{client}-{asked}")
            with self._lock:
                self.outcomes[outcome] += 1
            if self._rest_s:
                self._stop.wait(self._rest_s)
        connection.close()

    def _ask(self, connection: http.client.HTTPConnection, number: str) -> str:
        try:
            connection.request("GET", f"/{number}")
            answer = connection.getresponse()
            text = answer.read().decode()
            if self._closes:
                connection.close()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return f"lost: {type(error).__name__}: {error}"
        if answer.status != 200 or text != expected(number):
            return f"wrong: {answer.status}"
        return "right"
