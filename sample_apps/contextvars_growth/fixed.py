"""Freight rates, with a trail of what was done for a request: the log shows it when something goes wrong."""

from __future__ import annotations

import logging
import time
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal

import falcon

PER_KG = {"road": Decimal("0.31"), "rail": Decimal("0.22"), "air": Decimal("4.90")}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Step:
    """Something that was done for a request, and when."""

    text: str
    at_s: float


TRAIL: ContextVar[list[Step]] = ContextVar("TRAIL")


def note(text: str) -> None:
    """Add a step to the trail of this request."""
    TRAIL.get().append(Step(text, time.monotonic()))


class TrailMiddleware:
    """A trail for each request."""

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        TRAIL.set([])  # a thread serves many requests in one context
        note(f"{req.method} {req.path}")

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, resource: object, req_succeeded: bool
    ) -> None:
        if not req_succeeded:
            logger.info("refused after: %s", ", ".join(step.text for step in TRAIL.get()[-5:]))


class RateResource:
    """Tell what a way of transport costs."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, way: str) -> None:
        weight_kg = req.get_param_as_int("kg", required=True, min_value=1)
        if way not in PER_KG:
            raise falcon.HTTPNotFound(title="No such way", description=f"Nothing goes by {way}.")
        note(f"rate of {way} for {weight_kg} kg")
        cost = PER_KG[way] * weight_kg
        note(f"costs {cost}")
        resp.media = {"way": way, "kg": weight_kg, "cost": str(cost)}


def create_app() -> falcon.App:
    app = falcon.App(middleware=[TrailMiddleware()])
    app.add_route("/rates/{way}", RateResource())
    return app


app = create_app()
