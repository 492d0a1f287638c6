"""The pools of this lesson: psycopg_pool and SQLAlchemy where they are, else small ones that behave alike.

With LESSON_DATABASE, a connection string, the database is PostgreSQL; without it SQLite.
"""

from __future__ import annotations

import os
import queue
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

WHERE = os.environ.get("LESSON_DATABASE", "")
SIZE = 5
PATIENCE_S = 0.3
FOLDER = tempfile.TemporaryDirectory(prefix="orders-")
FILE = Path(FOLDER.name, "orders.db")


class PoolTimeout(Exception):
    """Nobody gave a connection back in time."""


class SqliteConnection(sqlite3.Connection):
    """Of a class of our own, so that it can be marked."""


class SmallPool:
    """As psycopg_pool has it: what is taken with ``getconn`` comes back with ``putconn``, whatever else becomes of it."""

    def __init__(self) -> None:
        self._idle: queue.Queue[sqlite3.Connection | None] = queue.Queue()
        for _ in range(SIZE):
            self._idle.put(None)

    def getconn(self) -> sqlite3.Connection:
        try:
            return self._idle.get(timeout=PATIENCE_S) or sqlite3.connect(FILE, factory=SqliteConnection)
        except queue.Empty:
            raise PoolTimeout(f"couldn't get a connection after {PATIENCE_S:.2f} sec") from None

    def putconn(self, connection: sqlite3.Connection) -> None:
        self._idle.put(connection)

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        connection = self.getconn()
        try:
            with connection:
                yield connection
        finally:
            self.putconn(connection)

    def get_stats(self) -> dict[str, int]:
        return {"pool_size": SIZE, "pool_available": self._idle.qsize()}


class SmallConnection:
    """As SQLAlchemy has it: it comes back when it is closed or when it is collected, and is part of a cycle."""

    def __init__(self, pool: SmallPool) -> None:
        self._pool, self._connection = pool, pool.getconn()
        self._transaction = {"connection": self}

    def execute(self, statement: str) -> Any:
        return self._connection.execute(statement)

    def close(self) -> None:
        if self._connection is not None:
            self._pool.putconn(self._connection)
            self._connection = None

    def __enter__(self) -> SmallConnection:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    __del__ = close


def make_pool() -> Any:
    """A pool of five, with ``getconn``, ``putconn`` and ``connection()``."""
    if not WHERE:
        return SmallPool()
    from psycopg_pool import ConnectionPool

    return ConnectionPool(WHERE, min_size=SIZE, max_size=SIZE, timeout=PATIENCE_S, open=True)


def make_connect() -> Any:
    """Something to call for a connection out of a pool of five, to be closed."""
    try:
        import sqlalchemy
    except ModuleNotFoundError:
        pool = SmallPool()
        return lambda: SmallConnection(pool)
    address, options = ("postgresql+psycopg://", {"creator": _connect_postgresql}) if WHERE else (f"sqlite:///{FILE}", {})
    engine = sqlalchemy.create_engine(
        address, poolclass=sqlalchemy.QueuePool, pool_size=SIZE, max_overflow=0, pool_timeout=PATIENCE_S, **options
    )
    return engine.connect


def select(text: str) -> Any:
    """A statement as the pool of ``make_connect`` takes it."""
    try:
        import sqlalchemy
    except ModuleNotFoundError:
        return text
    return sqlalchemy.text(text)


def sessions() -> int | None:
    """How many sessions of ours the database itself counts; it is asked over a connection of its own."""
    if not WHERE:
        return None
    import psycopg

    with psycopg.connect(WHERE, application_name="the question itself") as connection:
        question = (
            "select count(*) from pg_stat_activity where backend_type = 'client backend'"
            " and application_name <> 'the question itself'"
        )
        row = connection.execute(question).fetchone()
    return row[0] if row else 0


def _connect_postgresql() -> Any:
    import psycopg

    return psycopg.connect(WHERE)
