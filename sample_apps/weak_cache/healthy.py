"""Seat maps of trains: whoever looks at the same train at the same time shares one map."""

from __future__ import annotations

import hashlib
import weakref
from collections import deque

import falcon

COACHES = 8
SEATS = 60
RECENT = 16


class SeatMap:
    """The seats of a train that are free."""

    def __init__(self, train: str) -> None:
        self.train = train
        digest = hashlib.sha256(train.encode()).digest()
        self.free = [[seat for seat in range(SEATS) if digest[seat % 32] >> coach & 1] for coach in range(COACHES)]


# Maps that somebody uses: an entry goes when the last user lets go.
MAPS: weakref.WeakValueDictionary[str, SeatMap] = weakref.WeakValueDictionary()
# The last maps asked for, since the next reader often wants the same.
LATELY: deque[SeatMap] = deque(maxlen=RECENT)


def map_of(train: str) -> SeatMap:
    """The map of a train, drawn once while it is in use."""
    found = MAPS.get(train)
    if found is None:
        found = MAPS[train] = SeatMap(train)
    LATELY.append(found)
    return found


class SeatResource:
    """Tell how many seats are free in a train."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, train: str) -> None:
        resp.media = {"train": train, "free": [len(seats) for seats in map_of(train).free]}


class MapsResource:
    """How many maps are in memory, for the operators."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {"maps": len(MAPS)}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/trains/{train}/seats", SeatResource())
    app.add_route("/maps", MapsResource())
    return app


app = create_app()
