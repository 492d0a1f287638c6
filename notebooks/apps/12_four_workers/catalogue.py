"""A catalogue that is loaded once, while the app is imported, and only read after that."""

from __future__ import annotations

import os
from typing import Any

import falcon

CATALOGUE = {number: {"article": f"article-{number}", "price": number / 4} for number in range(120_000)}


class AllResource:
    """What everything costs together: each article is read."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        total = sum(article["price"] for article in CATALOGUE.values())
        resp.media = {"worker": os.getpid(), "total": total}


def create_app() -> Any:
    app = falcon.App()
    app.add_route("/all", AllResource())
    return app


app = create_app()
