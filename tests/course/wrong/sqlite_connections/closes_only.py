# refused: The same holder lets nothing go
"""Seats of a theatre: each can be booked once, and the database sees to it."""

from __future__ import annotations

import atexit
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import falcon

# Stands in for the volume with the database; it goes with the process.
FOLDER = tempfile.TemporaryDirectory(prefix="theatre-")
DATABASE = Path(FOLDER.name, "seats.db")


def open_database() -> sqlite3.Connection:
    """A connection for one request; what is still open at the end of the process is closed then."""
    database = sqlite3.connect(DATABASE)
    atexit.register(database.close)
    return database


def close_database(database: sqlite3.Connection) -> None:
    """Close a connection when its request is done."""
    atexit.unregister(database.close)
    database.close()


class SeatResource:
    """See who has a seat."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, seat: str) -> None:
        database = open_database()
        row = database.execute("SELECT guest FROM seats WHERE seat = ?", (seat,)).fetchone()
        close_database(database)
        resp.media = {"seat": seat, "guest": row[0] if row else None}


class BookingResource:
    """Book a seat."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        media = req.get_media()
        seat, guest = media["seat"], media.get("guest", "")
        database = open_database()
        try:
            with database:
                database.execute("INSERT INTO seats VALUES (?, ?)", (seat, guest))
        except sqlite3.IntegrityError:
            database.close()
            raise falcon.HTTPConflict(title="Seat taken", description=f"{seat} is booked.") from None
        close_database(database)
        resp.status = falcon.HTTP_201
        resp.media = {"seat": seat, "guest": guest}


def create_app() -> falcon.App:
    with closing(sqlite3.connect(DATABASE)) as database:
        database.execute("CREATE TABLE IF NOT EXISTS seats (seat TEXT PRIMARY KEY, guest TEXT)")
    app = falcon.App()
    app.add_route("/seats/{seat}", SeatResource())
    app.add_route("/bookings", BookingResource())
    return app


app = create_app()
