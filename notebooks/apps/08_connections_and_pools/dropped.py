"""Invoices over SQLAlchemy: a connection that is closed, and one that is only dropped."""

from __future__ import annotations

import gc
from typing import Any

import falcon
from lending import make_connect, select

# Tuned for speed, as many services are: the collector runs seldom.
gc.set_threshold(100_000)

connect = make_connect()


class Dropped:
    def on_get(self, req: falcon.Request, resp: falcon.Response, invoice: str) -> None:
        connection = connect()
        connection.execute(select("select 1"))
        resp.media = {"invoice": invoice}


class WithBlock:
    def on_get(self, req: falcon.Request, resp: falcon.Response, invoice: str) -> None:
        with connect() as connection:
            connection.execute(select("select 1"))
        resp.media = {"invoice": invoice}


class Collector:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        gc.collect()
        resp.media = "collected"


def create_app() -> Any:
    app = falcon.App()
    app.add_route("/dropped/{invoice}", Dropped())
    app.add_route("/with-block/{invoice}", WithBlock())
    app.add_route("/collect", Collector())
    return app


app = create_app()
