"""What watching connections costs: each way with and without, side by side, in turns.

    .venv/bin/python benchmarks/compare_tracking.py [--turns 200] [--rounds 200] [--database 'host=... dbname=...']

A round takes a connection and gives it back, and does nothing else with it: the worst case, for a query takes a hundred
times as long. SQLAlchemy is asked once for ``engine.raw_connection()``, which is its pool alone, and once for
``engine.connect()`` and a statement; psycopg_pool, which needs a PostgreSQL to connect to, for ``pool.connection()``;
sqlite3 for opening and closing. The last line is a whole request to a Falcon app that takes one connection, without and
with ``watch`` and its middleware. The connections come from SQLite where nothing else is said. Without and with take
turns, so that what else the machine does hits both; told are the median of the ratios of the turns and what a round
costs more, CPU time of this thread.

Seen on CPython 3.11 and a busy machine: 1.8 times for SQLAlchemy's pool alone and 1.9 for psycopg_pool without a query
(6 and 9 us more), 1.26 with one statement of SQLite, 1.34 for the whole request.
"""

from __future__ import annotations

import argparse
import gc
import sqlite3
import statistics
import tempfile
import time
import wsgiref.util
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import falcon
import sqlalchemy
from psycopg_pool import ConnectionPool

from labkit.aboard import ConnectionTracker, track_psycopg_pool, track_sqlalchemy, track_sqlite3, watch

Round = Callable[[], object]
ONE = sqlalchemy.text("select 1")


def pair_of_engines(folder: Path) -> list[sqlalchemy.Engine]:
    """One that is left alone and one that is watched."""
    url = f"sqlite:///{folder}/shop.db"
    engines = [sqlalchemy.create_engine(url) for _ in range(2)]
    track_sqlalchemy(engines[1], ConnectionTracker())
    return engines


def taken(engine: sqlalchemy.Engine) -> Round:
    """The pool alone."""
    return lambda: engine.raw_connection().close()


def asked(engine: sqlalchemy.Engine) -> Round:
    """A connection and one statement."""

    def one() -> None:
        with engine.connect() as connection:
            connection.execute(ONE)

    return one


def pooled(pool: ConnectionPool) -> Round:
    """A connection of psycopg_pool, with the commit it does."""

    def one() -> None:
        with pool.connection():
            pass

    return one


def opened(path: Path, **options: Any) -> Round:
    """A connection of sqlite3."""
    return lambda: sqlite3.connect(path, **options).close()


def requested(engine: sqlalchemy.Engine, tracker: ConnectionTracker | None) -> Round:
    """A request of a Falcon app, as a server would make it."""

    class Order:
        def on_get(self, req: falcon.Request, resp: falcon.Response, order: str) -> None:
            with engine.connect() as connection:
                resp.media = {"order": order, "rows": connection.execute(ONE).scalar()}

    app: Any = falcon.App()
    app.add_route("/orders/{order}", Order())
    if tracker is not None:
        app = watch(app, tracker)
    basis: dict[str, Any] = {"PATH_INFO": "/orders/7"}
    wsgiref.util.setup_testing_defaults(basis)

    def one() -> None:
        body = app(dict(basis), lambda *_: None)
        for _ in body:
            pass
        if hasattr(body, "close"):
            body.close()

    return one


def measured(one: Round, rounds: int) -> float:
    """Microseconds of CPU a round."""
    begin = time.thread_time()
    for _ in range(rounds):
        one()
    return (time.thread_time() - begin) / rounds * 1e6


def compared(name: str, without: Round, watched: Round, turns: int, rounds: int) -> None:
    """Print one line."""
    pairs = []
    for turn in range(turns + 1):
        order = [(0, without), (1, watched)]
        costs = {which: measured(one, rounds) for which, one in (order if turn % 2 else reversed(order))}
        if turn:  # the first warms up
            pairs.append((costs[0], costs[1]))
    ratio = statistics.median(after / before for before, after in pairs)
    more = statistics.median(after - before for before, after in pairs)
    print(f"{name:42} {statistics.median(before for before, _ in pairs):8.1f} us  x {ratio:.2f}  + {more:.2f} us")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--database", help="what psycopg connects with; without it psycopg_pool is not measured")
    arguments = parser.parse_args()
    turns, rounds = arguments.turns, arguments.rounds
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        alone, watched = pair_of_engines(folder)
        gc.collect()
        gc.disable()
        compared("null: the same engine twice", taken(alone), taken(alone), turns, rounds)
        compared("SQLAlchemy, the pool alone", taken(alone), taken(watched), turns, rounds)
        compared("SQLAlchemy, connect and one statement", asked(alone), asked(watched), turns, rounds)
        if arguments.database:
            pools = [ConnectionPool(arguments.database, min_size=1, open=True) for _ in range(2)]
            track_psycopg_pool(pools[1], ConnectionTracker())
            for pool in pools:
                stack.enter_context(pool)
                pool.wait()
            compared("psycopg_pool, connection()", pooled(pools[0]), pooled(pools[1]), turns, rounds)
        path = folder / "shop.db"
        factory = track_sqlite3(ConnectionTracker())
        compared("sqlite3, open and close", opened(path), opened(path, factory=factory), turns, rounds)
        tracker = ConnectionTracker()
        track_sqlalchemy(watched := sqlalchemy.create_engine(alone.url), tracker)
        whole = requested(alone, None), requested(watched, tracker)
        compared("Falcon request with one statement", *whole, turns, rounds)


if __name__ == "__main__":
    main()
