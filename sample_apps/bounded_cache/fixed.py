"""Postcodes looked up for parcels, the answers kept for the next parcel."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

import falcon

# Memory for the answers of the last hour: about 2 kB each.
MAX_REGIONS = 100


@dataclass
class Region:
    """Where a parcel goes, and the depots that can take it, nearest first."""

    postcode: str
    depots: tuple[str, ...]


REGIONS: OrderedDict[str, Region] = OrderedDict()


def survey(postcode: str) -> Region:
    """Stand in for the slow geographic service."""
    digest = hashlib.sha256(postcode.encode()).hexdigest()
    depots = tuple(f"depot {digest[n : n + 4]} at {digest[n:]}" for n in range(16))
    return Region(postcode, depots)


def region_of(postcode: str) -> Region:
    """The region of a postcode, from the cache when it was asked for lately."""
    if postcode in REGIONS:
        REGIONS.move_to_end(postcode)
        return REGIONS[postcode]
    region = REGIONS[postcode] = survey(postcode)
    if len(REGIONS) > MAX_REGIONS:
        REGIONS.popitem(last=False)
    return region


class ParcelResource:
    """Tell where a parcel goes."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, postcode: str) -> None:
        if not postcode.replace("-", "").isalnum():
            raise falcon.HTTPBadRequest(title="Not a postcode", description="Letters, digits and dashes only.")
        region = region_of(postcode)
        resp.media = {
            "postcode": region.postcode,
            "depot": region.depots[0],
            "others": len(region.depots) - 1,
        }


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/parcels/{postcode}", ParcelResource())
    return app


app = create_app()
