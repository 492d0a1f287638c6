"""A small service to try things on, in processes of its own; what is asked of it and what became of it, as tables."""

from __future__ import annotations

import atexit
import contextlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd
import psutil
from IPython.display import HTML

from labkit.cases import Target
from labkit.course.service import target_for
from labkit.drive import kernel
from labkit.drive.faults import ServerLog
from labkit.drive.options import RecordOptions
from labkit.drive.processes import wait_until
from labkit.drive.replies import Reply, ask
from labkit.drive.sampling import sample, settle
from labkit.drive.server import Server
from labkit.findings.model import Sample
from labkit.notebook.running import scratch
from labkit.views import pictures
from labkit.views.figures import figure_svg
from labkit.views.workers import workers_figure

_MB = 1_000_000
_NONE = "–"
_PATIENCE_S = 1.0
_PEAK, _LOG = "peak memory", "in the server's log"
_LONGEST_CELL = 140
_running: list[Service] = []


class Service:
    """A service that runs until ``stop()``, until another one is served, or until the kernel ends."""

    def __init__(self, target: Target, workers: int, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
        log = scratch() / "server.log"
        self._log = ServerLog(log)
        options = RecordOptions.for_serving(target.serve, workers=workers)
        self._server = Server(target, options, log, arguments=arguments, environment=environment)
        self._server.__enter__()
        self._workers, self._asked = workers, 0
        self._rest()

    def stop(self) -> None:
        """End it."""
        self._server.stop()

    def pids(self) -> list[int]:
        """The workers that run now, oldest first."""
        return self._server.serving_pids()

    def ask(
        self, *requests: str, times: int = 1, body: object = None, clients: int = 1, leave_after: int | None = None
    ) -> pd.DataFrame:
        """Send each request so many times; ``{n}`` in it counts on. ``leave_after`` so many bytes the client is gone.

        One row each: what was answered, how long the last body was, the time it all took, descriptors gained, the peak
        of memory above where it began, and the last exception in the server's log; the last two are left out where
        there is nothing to tell.
        """
        rows = {request: self._row(request, times, body, clients, leave_after) for request in requests}
        return _without_idle_columns(pd.DataFrame.from_dict(rows, orient="index"))

    def send(self, request: str, times: int, clients: int = 4) -> None:
        """Send it so many times and wait for no more than the answers."""
        self._send(request, times, None, clients, None)

    def told(self, path: str) -> Any:
        """The answer to one ``GET``: JSON, or text."""
        return ask(self._server.address, f"GET {path}").told

    def table(self, path: str) -> pd.DataFrame:
        """The same of a list of objects, or of one, as a table."""
        told = self.told(path)
        rows = told if isinstance(told, list) else [told]
        return pd.DataFrame(rows, index=[""] * len(rows))

    def open_things(self) -> pd.DataFrame:
        """What the first worker has open, most first."""
        things = kernel.open_things(self.pids()[0]).most_common()
        return pd.DataFrame(things, columns=["what is open", "how often"]).set_index("what is open")

    def limit_descriptors(self, count: int) -> None:
        """Each worker may have so many descriptors open from now on."""
        for pid in self.pids():
            kernel.limit_descriptors(pid, count)

    def memory(self) -> pd.DataFrame:
        """Memory of each worker in MB: all it uses, what it alone uses, and its share of what several use."""
        rows = {pid: psutil.Process(pid).memory_full_info() for pid in self.pids()}
        table = {
            pid: {"RSS": row.rss, "USS (its own)": row.uss, "PSS (its share)": row.pss} for pid, row in rows.items()
        }
        result = pd.DataFrame.from_dict(table, orient="index") / _MB
        if len(result) > 1:
            result.loc["added up"] = result.sum()
        return result.round(1).rename_axis("worker, MB")

    def watch(self, request: str, times: int, every: int = 20, body: object = None, clients: int = 4) -> Watched:
        """Send it so many times, ``{n}`` counting on; after every so many look at all workers."""
        watched, start = Watched(), time.monotonic()
        for done in range(0, times + 1, every):
            if done:
                watched.count(self._send(request, every, body, clients, None))
            self._rest()
            for pid in self.pids():
                with contextlib.suppress(psutil.Error):  # it has gone meanwhile
                    seen = sample(psutil.Process(pid), time_s=time.monotonic() - start, rung=0, requests=done)
                    watched.look(Sample(**vars(seen)))
        watched.end()
        return watched

    def _rest(self) -> None:
        """Wait a moment until all workers are there and none is busy; one may end meanwhile."""
        wait_until(lambda: len(self.pids()) == self._workers, _PATIENCE_S)
        with contextlib.suppress(psutil.Error):
            settle(map(psutil.Process, self.pids()), _PATIENCE_S)

    def _send(self, request: str, times: int, body: object, clients: int, leave_after: int | None) -> list[Reply]:
        first, self._asked = self._asked, self._asked + times
        sent = None if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        asked = [request.replace("{n}", str(number)) for number in range(first, first + times)]
        with ThreadPoolExecutor(clients) as pool:
            return list(pool.map(lambda one: ask(self._server.address, one, sent, leave_after=leave_after), asked))

    def _row(self, request: str, times: int, body: object, clients: int, leave_after: int | None) -> dict[str, object]:
        lines = len(self._log.lines())
        pids = self.pids()
        before = sum(sum(kernel.open_things(pid).values()) for pid in pids)
        resident = kernel.forget_peak(pids[0])
        began = time.monotonic()
        replies = self._send(request, times, body, clients, leave_after)
        took_s = time.monotonic() - began
        peak = kernel.peak_bytes(pids[0]) if pids == self.pids() else 0
        self._rest()
        gained = sum(sum(kernel.open_things(pid).values()) for pid in self.pids()) - before
        return {
            "answers": ", ".join(f"{words} × {count}" for words, count in _counted(replies)),
            "body": f"{replies[-1].body_bytes:,} B",
            "took": f"{took_s:.1f} s",
            "descriptors": f"{gained:+d}" if gained else "0",
            _PEAK: f"+{max(0, peak - resident) / _MB:.1f} MB" if peak else _NONE,
            _LOG: self._log.last_exception(lines) or _NONE,
        }


class Watched:
    """Looks at workers over requests, and which worker answered how many of them; an app says its ``worker``."""

    def __init__(self) -> None:
        self._looks: dict[int, list[tuple[Sample, int]]] = {}
        self._answered: Counter[int] = Counter()
        self.answers: Counter[str] = Counter()

    def count(self, replies: list[Reply]) -> None:
        """Add answers."""
        self.answers.update(reply.words for reply in replies)
        said = [reply.told for reply in replies]
        self._answered.update(one["worker"] for one in said if isinstance(one, dict) and "worker" in one)

    def look(self, seen: Sample) -> None:
        """Add a look at one worker."""
        self._looks.setdefault(seen.pid, []).append((seen, self._answered[seen.pid]))

    def end(self) -> None:
        """Of workers that are gone leave the last look out: it may have met them while they ended."""
        last = max(looks[-1][0].requests for looks in self._looks.values())
        for looks in self._looks.values():
            if looks[-1][0].requests < last and len(looks) > 1:
                looks.pop()

    def picture(self) -> HTML:
        """The memory of each worker over the requests of all."""
        figure, alt = workers_figure([seen for looks in self._looks.values() for seen, _ in looks])
        return HTML(pictures.picture(figure_svg(figure), alt, 960))

    def workers(self) -> pd.DataFrame:
        """Each worker: when it was seen, the requests it answered between its looks, and by how much it grew."""
        table = {}
        for pid, looks in self._looks.items():
            (first, before), (last, after) = looks[0], looks[-1]
            grew, answered = last.uss_bytes - first.uss_bytes, after - before
            table[pid] = {
                "seen from request": first.requests,
                "to": last.requests,
                "answered": answered,
                "grew by, MB": round(grew / _MB, 1),
                "kB per request": round(grew / answered / 1000) if answered else _NONE,
            }
        return pd.DataFrame.from_dict(table, orient="index").rename_axis("worker")


def serve(
    app: str, *, workers: int = 1, arguments: tuple[str, ...] = (), environment: dict[str, str] | None = None
) -> Service:
    """Start a case (``NAME``, ``NAME:fixed``) or an app of a lesson (``09_big_responses/streams.py``), under Gunicorn.

    One at a time: the one before is ended. ``arguments`` are given to Gunicorn as they are.
    """
    stop_all()
    pd.set_option("display.max_colwidth", _LONGEST_CELL)
    target = target_for(app)
    service = Service(target, workers, arguments, environment or {})
    _running.append(service)
    return service


def stop_all() -> None:
    """End what is served."""
    while _running:
        _running.pop().stop()


def _without_idle_columns(table: pd.DataFrame) -> pd.DataFrame:
    small = tuple(f"+{tenth / 10:.1f} MB" for tenth in range(10))
    idle = {_LOG: (_NONE,), _PEAK: (_NONE, *small)}
    return table.drop(columns=[name for name, nothing in idle.items() if table[name].isin(nothing).all()])


def _counted(replies: list[Reply]) -> Iterator[tuple[str, int]]:
    yield from Counter(reply.words for reply in replies).items()


atexit.register(stop_all)
