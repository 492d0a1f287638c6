"""Metrics of a real service, scraped as Prometheus does, and an alert's rule applied to them.

Minutes are played fast: a scrape a minute, ``MINUTE_S`` seconds apart. What a rule says of minutes holds for these.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence

import pandas as pd
from IPython.display import HTML
from prometheus_client.parser import text_string_to_metric_families

from labkit.notebook.running import scratch
from labkit.notebook.serving import serve
from labkit.views import pictures
from labkit.views.alerts import Watch, alerts_figure
from labkit.views.figures import figure_svg

MINUTE_S = 0.2
GROWN, REQUESTS = "labkit_grown_unique_bytes_total", "labkit_steady_requests_total"
RESIDENT = "labkit_process_resident_bytes"
WINDOW, PATIENCE = 5, 15  # minutes, as in alerts.yml
LEAST_PER_REQUEST, LEAST_BYTES = 256, 262144


class Scraped:
    """What was scraped: ``totals`` of all workers, a row a minute, and the ``level`` of each worker, by its pid."""

    def __init__(self, totals: pd.DataFrame, level: pd.DataFrame) -> None:
        self.totals, self.level = totals, level

    def increase(self, name: str, minutes: int = WINDOW) -> pd.Series[float]:
        """By how much a counter rose in the minutes before; as Prometheus' ``increase`` without its extrapolation."""
        return self.totals[name].diff(minutes)

    def per_request(self) -> pd.Series[float]:
        """Growth of all workers over the requests they answered, warm-up left out."""
        return self.increase(GROWN) / self.increase(REQUESTS)

    def fires(self) -> pd.Series[bool]:
        """In which minutes ``LabkitRequestsLeaveMemory`` fires: its condition held for a quarter of an hour."""
        holds = (self.per_request() > LEAST_PER_REQUEST) & (self.increase(GROWN) > LEAST_BYTES)
        return holds.rolling(PATIENCE + 1).min() == 1


def scraped(
    app: str, request: str, *, per_minute: Sequence[int] = (40,) * 30, workers: int = 2, arguments: Sequence[str] = ()
) -> Scraped:
    """Serve an app of a lesson, send so many requests in each minute, and scrape it at its end."""
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(scratch() / "metrics")}
    service = serve(app, workers=workers, arguments=tuple(arguments), environment=environment)
    totals, levels = [], []
    began = time.monotonic()
    for minute, requests in enumerate((0, *per_minute)):
        service.send(request, requests)
        time.sleep(max(0.0, began + minute * MINUTE_S - time.monotonic()))
        total, level = _parsed(service.told("/metrics"))
        totals.append(total)
        levels.append(level)
    service.stop()
    index = pd.RangeIndex(len(totals), name="minute")
    return Scraped(pd.DataFrame(totals, index=index).fillna(0), pd.DataFrame(levels, index=index))


def alerts(limit_mb: int, **services: Scraped) -> HTML:
    """Level and growth per request of each service, and when an alert on either fires."""
    watches = [
        Watch(
            name.replace("_", " "),
            {str(pid): one.level[pid].dropna() for pid in one.level},
            one.per_request().dropna(),
            _first(one.fires()),
            _first(one.level.max(axis=1) > limit_mb * 1_000_000),
        )
        for name, one in services.items()
    ]
    figure, alt = alerts_figure(watches, limit_mb * 1_000_000, LEAST_PER_REQUEST)
    return HTML(pictures.picture(figure_svg(figure), alt, 960))


def _first(fires: pd.Series[bool]) -> int | None:
    return int(fires.to_numpy().argmax()) if fires.any() else None


def _parsed(text: str) -> tuple[dict[str, float], dict[str, float]]:
    """Samples added up over their labels, and the resident memory of each worker."""
    total: dict[str, float] = defaultdict(float)
    level = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            total[sample.name] += sample.value
            if sample.name == RESIDENT:
                level[sample.labels["pid"]] = sample.value
    return dict(total), level
