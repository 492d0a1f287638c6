"""Pages of a shop, measured. A price list is read at the start, and pages are cached, so many and no more."""

from __future__ import annotations

import functools
from typing import Any

import falcon

from labkit.aboard.metrics import measure

PRICES = {f"article-{number}": number / 4 for number in range(250_000)}


@functools.lru_cache(maxsize=120)
def page_text(page: str) -> str:
    """A page as HTML."""
    return f"<p>{page:>8}</p>" * 5000


class PageResource:
    """One page."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, page: str) -> None:
        resp.media = {"page": page, "length": len(page_text(page))}


def create_app() -> Any:
    app = falcon.App()
    app.add_route("/pages/{page}", PageResource())
    return measure(app, every_s=0.04, unique_every_s=0, warmup_requests=40)


app = create_app()
