"""A search in shops, each asked by a thread of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import falcon

SHOPS = ("east",)
POOL = ThreadPoolExecutor(max_workers=len(SHOPS))


def ask(shop: str, word: str) -> str:
    """Stand in for a request to a shop."""
    return f"{word} at {shop}"


class SearchResource:
    """Search in all shops."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, word: str) -> None:
        pool = POOL
        resp.media = {"found": list(pool.map(ask, SHOPS, [word] * len(SHOPS)))}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/search/{word}", SearchResource())
    return app


app = create_app()
