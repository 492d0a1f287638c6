"""Pages of a shop. What each visitor looked at is kept for recommendations, the last ones only."""

from __future__ import annotations

import os
from collections import deque
from typing import Any

import falcon

VISITS: deque[dict[str, Any]] = deque(maxlen=20)


class PageResource:
    """One page."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, page: str) -> None:
        VISITS.append({"page": page, "words": [f"{page}-{number}" for number in range(3000)]})
        resp.media = {"worker": os.getpid(), "visits": len(VISITS)}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/pages/{page}", PageResource())
    return app


app = create_app()
