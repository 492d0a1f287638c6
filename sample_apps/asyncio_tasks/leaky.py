"""Orders go to a carrier; when it says that one is on its way, the customer is told."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import falcon
import falcon.asgi


@dataclass(eq=False)
class Shipment:
    """One order in the hands of the carrier, until it answers."""

    order: str
    parcels: list[dict[str, Any]]
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    answer: str = ""


SHIPMENTS: dict[str, Shipment] = {}
NOTICES: deque[str] = deque(maxlen=5)
# The loop itself refers to its tasks only weakly.
TASKS: set[asyncio.Task[None]] = set()


async def tell_customer(shipment: Shipment) -> None:
    """Wait for the carrier's answer; customers are told of good news only."""
    await shipment.answered.wait()
    if shipment.answer == "accepted":
        NOTICES.append(f"{shipment.order}: {len(shipment.parcels)} parcels are on their way")


class OrderResource:
    """Take orders in and hand them to the carrier."""

    async def on_put(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, order: str) -> None:
        lines = (await req.get_media()).get("lines", [])
        parcels = [{"sku": line["sku"], "weight_g": 250 * line.get("quantity", 1)} for line in lines]
        shipment = SHIPMENTS[order] = Shipment(order, parcels)
        task = asyncio.create_task(tell_customer(shipment))  # leak: asyncio_tasks
        TASKS.add(task)
        task.add_done_callback(TASKS.discard)
        resp.status = falcon.HTTP_202
        resp.media = {"order": order, "parcels": len(parcels)}


class AnswerResource:
    """The carrier calls back, once for each order."""

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, order: str) -> None:
        shipment = SHIPMENTS.pop(order, None)
        if shipment is None:
            raise falcon.HTTPNotFound(title="No such shipment")
        shipment.answer = (await req.get_media()).get("answer", "declined")
        if shipment.answer == "accepted":
            shipment.answered.set()
        resp.media = {"order": order, "answer": shipment.answer}


class NoticeResource:
    """Show what customers were told lately."""

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        resp.media = {"notices": list(NOTICES)}


def create_app() -> falcon.asgi.App:
    app = falcon.asgi.App()
    app.add_route("/orders/{order}", OrderResource())
    app.add_route("/orders/{order}/answer", AnswerResource())
    app.add_route("/notices", NoticeResource())
    return app


app = create_app()
