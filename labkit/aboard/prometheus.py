"""Readings for Prometheus, through the app's own ``prometheus_client``.

With one process the metrics join the library's registry. With more, set ``PROMETHEUS_MULTIPROC_DIR`` to a folder of
this service alone, empty at its start, before the app is imported: any worker then answers for all of them.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from . import worker_files
from .readings import Reading, Readings
from .samples import COUNTERS, GAUGES, LABELS, counters_of, gauges_of

_THOROUGH_EVERY_S = 60.0


class Exporter:
    """Writes readings, and answers scrapes. Metrics are made in the process that first writes, never before a fork."""

    def __init__(self, readings: Readings, *, registry: Any = None) -> None:
        self._readings = readings
        self._given_registry = registry
        self._metrics: dict[str, Any] = {}
        self._told: dict[tuple[str, str], float] = {}
        self._pid: int | None = None
        self._lock = threading.Lock()
        self._thorough_s = time.monotonic()
        folder = worker_files.folder()
        if folder:
            os.makedirs(folder, exist_ok=True)

    def write(self, reading: Reading) -> None:
        """Set the gauges, and count what has come since the last reading."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._lock = threading.Lock()
            self._told = {}
        with self._lock:
            for name, label, value in gauges_of(reading):
                if value is not None:
                    self._metric(name, label).set(value)
            for name, label, value in counters_of(reading):
                more = (value or 0) - self._told.get((name, label), 0)
                if more >= 0:  # another thread's reading may be the newer one
                    self._metric(name, label).inc(more)
                    self._told[name, label] = value or 0

    def text(self, accept: str = "") -> tuple[bytes, str]:
        """What a scrape is answered with, and its content type."""
        from prometheus_client.exposition import choose_encoder

        self.write(self._readings.take())
        encode, content_type = choose_encoder(accept)
        folder = worker_files.folder()
        if folder is None:
            return encode(self._registry), content_type
        from prometheus_client import CollectorRegistry, multiprocess

        with worker_files.locked(folder, patience_s=5.0) as have:
            if have:
                worker_files.sweep(folder, thoroughly=self._is_time_to_be_thorough())
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry, folder)
            return encode(registry), content_type

    def wsgi(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        """A WSGI app that answers scrapes."""
        body, content_type = self.text(environ.get("HTTP_ACCEPT", ""))
        start_response("200 OK", [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [body]

    async def asgi(self, scope: Mapping[str, Any], receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        """An ASGI app that answers scrapes; files are read in a thread."""
        accept = dict(scope.get("headers", ())).get(b"accept", b"").decode("latin-1")
        body, content_type = await asyncio.to_thread(self.text, accept)
        headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    @property
    def _registry(self) -> Any:
        if self._given_registry is None:
            from prometheus_client import REGISTRY

            self._given_registry = REGISTRY
        return self._given_registry

    def _is_time_to_be_thorough(self) -> bool:
        now = time.monotonic()
        if now - self._thorough_s < _THOROUGH_EVERY_S:
            return False
        self._thorough_s = now
        return True

    def _metric(self, name: str, label: str) -> Any:
        metric = self._metrics.get(name)
        if metric is None:
            from prometheus_client import Counter, Gauge

            labels = LABELS.get(name, [])
            if name in GAUGES:
                metric = Gauge(name, GAUGES[name], labels, multiprocess_mode="liveall", registry=self._registry)
            else:
                metric = Counter(name, COUNTERS[name], labels, registry=self._registry)
            self._metrics[name] = metric
        return metric.labels(label) if label else metric


class Resource:
    """A Falcon resource that answers scrapes, for those who want it on a route of their own.

    ``app.add_route("/metrics", Resource(exporter))``; of an ASGI app ``app.add_route(..., suffix="async")``.
    """

    def __init__(self, exporter: Exporter) -> None:
        self._exporter = exporter

    def on_get(self, req: Any, resp: Any) -> None:
        """WSGI."""
        resp.data, resp.content_type = self._exporter.text(req.get_header("Accept") or "")

    async def on_get_async(self, req: Any, resp: Any) -> None:
        """ASGI."""
        resp.data, resp.content_type = await asyncio.to_thread(self._exporter.text, req.get_header("Accept") or "")
