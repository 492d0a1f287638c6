"""Downloads and exports, in the ways they are often written. Which of them fail, and which leave something open?"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import falcon

FOLDER = tempfile.TemporaryDirectory(prefix="downloads-")
FILM = Path(FOLDER.name, "film.bin")
SIZE = 40_000_000
with FILM.open("wb") as film:
    film.truncate(SIZE)
CHUNK = b"x" * 8192
OPENED: Counter[str] = Counter()
CLOSED: Counter[str] = Counter()
IN_USE: set[Lease] = set()


class Lease:
    """Stands in for what an export needs: a cursor, a lock, a connection of a pool. Its owner has to end it."""

    def __init__(self, who: str) -> None:
        self.who = who
        OPENED[who] += 1
        IN_USE.add(self)

    def end(self) -> None:
        CLOSED[self.who] += 1
        IN_USE.discard(self)


class Export:
    """An iterator that is closed by whoever has read it; it needs its lease from the start."""

    def __init__(self, who: str) -> None:
        self._lease = Lease(who)
        self._left = 500

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self._left:
            raise StopIteration
        self._left -= 1
        return CHUNK

    def close(self) -> None:
        self._lease.end()


def who_asks(req: falcon.Request) -> str:
    return f"{req.method} {req.relative_uri}"


class ClosedTooEarly:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        with FILM.open("rb") as stream:
            resp.stream = stream


class SetStream:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.set_stream(FILM.open("rb"), SIZE)

    on_head = on_get


class WholeFile:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.data = FILM.read_bytes()


class Eager:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.stream = Export(who_asks(req))

    on_head = on_get


class Lazy:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.stream = self.export(who_asks(req))

    on_head = on_get

    @staticmethod
    def export(who: str) -> Iterator[bytes]:
        lease = Lease(who)
        try:
            for _ in range(500):
                yield CHUNK
        finally:
            lease.end()


class FailsInTheMiddle:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.stream = self.export()

    @staticmethod
    def export() -> Iterator[bytes]:
        yield CHUNK
        raise RuntimeError("the database has gone away")


class Leases:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = [{"request": who, "opened": OPENED[who], "closed": CLOSED[who]} for who in OPENED]


def create_app() -> Any:
    app = falcon.App()
    app.add_route("/closed-too-early", ClosedTooEarly())
    app.add_route("/set-stream", SetStream())
    app.add_route("/whole-file", WholeFile())
    app.add_route("/eager", Eager())
    app.add_route("/lazy", Lazy())
    app.add_route("/fails-in-the-middle", FailsInTheMiddle())
    app.add_route("/leases", Leases())
    return app


app = create_app()
