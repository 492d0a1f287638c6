"""Uploads are checked in buffers that are used again: as many as there are partners, up to a bound."""

from __future__ import annotations

import hashlib

import falcon

BUFFER_BYTES = 16_384
MAX_BUFFERS = 300


class Buffer:
    """Room for one upload."""

    def __init__(self) -> None:
        self.room = bytearray(BUFFER_BYTES)

    def fill(self, req: falcon.Request) -> memoryview:
        """Read the body into the buffer; 413 when it has no room."""
        body = req.bounded_stream.read(BUFFER_BYTES + 1)
        if len(body) > BUFFER_BYTES:
            raise falcon.HTTPContentTooLarge(title="Upload too large")
        self.room[: len(body)] = body
        return memoryview(self.room)[: len(body)]


class BufferPool:
    """Buffers by partner, so that partners do not see each other's bytes; later ones share the first buffer."""

    def __init__(self) -> None:
        self.buffers: dict[str, Buffer] = {}
        self._shared = Buffer()

    def buffer_of(self, partner: str) -> Buffer:
        """The partner's own buffer while there is room for one."""
        if partner not in self.buffers and len(self.buffers) < MAX_BUFFERS:
            self.buffers[partner] = Buffer()
        return self.buffers.get(partner, self._shared)


POOL = BufferPool()


class UploadResource:
    """Check what a partner sends."""

    def on_put(self, req: falcon.Request, resp: falcon.Response, partner: str) -> None:
        with POOL.buffer_of(partner).fill(req) as upload:
            resp.media = {"partner": partner, "bytes": len(upload), "sha256": hashlib.sha256(upload).hexdigest()}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/partners/{partner}/upload", UploadResource())
    return app


app = create_app()
