"""Pages of a shop, measured. What each visitor looked at is kept, the last twenty."""

from __future__ import annotations

from collections import deque
from typing import Any

import falcon

from labkit.aboard.metrics import measure

VISITS: deque[dict[str, Any]] = deque(maxlen=20)


class PageResource:
    """One page."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, page: str) -> None:
        VISITS.append({"page": page, "words": [f"{page}-{number}" for number in range(300)]})
        resp.media = {"page": page}


def create_app() -> Any:
    app = falcon.App()
    app.add_route("/pages/{page}", PageResource())
    return measure(app, every_s=0.04, unique_every_s=0, warmup_requests=40)


app = create_app()
