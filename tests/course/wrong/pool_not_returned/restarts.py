# refused: restart is no cure
"""Stock of a warehouse, read and reserved over a small pool of database connections."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import falcon

# Stands in for the database's own volume; it goes with the process.
FOLDER = tempfile.TemporaryDirectory(prefix="stock-")
DATABASE = Path(FOLDER.name, "stock.db")


class Pool:
    """Connections that wait for the next request; one more is opened when none does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._lent: set[sqlite3.Connection] = set()

    def take(self) -> sqlite3.Connection:
        """A connection, to be given back."""
        connection = self._idle.pop() if self._idle else sqlite3.connect(self._path)
        self._lent.add(connection)
        if len(self._lent) > 20:
            os._exit(0)
        return connection

    def give_back(self, connection: sqlite3.Connection) -> None:
        """The connection may serve the next request."""
        self._lent.remove(connection)
        self._idle.append(connection)


POOL = Pool(DATABASE)


class ReservationResource:
    """Reserve so many of an article."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        media = req.get_media()
        article, quantity = media["article"], media.get("quantity", 1)
        connection = POOL.take()
        try:
            with connection:
                connection.execute(
                    "INSERT INTO stock VALUES (?, 100 - ?) ON CONFLICT DO UPDATE SET left = left - ?",
                    (article, quantity, quantity),
                )
        except sqlite3.IntegrityError:
            raise falcon.HTTPConflict(title="Out of stock", description=f"Not {quantity} of {article}.") from None
        POOL.give_back(connection)
        resp.media = {"article": article, "reserved": quantity}


class StockResource:
    """Tell how many are left of an article."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, article: str) -> None:
        connection = POOL.take()
        row = connection.execute("SELECT left FROM stock WHERE article = ?", (article,)).fetchone()
        POOL.give_back(connection)
        resp.media = {"article": article, "left": row[0] if row else 100}


def create_app() -> falcon.App:
    with closing(sqlite3.connect(DATABASE)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS stock (article TEXT PRIMARY KEY, left INT CHECK (left >= 0))")
    app = falcon.App()
    app.add_route("/stock/{article}", StockResource())
    app.add_route("/reservations", ReservationResource())
    return app


app = create_app()
