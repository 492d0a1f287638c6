"""One server under measurement: play a rung, settle, look, snapshot."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from labkit.agent.client import AgentError
from labkit.cases import Load
from labkit.drive.answers import Expectations
from labkit.drive.load import Players, Tally
from labkit.drive.mappings import resident_kinds
from labkit.drive.options import RecordOptions
from labkit.drive.progress import Progress
from labkit.drive.sampling import sample, settle, wait_for_descriptors
from labkit.drive.server import Server, Worker
from labkit.drive.visits import Script
from labkit.errors import AgentFailed
from labkit.store.capture import CaptureWriter, Sample
from labkit.store.pack import pack_snapshot


class Measurement:
    """Counts what has been played on one server, and records what is seen of its workers."""

    def __init__(
        self, server: Server, load: Load, options: RecordOptions, writer: CaptureWriter, progress: Progress
    ) -> None:
        self._server = server
        self._load = load
        self._options = options
        self._writer = writer
        self._progress = progress
        self._script = Script(load)
        self._expectations = Expectations(load, options.allow_statuses)
        self._visits = 0
        self._start = time.monotonic()
        self._snapshot_s = 0.0
        self._whole_snapshot_s = 0.0
        self._played_s = 0.0
        self._sizes: list[tuple[int, int]] = []  # requests, and the USS of all workers then
        self.requests = 0
        self.settled = True

    def play(self, what: str, requests: int, timeout_s: float | None = None, limit_s: float = math.inf) -> None:
        """Play at least so many requests in whole visits; all are answered when it returns.

        After ``limit_s`` no further visit is begun.
        """
        self._progress.doing(what)
        told = 0
        give_up = time.monotonic() + limit_s

        def watch() -> None:
            nonlocal told
            self._server.check()
            if time.monotonic() > give_up:
                players.enough()
            played = players.tally.requests
            self._progress.advance(played - told)
            told = played

        began = time.monotonic()
        with self._players(self._script.visits_for(requests), timeout_s=timeout_s) as players:
            self._count(players, players.drain(watch))
        self._played_s += time.monotonic() - began

    @property
    def seconds_per_request(self) -> float:
        """How long a request took, all clients together, since the start."""
        return self._played_s / max(self.requests, 1)

    @property
    def snapshot_s(self) -> float:
        """How long the last snapshot of all workers took, with waiting for rest."""
        return self._whole_snapshot_s

    @property
    def growth_per_request(self) -> float:
        """Bytes of private memory that a request left behind, between the first snapshot and the last."""
        (first, before), (last, now) = self._sizes[0], self._sizes[-1]
        return max(now - before, 0) / max(last - first, 1)

    def snapshot(self, rung: int, *, sites: bool = False) -> None:
        """Settle, then have each worker write its heap; a sample goes before and one after.

        Raises AgentFailed when an agent cannot, WorkerDied when that is because its worker has died.
        """
        self._progress.doing("snapshot" if rung == 0 else f"snapshot after rung {rung}")
        began, size_bytes = time.monotonic(), 0
        with self._faults_named():
            self.settled &= settle(worker.process for worker in self._server.workers)
            for worker in self._server.workers:
                before, kinds = self._sample(rung, worker), resident_kinds(worker.pid)
                path = self._writer.heap_path(rung, worker.pid, sites=sites)
                cost = self._take(worker, path)
                wait_for_descriptors(worker.pid, before.descriptors)
                after = self._sample(rung, worker)
                with suppress(OSError):  # no room for a second file beside it: a large snapshot is as good
                    pack_snapshot(path)
                cost |= {"uss_before_bytes": before.uss_bytes, "uss_after_bytes": after.uss_bytes}
                cost["memory"] = {"rss_bytes": before.rss_bytes, **kinds, **cost.get("memory", {})}
                self._writer.add_snapshot(rung, worker.pid, self.requests, path, cost, sites=sites)
                if not sites:
                    self._writer.add_sample(before)
                    self._writer.add_sample(after)
                size_bytes += before.uss_bytes
        self._whole_snapshot_s = time.monotonic() - began
        self._sizes.append((self.requests, size_bytes))
        self._progress.advance()

    def snapshot_under_load(self, discarded: Path) -> None:
        """Snapshot each worker while requests are played: what it costs, and whether a request is lost."""
        self._progress.doing("snapshot under load")
        costs: list[dict[str, Any]] = []
        with self._players(None, pause_s=self._pause_between_visits()) as players:
            for worker in self._server.workers:
                players.wait_for(self._load.concurrency, self._server.check)
                with self._faults_named():
                    costs.append(self._cost_under_load(worker, discarded, players.tally))
                    costs[-1].pop("memory", None)
                players.wait_for(self._load.concurrency, self._server.check)
            players.enough()
            tally = players.drain(self._server.check)
            self._count(players, tally)
        discarded.unlink(missing_ok=True)
        costliest = max(costs, key=lambda cost: float(cost.get("pause_ms", 0)))
        costliest["requests"] = tally.requests
        costliest["lost"] = tally.lost
        costliest["slowest_answer_ms"] = round(1000 * tally.slowest_s, 1)
        self._writer.add_under_load(costliest)
        self._progress.advance()

    def trace_allocations(self) -> None:
        """Have every worker remember where it allocates from now on."""
        with self._faults_named():
            for worker in self._server.workers:
                worker.agent.trace_start(self._options.allocation_frames)

    def _pause_between_visits(self) -> float:
        """So long that about one rung's requests fall into a snapshot: a leak must not run into a limit."""
        visits_per_player = self._script.visits_for(self._load.requests_per_rung) / self._load.concurrency
        return self._snapshot_s / visits_per_player

    def _players(self, visits: int | None, *, timeout_s: float | None = None, pause_s: float = 0) -> Players:
        return Players(
            self._server.address,
            self._script,
            first_visit=self._visits,
            visits=visits,
            concurrency=self._load.concurrency,
            timeout_s=timeout_s or self._options.request_timeout_s,
            pause_s=pause_s,
        )

    def _count(self, players: Players, tally: Tally) -> None:
        if self.requests == 0:
            self._expectations.require_some_normal(tally, self._server.last_exception(), self._server.app_name)
        self._visits += players.visits_begun
        self.requests += tally.requests
        self._writer.add_statuses(self._expectations.counts(tally))

    def _sample(self, rung: int, worker: Worker) -> Sample:
        now_s = time.monotonic() - self._start
        return sample(worker.process, time_s=now_s, rung=rung, requests=self.requests)

    def _cost_under_load(self, worker: Worker, path: Path, tally: Tally) -> dict[str, Any]:
        """The worker's own memory grows by what the requests meanwhile leave behind, too."""
        requests, uss_bytes = tally.requests, worker.process.memory_full_info().uss
        cost = self._take(worker, path)
        cost |= {"pid": worker.pid, "requests_meanwhile": tally.requests - requests}
        cost |= {"uss_before_bytes": uss_bytes, "uss_after_bytes": worker.process.memory_full_info().uss}
        return cost

    def _take(self, worker: Worker, path: Path) -> dict[str, Any]:
        start = time.monotonic()
        cost = worker.agent.snapshot(str(path), self._options.snapshot_deadline_s)
        self._snapshot_s = time.monotonic() - start
        if not path.is_file():
            raise AgentError(f"it says it wrote {path.name}, but there is no such file")
        return {name: value for name, value in cost.items() if name != "ok"}

    @contextmanager
    def _faults_named(self) -> Iterator[None]:
        try:
            yield
        except (AgentError, psutil.Error) as error:
            self._server.check()
            raise AgentFailed(
                "The agent in the worker could not take a snapshot.", seen=str(error), hint=_hint_for(str(error))
            ) from None


def _hint_for(words: str) -> str:
    if "SIGKILL" in words:
        return "more memory for the worker: the walk needs some of its own"
    if "ended by signal" in words:
        return "an extension module may have damaged an object: run the app under python -X dev"
    return ""
