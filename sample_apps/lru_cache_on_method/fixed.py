"""Quotes for customers: list prices, less what was agreed with each."""

from __future__ import annotations

import functools
import hashlib
from typing import Any

import falcon

LIST_PRICES_CENTS = {f"part-{number:02}": 250 + 17 * number for number in range(40)}


@functools.lru_cache(maxsize=256)
def list_total_cents(part: str, quantity: int) -> int:
    """The price of so many before any rebate: the same for every customer, so it is remembered."""
    scale_percent = min(20, quantity // 10)
    return LIST_PRICES_CENTS[part] * quantity * (100 - scale_percent) // 100


class PriceList:
    """The prices of one customer, valid for one quote."""

    def __init__(self, customer: str) -> None:
        self.customer = customer
        digest = hashlib.sha256(customer.encode()).digest()
        self.rebates_permille = {
            part: 2 * digest[number % len(digest)] for number, part in enumerate(LIST_PRICES_CENTS)
        }

    def total_cents(self, part: str, quantity: int) -> int:
        """The price of so many of a part, less this customer's rebate."""
        return list_total_cents(part, quantity) * (1000 - self.rebates_permille[part]) // 1000

    def quote(self, lines: list[tuple[str, int]]) -> dict[str, Any]:
        """Each line with its price, and the sum."""
        return {
            "customer": self.customer,
            "lines": [{"part": part, "cents": self.total_cents(part, count)} for part, count in lines],
            "total_cents": sum(self.total_cents(part, count) for part, count in lines),
        }


def checked_lines(media: Any) -> list[tuple[str, int]]:
    """Part and quantity of each line; 422 names what is wrong."""
    lines = [(line.get("part"), line.get("quantity", 1)) for line in media.get("lines", [])]
    for part, quantity in lines:
        if part not in LIST_PRICES_CENTS or not isinstance(quantity, int) or quantity < 1:
            raise falcon.HTTPUnprocessableEntity(title="No quote", description=f"Not to be had: {quantity} of {part}.")
    return lines


class QuoteResource:
    """Make quotes."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, customer: str) -> None:
        lines = checked_lines(req.get_media())
        resp.media = PriceList(customer).quote(lines)


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/customers/{customer}/quotes", QuoteResource())
    return app


app = create_app()
