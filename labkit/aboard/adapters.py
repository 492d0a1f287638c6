"""How pools and connections tell the tracker. Each adapter uses what the library documents, and nothing else of it."""

from __future__ import annotations

import inspect
import itertools
import sqlite3
from typing import Any

from .connections import ConnectionTracker
from .records import Slot

_serial = itertools.count(1)


def track_sqlalchemy(engine: Any, tracker: ConnectionTracker, name: str = "sqlalchemy") -> None:
    """Watch an engine of SQLAlchemy 2, or an asyncio engine, by its pool's events.

    A connection is checked in when the pool says so: after ``close()``, after invalidation, when it is detached, or
    when the collector finds one that was dropped. ``engine.dispose()`` changes nothing about that.
    """
    from sqlalchemy import event

    engine = getattr(engine, "sync_engine", engine)
    key = _key()

    def checked_out(_connection: Any, entry: Any, _proxy: Any) -> None:
        seen: Slot | None = entry.record_info.get(key)
        tracker.check_in(seen)  # handed out again, it must have come back
        entry.record_info[key] = tracker.check_out(name, entry)

    def checked_in(_connection: Any, entry: Any) -> None:
        tracker.check_in(entry.record_info.get(key))

    def detached(_connection: Any, entry: Any) -> None:
        # The place in the pool is free again by now, and may have been taken by another thread: that one is in use.
        if not entry.in_use:
            tracker.check_in(entry.record_info.get(key))

    event.listen(engine, "checkout", checked_out)
    event.listen(engine, "checkin", checked_in)
    event.listen(engine, "detach", detached)


def track_psycopg_pool(pool: Any, tracker: ConnectionTracker, name: str = "psycopg_pool") -> None:
    """Watch a pool of psycopg_pool, plain or asyncio: ``getconn``, ``putconn`` and with them ``connection()``.

    The pool's class becomes a subclass that overrides the two, so that neither a reference cycle nor a patched
    instance is left. A connection counts as out until ``putconn`` has taken it, whatever became of the object.
    """
    base: Any = type(pool)
    key = _key()

    def remember(owner: Any, connection: Any) -> None:
        # The mark is put past any __setattr__ of the app's connection class.
        object.__setattr__(connection, key, tracker.check_out(name, owner, connection))

    def seen(connection: Any) -> Slot | None:
        try:
            slot: Slot | None = object.__getattribute__(connection, key)
        except AttributeError:  # it was handed out before we came
            return None
        return slot

    def getconn(self: Any, *args: Any, **options: Any) -> Any:
        connection = base.getconn(self, *args, **options)
        remember(self, connection)
        return connection

    def putconn(self: Any, connection: Any) -> None:
        slot = seen(connection)  # before it is handed back, for then it may be another's
        base.putconn(self, connection)
        tracker.check_in(slot)

    async def getconn_async(self: Any, *args: Any, **options: Any) -> Any:
        connection = await base.getconn(self, *args, **options)
        remember(self, connection)
        return connection

    async def putconn_async(self: Any, connection: Any) -> None:
        slot = seen(connection)
        await base.putconn(self, connection)
        tracker.check_in(slot)

    waits = inspect.iscoroutinefunction(base.getconn)
    methods: dict[str, Any] = {
        "getconn": getconn_async if waits else getconn,
        "putconn": putconn_async if waits else putconn,
        "__module__": base.__module__,
        "__qualname__": base.__qualname__,
        "__doc__": base.__doc__,
    }
    pool.__class__ = type(base.__name__, (base,), methods)


def track_sqlite3(
    tracker: ConnectionTracker, base: type[sqlite3.Connection] = sqlite3.Connection, name: str = "sqlite3"
) -> type[sqlite3.Connection]:
    """A connection class for ``sqlite3.connect(path, factory=...)``: out from opening until ``close()``.

    One that is dropped without ``close()`` is open, and told, until the collector finds it: it is part of a cycle.
    """

    class Connection(base):  # type: ignore[misc, valid-type]
        """Tells the tracker when it is opened and closed."""

        _labkit_slot: Slot | None = None

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self._labkit_slot = tracker.check_out(name, self)

        def close(self) -> None:
            super().close()
            tracker.check_in(self._labkit_slot)

    return Connection


def _key() -> str:
    return f"_labkit_slot_{next(_serial)}"
