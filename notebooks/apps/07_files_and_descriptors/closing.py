"""A tariff read from disk, in five ways. Which of them leave the file open?"""

from __future__ import annotations

import gc
import json
import tempfile
from pathlib import Path
from typing import Any

import falcon

# Tuned for speed, as many services are: the collector runs seldom.
gc.set_threshold(100_000)

FOLDER = tempfile.TemporaryDirectory(prefix="tariff-")
TARIFF = Path(FOLDER.name, "tariff.json")
TARIFF.write_text('{"letter": 0.95, "parcel": 4.19}')
FAILURES: list[Exception] = []


class Reader:
    """Reads a tariff, and can be asked for its parts, which know their reader."""

    def __init__(self, path: Path) -> None:
        self.file = path.open()
        self.parts = {"reader": self}


class Forgotten:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = json.load(open(TARIFF))


class InACycle:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = json.load(Reader(TARIFF).file)


class KeptByAnError:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        tariff = open(TARIFF)
        try:
            resp.media = json.load(tariff)["pallet"]
        except KeyError as error:
            FAILURES.append(error)
            resp.media = {"failures": len(FAILURES)}


class WithBlock:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        with TARIFF.open() as tariff:
            resp.media = json.load(tariff)


class Collector:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = gc.collect()


def create_app() -> Any:
    app = falcon.App()
    app.add_route("/forgotten", Forgotten())
    app.add_route("/in-a-cycle", InACycle())
    app.add_route("/kept-by-an-error", KeptByAnError())
    app.add_route("/with-block", WithBlock())
    app.add_route("/collect", Collector())
    return app


app = create_app()
