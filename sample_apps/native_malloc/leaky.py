"""Addresses made uniform by the C library that the post uses itself."""

from __future__ import annotations

import ctypes

import falcon

# The C library's strdup stands in for the post's: it returns a text that the caller has to free.
library = ctypes.CDLL(None)
library.strdup.restype = ctypes.c_char_p
library.strdup.argtypes = [ctypes.c_char_p]

WIDTH = 96
LINES = 60


def uniform(address: str) -> str:
    """The address as the post wants it: a form of so many lines, in capitals."""
    form = "\n".join(line.strip().upper().ljust(WIDTH) for line in address.split(","))
    form = form.ljust(WIDTH * LINES)
    text: bytes = library.strdup(form.encode())  # leak: native_malloc
    return text.decode()


class AddressResource:
    """Make an address uniform."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        address = req.get_media().get("address")
        if not address:
            raise falcon.HTTPUnprocessableEntity(title="No address")
        lines = uniform(address).split("\n")
        resp.media = {"lines": [line.strip() for line in lines]}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/addresses", AddressResource())
    return app


app = create_app()
