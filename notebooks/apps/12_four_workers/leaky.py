"""Pages of a shop. What each visitor looked at is kept for recommendations, and for ever."""

from __future__ import annotations

import os
from typing import Any

import falcon

VISITS: list[dict[str, Any]] = []


class PageResource:
    """One page."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, page: str) -> None:
        VISITS.append({"page": page, "words": [f"{page}-{number}" for number in range(3000)]})  # leak: 12_four_workers
        resp.media = {"worker": os.getpid(), "visits": len(VISITS)}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/pages/{page}", PageResource())
    return app


app = create_app()
