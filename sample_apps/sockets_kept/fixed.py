"""Shipping rates, asked from a carrier's rate service."""

from __future__ import annotations

import socket
from collections import OrderedDict

import falcon

MAX_G = 30_000


class RateClient:
    """A connection to the rate service, in the name of one shop."""

    def __init__(self, shop: str) -> None:
        self.shop = shop
        # The far end stands in for the carrier.
        self._near, self._far = socket.socketpair()

    def rate_cents(self, weight_g: int) -> int:
        """What a parcel of that weight costs."""
        self._near.sendall(b"%d\n" % weight_g)
        asked_g = int(self._far.recv(64))
        self._far.sendall(b"%d\n" % (350 + asked_g // 20))
        return int(self._near.recv(64))

    def close(self) -> None:
        """Hang up."""
        self._near.close()
        self._far.close()


# A shop asks for many parcels in a row: keep its connection, while there are few.
CLIENTS: OrderedDict[str, RateClient] = OrderedDict()
MAX_CLIENTS = 8


def client_of(shop: str) -> RateClient:
    """The connection of a shop, opened at its first parcel."""
    if shop not in CLIENTS:
        CLIENTS[shop] = RateClient(shop)
        if len(CLIENTS) > MAX_CLIENTS:
            CLIENTS.popitem(last=False)[1].close()
    return CLIENTS[shop]


class RateResource:
    """Tell a shop what a parcel costs."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        media = req.get_media()
        shop, weight_g = media["shop"], media.get("g", 0)
        if not 0 < weight_g <= MAX_G:
            raise falcon.HTTPUnprocessableEntity(title="No such parcel", description=f"{weight_g} g")
        resp.media = {"shop": shop, "g": weight_g, "cents": client_of(shop).rate_cents(weight_g)}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/rates", RateResource())
    return app


app = create_app()
