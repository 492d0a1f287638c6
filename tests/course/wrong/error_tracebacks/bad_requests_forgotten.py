# refused: does not do its work as before
"""Orders come in, are checked, and the last refusals can be read by the operators."""

from __future__ import annotations

import logging
from decimal import Decimal, InvalidOperation
from typing import Any

import falcon

SHOWN = 5
PRICES = {"tea": Decimal("4.20"), "coffee": Decimal("7.90"), "cocoa": Decimal("5.50")}

logger = logging.getLogger(__name__)


class OrderError(Exception):
    """An order that cannot be fulfilled; the text is for the customer."""

    def __init__(self, order: str, reason: str) -> None:
        super().__init__(f"{order}: {reason}")
        self.order = order
        self.reason = reason


# What the operators' page shows.
REFUSALS: list[OrderError] = []


def price_of(order: str, lines: list[dict[str, Any]]) -> Decimal:
    """The sum of all lines; OrderError names the first that cannot be priced."""
    total = Decimal(0)
    for number, line in enumerate(lines, start=1):
        if line.get("sku") not in PRICES:
            raise OrderError(order, f"line {number}: we do not sell {line.get('sku')}")
        try:
            quantity = Decimal(str(line.get("quantity", 1)))
        except InvalidOperation:
            raise OrderError(order, f"line {number}: no quantity") from None
        total += PRICES[line["sku"]] * quantity
    return total


class OrderResource:
    """Take orders in."""

    def on_put(self, req: falcon.Request, resp: falcon.Response, order: str) -> None:
        lines = req.get_media().get("lines", [])
        total = price_of(order, lines)
        resp.status = falcon.HTTP_201
        resp.media = {"order": order, "lines": len(lines), "total": str(total)}


class RefusalResource:
    """Show the operators what was refused lately, newest first."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {"refusals": [str(refusal) for refusal in reversed(REFUSALS[-SHOWN:])]}


def refuse(req: falcon.Request, resp: falcon.Response, ex: OrderError, params: dict[str, str]) -> None:
    """Answer 422 with the reason, and remember the refusal for the operators."""
    logger.info("refused %s", ex)
    REFUSALS.append(ex)
    del REFUSALS[:-1]
    resp.status = falcon.HTTP_422
    resp.media = {"title": "Order refused", "order": ex.order, "reason": ex.reason}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_error_handler(OrderError, refuse)
    app.add_route("/orders/{order}", OrderResource())
    app.add_route("/refusals", RefusalResource())
    return app


app = create_app()
