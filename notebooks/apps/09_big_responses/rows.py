"""A report of 100,000 rows as JSON, in three ways."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import falcon

ROWS = 100_000
BATCH_BYTES = 65_536


def rows() -> Iterator[dict[str, Any]]:
    """As a cursor would give them: one at a time."""
    for number in range(ROWS):
        yield {"number": number, "article": f"article-{number % 977}", "price": number % 100 / 4, "in stock": True}


def lines() -> Iterator[bytes]:
    """A JSON array, a row at a time."""
    yield b"["
    for number, row in enumerate(rows()):
        yield (b", " if number else b"") + json.dumps(row).encode()
    yield b"]"


def in_batches(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of some size: each piece costs a trip through the server."""
    batch, size = [], 0
    for part in parts:
        batch.append(part)
        size += len(part)
        if size >= BATCH_BYTES:
            yield b"".join(batch)
            batch, size = [], 0
    yield b"".join(batch)


class Media:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = list(rows())


class RowByRow:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = falcon.MEDIA_JSON
        resp.stream = lines()


class Batches:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = falcon.MEDIA_JSON
        resp.stream = in_batches(lines())


def create_app() -> Any:
    app = falcon.App()
    app.add_route("/media", Media())
    app.add_route("/row-by-row", RowByRow())
    app.add_route("/batches", Batches())
    return app


app = create_app()
