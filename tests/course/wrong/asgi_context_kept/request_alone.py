# refused: It still grows
"""Prices as a stream of server-sent events: a desk connects, gets the prices once they changed, and connects again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import falcon
import falcon.asgi

PATIENCE_S = 20
RETRY_MS = 2_000

PRICES: dict[str, str] = {}


@dataclass(eq=False)
class Listener:
    """A desk that waits for prices; the request says which it is."""

    req: falcon.asgi.Request
    news: asyncio.Event = field(default_factory=asyncio.Event)


LISTENERS: set[Listener] = set()
versions = 0


class TickerResource:
    """The stream that a desk listens to."""

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        req.context.desk = req.get_param("desk", required=True)
        resp.sse = self._events(req)

    async def _events(self, req: falcon.asgi.Request) -> AsyncIterator[falcon.asgi.SSEvent]:
        listener = Listener(req)
        req.context.desk = None
        LISTENERS.add(listener)
        if req.get_header("Last-Event-ID") == str(versions):
            await asyncio.wait_for(listener.news.wait(), PATIENCE_S)
        yield falcon.asgi.SSEvent(json=PRICES, event_id=str(versions), retry=RETRY_MS)


class PriceResource:
    """A new price, of which every desk is told."""

    async def on_put(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, article: str) -> None:
        global versions
        PRICES[article] = str((await req.get_media())["price"])
        versions += 1
        for listener in LISTENERS:
            listener.news.set()
        resp.media = {"article": article, "price": PRICES[article], "version": versions}


def create_app() -> falcon.asgi.App:
    app = falcon.asgi.App()
    app.add_route("/ticker", TickerResource())
    app.add_route("/prices/{article}", PriceResource())
    return app


app = create_app()
