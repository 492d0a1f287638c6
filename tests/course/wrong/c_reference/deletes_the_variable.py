# refused: It still grows
"""Orders signed by the bank's C library, which calls back with its verdict."""

from __future__ import annotations

import ctypes
import hashlib
from dataclasses import dataclass

import falcon

LIMIT_CENTS = 100_000


@dataclass
class Order:
    """What the bank is to sign."""

    account: str
    cents: int
    lines: list[str]


class Bank:
    """Stand-in for the bank's library: it holds a pointer to the order between begin and end."""

    def begin(self, order: Order) -> int:
        """Hand the order over; C counts a reference of its own."""
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(order))
        return id(order)

    def end(self, order: Order) -> None:
        """Take the order back."""
        ctypes.pythonapi.Py_DecRef(ctypes.py_object(order))

    def sign(self, order: Order) -> str:
        """The signature; ValueError when the bank refuses."""
        if order.cents > LIMIT_CENTS:
            raise ValueError("over the limit")
        return hashlib.sha256(f"{order.account} {order.cents}".encode()).hexdigest()


BANK = Bank()


class OrderResource:
    """Have an order signed."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        media = req.get_media()
        account = media["account"]
        order = Order(account, media["cents"], [f"{line} for {account}" for line in media.get("lines", [])])
        BANK.begin(order)
        try:
            signature = BANK.sign(order)
        except ValueError as refusal:
            del order
            raise falcon.HTTPUnprocessableEntity(title="Not signed", description=str(refusal)) from None
        BANK.end(order)
        resp.media = {"account": account, "lines": len(order.lines), "signature": signature}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/orders", OrderResource())
    return app


app = create_app()
