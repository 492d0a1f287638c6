"""Orders, each request with a connection of its own: a middleware takes it and gives it back.

GIVE_BACK=close is how it is often shown; GIVE_BACK=putconn is how this pool wants it. /with-block needs no middleware.
"""

from __future__ import annotations

import os
from typing import Any

import falcon
from lending import make_pool, sessions

from labkit.aboard import ConnectionTracker, track_psycopg_pool, watch

GIVE_BACK = os.environ.get("GIVE_BACK", "close")
POOL = make_pool()
TRACKER = ConnectionTracker(skip=("lending",))
track_psycopg_pool(POOL, TRACKER)


class OrderRefused(Exception):
    """The warehouse says no."""


class ConnectionMiddleware:
    """A connection for each request below /orders."""

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        if req.path.startswith("/orders"):
            req.context.connection = POOL.getconn()

    def process_response(self, req: falcon.Request, resp: falcon.Response, resource: object, ok: bool) -> None:
        if not hasattr(req.context, "connection"):
            return
        if GIVE_BACK == "close":
            req.context.connection.close()
        else:
            POOL.putconn(req.context.connection)


class Orders:
    def on_get(self, req: falcon.Request, resp: falcon.Response, order: str) -> None:
        req.context.connection.execute("select 1").fetchone()
        resp.media = {"order": order}

    def on_delete(self, req: falcon.Request, resp: falcon.Response, order: str) -> None:
        raise OrderRefused(order)


class WithBlock:
    def on_get(self, req: falcon.Request, resp: falcon.Response, order: str) -> None:
        with POOL.connection() as connection:
            connection.execute("select 1").fetchone()
        resp.media = {"order": order}

    def on_delete(self, req: falcon.Request, resp: falcon.Response, order: str) -> None:
        with POOL.connection():
            raise OrderRefused(order)


class PoolResource:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        stats = POOL.get_stats()
        told = {name: stats[name] for name in ("pool_size", "pool_available")}
        resp.media = told | {"sessions the database has": sessions()}


class LeftBehind:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        names = ("file", "line", "function", "count", "routes")
        resp.media = [{name: group.as_dict()[name] for name in names} for group in TRACKER.left_behind()]


def refuse(req: falcon.Request, resp: falcon.Response, error: Exception, params: dict[str, Any]) -> None:
    """Logged elsewhere, then raised again for the server to see: what a handler should not do."""
    raise error


def create_app() -> Any:
    app = falcon.App(middleware=[ConnectionMiddleware()])
    app.add_error_handler(OrderRefused, refuse)
    app.add_route("/orders/{order}", Orders())
    app.add_route("/with-block/{order}", WithBlock())
    app.add_route("/pool", PoolResource())
    app.add_route("/left-behind", LeftBehind())
    return watch(app, TRACKER)


app = create_app()
