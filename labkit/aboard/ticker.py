"""A thread in each worker that takes a reading every few seconds and passes it on."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable, Sequence

from .readings import Reading, Readings

_log = logging.getLogger("labkit.aboard")


class Ticker:
    """Begins with the first request of each process, and ends with the process after one last reading."""

    def __init__(self, readings: Readings, sinks: Sequence[Callable[[Reading], None]], *, every_s: float = 5.0) -> None:
        self._readings = readings
        self._sinks = tuple(sinks)
        self._every_s = every_s
        self._pid: int | None = None
        self._stop = threading.Event()
        self._turn = threading.Lock()
        self._complained = False
        readings.on_first_request.append(self.start)

    def start(self) -> None:
        """Start ticking in this process, once."""
        if self._pid == os.getpid():
            return
        self._pid = os.getpid()
        self._stop = threading.Event()
        self._turn = threading.Lock()
        threading.Thread(target=self._run, args=(self._stop,), name="labkit-readings", daemon=True).start()
        atexit.register(self.stop)

    def stop(self) -> None:
        """One last reading, and no more."""
        if self._pid == os.getpid() and not self._stop.is_set():
            self._stop.set()
            self.tick()

    def tick(self) -> None:
        """Read and pass on. What a sink raises is told once in the log."""
        if not self._turn.acquire(timeout=1):
            return
        try:
            reading = self._readings.take(note_growth=True)
            for sink in self._sinks:
                sink(reading)
        except Exception:
            if not self._complained:
                self._complained = True
                _log.warning("readings are not passed on", exc_info=True)
        finally:
            self._turn.release()

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(self._every_s):
            self.tick()
