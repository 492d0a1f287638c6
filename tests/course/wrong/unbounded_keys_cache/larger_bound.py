# refused: not seen full
"""Lists of offers, by category and page; a list is looked up once and then remembered."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from urllib.parse import parse_qs

import falcon

CATEGORIES = ("tea", "coffee", "cocoa")
PAGES = 5
PER_PAGE = 12


@dataclass(frozen=True)
class Listing:
    """One page of offers."""

    category: str
    page: int
    offers: tuple[str, ...]


def look_up(category: str, page: int) -> Listing:
    """Stand in for the slow search service."""
    digest = hashlib.sha256(f"{category} {page}".encode()).hexdigest()
    return Listing(category, page, tuple(f"{category}-{digest[n : n + 8]}" for n in range(PER_PAGE)))


@functools.lru_cache(maxsize=1_000_000)
def listing_of(query: str) -> Listing:
    """The page that a query string asks for; 400 when there is no such page."""
    asked = {name: values[-1] for name, values in parse_qs(query).items()}
    category, page = asked.get("category", ""), asked.get("page", "1")
    if category not in CATEGORIES or page not in map(str, range(1, PAGES + 1)):
        raise falcon.HTTPBadRequest(title="No such page", description=f"{category}, page {page}")
    return look_up(category, int(page))


class OfferResource:
    """Show a page of offers."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        listing = listing_of(req.query_string)
        resp.media = {"category": listing.category, "page": listing.page, "offers": list(listing.offers)}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/offers", OfferResource())
    return app


app = create_app()
