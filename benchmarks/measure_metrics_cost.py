"""Measure what metrics cost: each request, each reading, each scrape.

    python benchmarks/measure_metrics_cost.py [--rounds 9] [--megabytes 1 200 1000]

Requests: a Falcon app called in this process, watched and not, in turns; the median of the rounds. Readings: in
processes that hold so many MB of touched memory. A scrape is that of one worker.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import falcon
import falcon.testing

from labkit.aboard import process
from labkit.aboard.counting import count_requests
from labkit.aboard.prometheus import Exporter
from labkit.aboard.readings import Readings

CALLS = 3000


class Shop:
    """Answers at once: whatever is added shows."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.text = "ok"


def make_app() -> Any:
    app = falcon.App()
    app.add_route("/", Shop())
    return app


def call(app: Any) -> None:
    answer = app(falcon.testing.create_environ("/"), lambda status, headers, error=None: None)
    for _ in answer:
        pass
    if hasattr(answer, "close"):
        answer.close()


def seconds(function: Callable[[], object], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        function()
    return (time.process_time() - began) / times


def measure_requests(rounds: int) -> None:
    plain, watched = make_app(), count_requests(make_app(), Readings())
    pairs = [(seconds(lambda: call(plain), CALLS), seconds(lambda: call(watched), CALLS)) for _ in range(rounds)]
    more = statistics.median(after - before for before, after in pairs)
    print(f"a request: {more * 1e6:.1f} microseconds of CPU more")


def measure_readings(megabytes: int) -> None:
    held = [os.urandom(1 << 20) for _ in range(megabytes)]
    readings = Readings(unique_every_s=3600)
    readings.begin().end()
    exporter = Exporter(readings)
    exporter.text()
    timed = {
        "USS": seconds(process.unique_bytes, 20),
        "everything else": seconds(readings.take, 200),
        "a scrape": seconds(exporter.text, 50),
    }
    print(f"{len(held)} MB held: " + ", ".join(f"{what} {took * 1000:.2f} ms" for what, took in timed.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[1, 200, 1000])
    parser.add_argument("--hold", type=int, help="the readings of a process that holds so many MB, and no more")
    arguments = parser.parse_args()
    if arguments.hold:
        measure_readings(arguments.hold)
        return
    measure_requests(arguments.rounds)
    for megabytes in arguments.megabytes:
        with tempfile.TemporaryDirectory() as folder:
            more = {"PROMETHEUS_MULTIPROC_DIR": folder}
            subprocess.run([sys.executable, __file__, "--hold", str(megabytes)], env=os.environ | more, check=True)


if __name__ == "__main__":
    main()
