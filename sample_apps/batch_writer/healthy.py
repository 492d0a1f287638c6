"""Measurements, written in batches."""

from __future__ import annotations

from dataclasses import dataclass

import falcon

BATCH = 50


@dataclass
class Measurement:
    """One value of one sensor."""

    sensor: str
    values: list[float]


WAITING: list[Measurement] = []
WRITTEN: list[int] = [0]


class MeasurementResource:
    """Take a measurement."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, sensor: str) -> None:
        WAITING.append(Measurement(sensor, [number / 7 for number in range(30)]))
        if len(WAITING) >= BATCH:
            WRITTEN[0] += len(WAITING)
            WAITING.clear()
        resp.media = {"written": WRITTEN[0]}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/sensors/{sensor}", MeasurementResource())
    return app


app = create_app()
