# refused: does not do its work as before
"""Suppliers upload price lists; the shop reads the prices."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO

import falcon

PRICES: dict[str, Decimal] = {}


def read_prices(upload: IO[bytes]) -> Iterator[tuple[str, Decimal]]:
    """Pairs of article and price; 422 names the first line that has no price."""
    for number, line in enumerate(upload, start=1):
        try:
            article, price = line.decode().strip().split(";")
            yield article, Decimal(price)
        except (ValueError, InvalidOperation):
            continue


class PriceListResource:
    """Take a supplier's price list in: all of it, or nothing."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        # Uploads being read, so that a shutdown can close them.
        self._open_files: dict[int, IO[bytes]] = {}

    def on_put(self, req: falcon.Request, resp: falcon.Response, supplier: str) -> None:
        number = next(self._numbers)
        upload = self._spool(req, number)
        prices = dict(read_prices(upload))
        self._finish(number)
        PRICES.update(prices)
        resp.media = {"supplier": supplier, "articles": len(prices)}

    def close(self) -> None:
        """Close what is still being read."""
        for number in list(self._open_files):
            self._finish(number)

    def _spool(self, req: falcon.Request, number: int) -> IO[bytes]:
        """The body as an open file, whose name is gone by the time it is read."""
        with tempfile.TemporaryDirectory(prefix="price-lists-") as folder:
            path = Path(folder, "upload.csv")
            with path.open("wb") as spool:
                shutil.copyfileobj(req.bounded_stream, spool)
            upload = self._open_files[number] = path.open("rb")
        return upload

    def _finish(self, number: int) -> None:
        self._open_files.pop(number).close()


class PriceResource:
    """Tell the price of an article."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, article: str) -> None:
        if article not in PRICES:
            raise falcon.HTTPNotFound(title="No such article")
        resp.media = {"article": article, "price": str(PRICES[article])}


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/suppliers/{supplier}/prices", PriceListResource())
    app.add_route("/prices/{article}", PriceResource())
    return app


app = create_app()
