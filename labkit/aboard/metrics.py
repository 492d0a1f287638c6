"""All of it with one line: ``app = measure(app)``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .counting import count_requests, is_asgi
from .prometheus import Exporter
from .readings import Reading, Readings
from .statsd import StatsD
from .ticker import Ticker


def measure(
    app: Any,
    *,
    path: str | None = "/metrics",
    statsd: tuple[str, int] | None = None,
    pools: Mapping[str, Callable[[], int]] | None = None,
    warmup_requests: int = 200,
    every_s: float = 5.0,
    unique_every_s: float = 15.0,
    asgi: bool | None = None,
) -> Any:
    """The same app, WSGI or ASGI, that answers Prometheus at ``path`` and sends to ``statsd``, a host and a port.

    ``pools`` say how many connections are checked out: ``{"main": engine.pool.checkedout}``. A worker's first
    ``warmup_requests`` are not held against it: they fill caches and import what is imported late.
    """
    readings = Readings(warmup_requests=warmup_requests, unique_every_s=unique_every_s, pools=pools)
    sinks: list[Callable[[Reading], None]] = []
    instead: dict[str, Any] = {}
    asgi = is_asgi(app) if asgi is None else asgi
    if path is not None:
        exporter = Exporter(readings)
        sinks.append(exporter.write)
        instead[path] = exporter.asgi if asgi else exporter.wsgi
    if statsd is not None:
        sinks.append(StatsD(*statsd).send)
    Ticker(readings, sinks, every_s=every_s)
    return count_requests(app, readings, asgi=asgi, instead=instead)
