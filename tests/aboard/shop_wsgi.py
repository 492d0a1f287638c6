"""A shop with every way to lose a connection, each beside a way that does not. Served by Gunicorn."""

from __future__ import annotations

import atexit
import gc
import json
import os
from pathlib import Path

import falcon
import psycopg
import sqlalchemy
from psycopg_pool import ConnectionPool

from labkit.aboard import ConnectionTracker, track_psycopg_pool, track_sqlalchemy, watch

gc.disable()  # dropped connections of SQLAlchemy come back when the collector runs: here it never does by itself

WHERE = os.environ["TEST_DATABASE"]
TRACKER = ConnectionTracker()
POOL = ConnectionPool(WHERE, min_size=1, max_size=30, open=True, timeout=20)
RETURNING = ConnectionPool(WHERE, min_size=1, max_size=2, open=True, timeout=20, close_returns=True)
ENGINE = sqlalchemy.create_engine(
    "postgresql+psycopg://", creator=lambda: psycopg.connect(WHERE), pool_size=30, max_overflow=0, pool_timeout=20
)
atexit.register(POOL.close)  # on Python 3.13 a pool that is open at the end holds the worker for 30 s, watched or not
atexit.register(RETURNING.close)
track_psycopg_pool(POOL, TRACKER)
track_psycopg_pool(RETURNING, TRACKER, name="returning")
track_sqlalchemy(ENGINE, TRACKER)

FILE = Path(os.environ["TEST_FOLDER"]) / "prices.txt"
FILE.write_bytes(b"0123456789" * 20_000)
ROWS = "select repeat('x', 2000) from generate_series(1, 500)"
KEPT: list[BaseException] = []
TOLD: list[str] = []


class Refused(Exception):
    """Told to the customer, or raised again."""


class Session:
    """A connection for each request below /session/, given back in ``process_response``."""

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        if req.path.startswith("/session/"):
            req.context.connection = POOL.getconn()

    def process_response(self, req: falcon.Request, resp: falcon.Response, resource: object, ok: bool) -> None:
        if hasattr(req.context, "connection"):
            POOL.putconn(req.context.connection)


class Healthy:
    def on_get(self, req: falcon.Request, resp: falcon.Response, order: str) -> None:
        with POOL.connection() as connection, ENGINE.connect() as other:
            connection.execute("select 1")
            other.execute(sqlalchemy.text("select 1"))
        resp.media = {"order": order}


class Closed:
    def on_get(self, req: falcon.Request, resp: falcon.Response, order: str) -> None:
        connection = POOL.getconn()
        connection.execute("select 1")
        connection.close()


class Returned:
    def on_get(self, req: falcon.Request, resp: falcon.Response, order: str) -> None:
        connection = RETURNING.getconn()
        connection.execute("select 1")
        connection.close()


class WithSession:
    def on_get(self, req: falcon.Request, resp: falcon.Response, order: str) -> None:
        if order == "bad":
            raise Refused


class Dropped:
    def on_get(self, req: falcon.Request, resp: falcon.Response, order: str) -> None:
        connection = ENGINE.connect()
        connection.execute(sqlalchemy.text("select 1"))


class Collected:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        gc.collect()


class Eager:
    def on_get(self, req: falcon.Request, resp: falcon.Response, order: str) -> None:
        resp.stream = self.rows(POOL.getconn())

    on_head = on_get

    @staticmethod
    def rows(connection):
        try:
            for (row,) in connection.execute(ROWS):
                yield row.encode()
        finally:
            POOL.putconn(connection)


class Lazy:
    def on_get(self, req: falcon.Request, resp: falcon.Response, order: str) -> None:
        resp.stream = self.rows()

    on_head = on_get

    @staticmethod
    def rows():
        with POOL.connection() as connection:
            for (row,) in connection.execute(ROWS):
                yield row.encode()


class Kept:
    def on_get(self, req: falcon.Request, resp: falcon.Response, order: str) -> None:
        connection = ENGINE.connect()
        try:
            connection.execute(sqlalchemy.text("select no_such_column"))
        except sqlalchemy.exc.ProgrammingError as error:
            KEPT.append(error)


class Noted:
    def on_get(self, req: falcon.Request, resp: falcon.Response, order: str) -> None:
        try:
            with ENGINE.connect() as connection:
                connection.execute(sqlalchemy.text("select no_such_column"))
        except sqlalchemy.exc.ProgrammingError as error:
            TOLD.append(type(error).__name__)


class Download:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.set_stream(FILE.open("rb"), FILE.stat().st_size)


def raise_again(req: falcon.Request, resp: falcon.Response, error: Refused, params: dict[str, str]) -> None:
    raise error


def create_app() -> falcon.App:
    app = falcon.App(middleware=[Session()])
    app.add_error_handler(Refused, raise_again)
    app.add_route("/orders/{order}", Healthy())
    app.add_route("/closed/{order}", Closed())
    app.add_route("/returned/{order}", Returned())
    app.add_route("/session/{order}", WithSession())
    app.add_route("/dropped/{order}", Dropped())
    app.add_route("/collect", Collected())
    app.add_route("/eager/{order}", Eager())
    app.add_route("/lazy/{order}", Lazy())
    app.add_route("/kept/{order}", Kept())
    app.add_route("/noted/{order}", Noted())
    app.add_route("/download", Download())
    return app


shop = watch(create_app(), TRACKER)


def application(environ, start_response):
    """The shop, and what the tracker says of it."""
    if environ["PATH_INFO"] != "/connections":
        return shop(environ, start_response)
    body = json.dumps(TRACKER.as_dict()).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
