"""Freight prices by the carrier's tariffs; each tariff is read at the first order that it is valid for."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass

import falcon

ZONES = 12
# The first order a tariff is valid for, its name, and up to how many kg it goes.
TARIFFS = ((1, "spring", 30), (300, "summer", 120))


@dataclass(frozen=True, slots=True)
class Rate:
    """What a parcel costs in a zone, up to a weight."""

    zone: int
    up_to_kg: int
    cents: int


@functools.cache
def read_tariff(name: str, most_kg: int) -> dict[tuple[int, int], Rate]:
    """Stand in for the carrier's file: the rate of each zone and weight."""
    digest = hashlib.sha256(name.encode()).digest()
    weights = range(1, most_kg + 1)
    return {(zone, kg): Rate(zone, kg, 300 + 40 * kg + digest[zone]) for zone in range(ZONES) for kg in weights}


class PriceResource:
    """Tell what an order costs."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, number: int) -> None:
        zone, kg = req.get_param_as_int("zone", required=True), req.get_param_as_int("kg", required=True)
        _, name, most_kg = max(tariff for tariff in TARIFFS if tariff[0] <= max(number, 1))
        rate = read_tariff(name, most_kg).get((zone, kg))
        if rate is None:
            raise falcon.HTTPUnprocessableEntity(title="No rate", description=f"{kg} kg to zone {zone}")
        resp.media = {"order": number, "tariff": name, "cents": rate.cents}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/orders/{number:int}/price", PriceResource())
    return app


app = create_app()
