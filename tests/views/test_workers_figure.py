"""Workers over the requests of all of them, in a picture and in words."""

from __future__ import annotations

from labkit.findings.model import Sample
from labkit.views.workers import workers_figure


def seen(pid: int, requests: int, uss_bytes: int) -> Sample:
    more = {"time_s": 0, "rung": 0, "rss_bytes": 0, "descriptors": 0, "sockets": 0, "threads": 1}
    return Sample(pid=pid, requests=requests, uss_bytes=uss_bytes, **more)


def test_workers_that_took_over_are_counted() -> None:
    looks = [seen(1, 0, 10_000_000), seen(2, 0, 11_000_000), seen(1, 50, 30_000_000), seen(3, 100, 12_000_000)]
    figure, alt = workers_figure(looks)
    assert alt == "USS of each worker: 2 at a time, 3 in all. Between 10.0 MB and 30.0 MB in 100 requests."
    assert len(figure.axes[0].lines) == 3
    assert figure.axes[0].get_ylim()[0] == 0


def test_one_worker_is_said_to_be_one() -> None:
    _, alt = workers_figure([seen(1, 0, 10_000_000)])
    assert alt == "USS of the worker. Between 10.0 MB and 10.0 MB in 0 requests."
