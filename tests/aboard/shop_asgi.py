"""The shop for asyncio, served by Uvicorn."""

from __future__ import annotations

import asyncio
import gc
import json
import os

import falcon.asgi
import psycopg
import sqlalchemy
from psycopg_pool import AsyncConnectionPool
from sqlalchemy.ext.asyncio import create_async_engine

from labkit.aboard import ConnectionTracker, track_psycopg_pool, track_sqlalchemy, watch

gc.disable()

WHERE = os.environ["TEST_DATABASE"]
TRACKER = ConnectionTracker()
POOL = AsyncConnectionPool(WHERE, min_size=1, max_size=30, open=False, timeout=20)
ENGINE = create_async_engine(
    "postgresql+psycopg://", async_creator=lambda: psycopg.AsyncConnection.connect(WHERE), pool_size=30
)
track_psycopg_pool(POOL, TRACKER)
track_sqlalchemy(ENGINE, TRACKER)
ROWS = "select repeat('x', 20000) from generate_series(1, 500)"
HELD: list[object] = []


class Lifespan:
    async def process_startup(self, scope, event):
        await POOL.open()

    async def process_shutdown(self, scope, event):
        await POOL.close()
        await ENGINE.dispose()


class Healthy:
    async def on_get(self, req, resp, order):
        async with POOL.connection() as connection, ENGINE.connect() as other:
            await connection.execute("select 1")
            await other.execute(sqlalchemy.text("select 1"))
        resp.media = {"order": order}


class Closed:
    async def on_get(self, req, resp, order):
        connection = await POOL.getconn()
        await connection.close()


class Held:
    async def on_get(self, req, resp, order):
        HELD.append(await self.connected())

    async def connected(self):
        return await ENGINE.connect()


class Waited:
    async def on_get(self, req, resp, order):
        await asyncio.wait_for(POOL.getconn(), 20)


class Lines:
    async def on_get(self, req, resp, order):
        resp.stream = self.rows()

    async def rows(self):
        async with POOL.connection() as connection:
            for (row,) in await (await connection.execute(ROWS)).fetchall():
                yield row.encode()


class Cancelled:
    async def on_get(self, req, resp, order):
        HELD.append(await POOL.getconn())
        raise asyncio.CancelledError


class Later:
    """A task of the request's own goes on after the response."""

    async def on_get(self, req, resp, order):
        HELD.append(asyncio.create_task(self.work()))

    async def work(self):
        while all(mark.ended_at is None for mark in SEEN):
            await asyncio.sleep(0.01)
        HELD.append(await POOL.getconn())


SEEN: list[object] = []
tell_begin = TRACKER.begin_request


def begin_request(method):
    SEEN[:] = [tell_begin(method)]
    return SEEN[0]


TRACKER.begin_request = begin_request


def create_app():
    app = falcon.asgi.App(middleware=[Lifespan()])
    app.add_route("/orders/{order}", Healthy())
    app.add_route("/closed/{order}", Closed())
    app.add_route("/held/{order}", Held())
    app.add_route("/waited/{order}", Waited())
    app.add_route("/lines/{order}", Lines())
    app.add_route("/cancelled/{order}", Cancelled())
    app.add_route("/later/{order}", Later())
    return app


shop = watch(create_app(), TRACKER)


async def application(scope, receive, send):
    """The shop, and what the tracker says of it."""
    if scope["type"] != "http" or scope["path"] != "/connections":
        return await shop(scope, receive, send)
    body = json.dumps(TRACKER.as_dict()).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    return await send({"type": "http.response.body", "body": body})
