# refused: The same holder lets nothing go
"""Parcel labels, spooled to a file for the printer of the packing table."""

from __future__ import annotations

import tempfile
from typing import IO

import falcon

# A printer reads its file some seconds later, and it is gone once nobody refers to it.
SPOOLED: list[IO[bytes]] = []
LINES = 40


def render(order: str, name: str) -> bytes:
    """A label in the printer's own language."""
    return b"".join(b"^FO20,%d^FD%s^FS\n" % (24 * n, f"{order} {name}".encode()) for n in range(LINES))


def spool(label: bytes) -> str:
    """Write a label where the printer finds it; the name of the file."""
    file = tempfile.NamedTemporaryFile(prefix="label-", suffix=".zpl")  # noqa: SIM115 - the printer closes it
    file.write(label)
    file.flush()
    SPOOLED.append(file)
    if len(SPOOLED) > 20:
        SPOOLED[-21].close()
    return file.name


class LabelResource:
    """Print the label of an order."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, order: str) -> None:
        name = req.get_media().get("name")
        if not name:
            raise falcon.HTTPUnprocessableEntity(title="No label", description="Whom is the parcel for?")
        label = render(order, name)
        spool(label)
        resp.status = falcon.HTTP_202
        resp.media = {"order": order, "bytes": len(label)}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/orders/{order}/label", LabelResource())
    return app


app = create_app()
