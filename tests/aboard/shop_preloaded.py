"""A shop that takes a connection while it is imported, and keeps it."""

from __future__ import annotations

import json
import os

import falcon
import psycopg
import sqlalchemy

from labkit.aboard import ConnectionTracker, track_sqlalchemy, watch

WHERE = os.environ["TEST_DATABASE"]
TRACKER = ConnectionTracker()
ENGINE = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(WHERE))
track_sqlalchemy(ENGINE, TRACKER)
AT_IMPORT = ENGINE.connect()
OWN: list[sqlalchemy.Connection] = []


class Order:
    def on_get(self, req: falcon.Request, resp: falcon.Response, order: str) -> None:
        OWN.append(ENGINE.connect())


plain = falcon.App()
plain.add_route("/orders/{order}", Order())
shop = watch(plain, TRACKER)


def application(environ, start_response):
    """The shop, and what the tracker says of it."""
    if environ["PATH_INFO"] != "/connections":
        return shop(environ, start_response)
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(TRACKER.as_dict() | {"parent": os.getppid()}).encode()]
