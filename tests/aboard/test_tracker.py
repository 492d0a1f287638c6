"""The tracker by itself: what it keeps, what it never calls, threads and finalizers, its limits."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy
from psycopg_pool import AsyncConnectionPool, ConnectionPool, NullConnectionPool
from sqlalchemy.pool import NullPool

from labkit.aboard import (
    ConnectionTracker,
    connections,
    track_psycopg_pool,
    track_sqlalchemy,
    track_sqlite3,
)
from labkit.aboard.records import current_request

COLUMNS = {
    "number", "pool", "file", "line", "function", "thread_id", "age_s", "request", "method", "route", "response",
    "since_response_s", "taken_late", "object_gone", "left_behind",
}  # fmt: skip


@pytest.fixture
def tracker() -> Iterator[ConnectionTracker]:
    """One whose every check-out was recorded."""
    tracker = ConnectionTracker()
    yield tracker
    assert tracker.as_dict()["not_recorded_total"] == 0


@pytest.fixture
def engine(tmp_path: Path, tracker: ConnectionTracker) -> Iterator[sqlalchemy.Engine]:
    """A tracked engine on a file of SQLite."""
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/shop.db")
    track_sqlalchemy(engine, tracker)
    yield engine
    engine.dispose()


@pytest.fixture
def pool(database: str, tracker: ConnectionTracker) -> Iterator[ConnectionPool]:
    """A tracked pool on PostgreSQL."""
    with ConnectionPool(database, min_size=1, max_size=4, timeout=20) as pool:
        track_psycopg_pool(pool, tracker)
        yield pool


@contextlib.contextmanager
def a_request(tracker: ConnectionTracker, method: str = "GET") -> Iterator[Any]:
    """What ``watch`` does for a request."""
    mark = tracker.begin_request(method)
    token = current_request.set(mark)
    try:
        yield mark
    finally:
        current_request.reset(token)
        tracker.end_request(mark)


# ---- what is told ------------------------------------------------------------------------------------------


def test_the_columns(tracker: ConnectionTracker, engine: sqlalchemy.Engine) -> None:
    with engine.connect():
        line = inspect.currentframe().f_lineno - 1  # type: ignore[union-attr]
        (out,) = tracker.out()
    told = out.as_dict()
    assert set(told) == COLUMNS
    assert (out.pool, out.file, out.line, out.function) == ("sqlalchemy", "test_tracker.py", line, "test_the_columns")
    assert out.thread_id == threading.get_native_id()
    assert out.age_s >= 0
    assert (out.request, out.method, out.route, out.response, out.left_behind) == (None, None, None, None, False)
    assert tracker.out() == []


def test_the_oldest_comes_first_and_the_largest_group(tracker: ConnectionTracker, engine: sqlalchemy.Engine) -> None:
    with contextlib.ExitStack() as stack, a_request(tracker) as mark:
        mark.route = "/orders/{id}"
        stack.enter_context(engine.connect())
        for _ in range(3):
            stack.enter_context(engine.connect())
        numbers = [each.number for each in tracker.out()]
        assert numbers == sorted(numbers)
        assert tracker.left_behind() == []
        tracker.end_request(mark)
        assert [group.count for group in tracker.left_behind()] == [3, 1]
        assert tracker.left_behind()[1].check_outs[0].number == numbers[0]
        assert tracker.left_behind()[0].routes == ("GET /orders/{id}",)
        told = tracker.as_dict()
        assert json.loads(json.dumps(told)) == told
        assert (told["pid"], told["out"], told["left_behind"]) == (os.getpid(), 4, 4)
        assert told["oldest_age_s"] == max(each["age_s"] for each in told["check_outs"])
    assert tracker.out() == []


def test_a_method_nobody_knows_is_not_repeated(tracker: ConnectionTracker) -> None:
    assert tracker.begin_request("HEAD").method == "HEAD"
    assert tracker.begin_request("S3CRET").method == "OTHER"


def test_a_package_can_be_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "company_db"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("def connect(engine):\n    return engine.connect()\n")
    monkeypatch.syspath_prepend(tmp_path / "site-packages")
    import company_db  # type: ignore[import-not-found]

    for skip, function in (((), "connect"), (("company_db",), "test_a_package_can_be_passed_over")):
        tracker = ConnectionTracker(skip=skip)
        engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/shop.db")
        track_sqlalchemy(engine, tracker)
        with company_db.connect(engine):
            assert tracker.out()[0].function == function
        engine.dispose()


# ---- SQLAlchemy ----------------------------------------------------------------------------------------------


def test_invalidated_detached_disposed_and_reconnected(tracker: ConnectionTracker, engine: sqlalchemy.Engine) -> None:
    with engine.connect() as connection:
        connection.invalidate()
        assert tracker.out() == []
        connection.execute(sqlalchemy.text("select 1"))  # connects again
        assert len(tracker.out()) == 1
    with engine.connect() as connection:
        connection.detach()
        assert tracker.out() == []  # the pool has its place back
        with engine.connect():
            assert len(tracker.out()) == 1
    first_pool = engine.pool
    with engine.connect():
        engine.dispose()
        with engine.connect():
            assert len(tracker.out()) == 2
    assert tracker.out() == []
    first_pool.dispose()  # what came back into it


def test_a_place_that_is_taken_again_while_its_connection_is_detached(
    tracker: ConnectionTracker, engine: sqlalchemy.Engine
) -> None:
    """The pool gives the place away before it says that it was detached."""
    taken = []

    @sqlalchemy.event.listens_for(engine, "detach", insert=True)
    def take(*_: object) -> None:
        taken.append(engine.connect())

    with engine.connect() as connection:
        connection.detach()
        assert [each.function for each in tracker.out()] == [take.__qualname__]
    taken.pop().close()
    assert tracker.out() == []


def test_a_check_out_that_is_tried_again_is_one(tracker: ConnectionTracker, engine: sqlalchemy.Engine) -> None:
    refusals = [sqlalchemy.exc.DisconnectionError("gone"), None]

    @sqlalchemy.event.listens_for(engine, "checkout")
    def refuse(*_: object) -> None:
        refusal = refusals.pop(0) if refusals else None
        if refusal:
            raise refusal

    with engine.connect():
        assert len(tracker.out()) == 1
    assert tracker.out() == []


def test_a_check_out_that_fails_is_none(tracker: ConnectionTracker, engine: sqlalchemy.Engine) -> None:
    @sqlalchemy.event.listens_for(engine, "checkout")
    def refuse(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.connect()
    assert tracker.out() == []


def test_without_a_pool(tmp_path: Path, tracker: ConnectionTracker) -> None:
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/shop.db", poolclass=NullPool)
    track_sqlalchemy(engine, tracker)
    with engine.connect(), engine.connect():
        assert len(tracker.out()) == 2
    assert tracker.out() == []


# ---- psycopg_pool ----------------------------------------------------------------------------------------------


def test_getconn_putconn_and_connection(tracker: ConnectionTracker, pool: ConnectionPool) -> None:
    connection = pool.getconn()
    with pool.connection():
        assert [each.function for each in tracker.out()] == ["test_getconn_putconn_and_connection"] * 2
    assert len(tracker.out()) == 1
    with ConnectionPool(pool.conninfo, min_size=1, timeout=20) as other:
        track_psycopg_pool(other, tracker)
        with pytest.raises(ValueError, match="can't return"):
            other.putconn(connection)
    assert len(tracker.out()) == 1
    pool.putconn(connection)
    assert tracker.out() == []


def test_a_pool_looks_as_before(pool: ConnectionPool) -> None:
    assert isinstance(pool, ConnectionPool)
    assert repr(pool).startswith("<psycopg_pool.pool.ConnectionPool 'pool-")
    assert "getconn" not in vars(pool)


def test_connections_that_were_out_before_we_came(database: str, tracker: ConnectionTracker) -> None:
    with ConnectionPool(database, min_size=1, timeout=20) as pool:
        connection = pool.getconn()
        track_psycopg_pool(pool, tracker)
        pool.putconn(connection)
        with pool.connection():
            assert len(tracker.out()) == 1
    assert tracker.out() == []


def test_a_lost_place_is_told_for_as_long_as_its_pool_lives(database: str, tracker: ConnectionTracker) -> None:
    pool = NullConnectionPool(database, max_size=4, open=True)
    track_psycopg_pool(pool, tracker)
    pool.getconn().close()
    assert [each.object_gone for each in tracker.out()] == [True]
    pool.close()
    assert len(tracker.out()) == 1
    del pool
    gc.collect()
    assert tracker.out() == []


class Touchy(psycopg.Connection[Any]):
    """A connection of an app that does not like to be looked at."""

    def _refuse(self, *_: object) -> Any:
        raise AssertionError("somebody called us")

    def __setattr__(self, name: str, value: object) -> None:
        if "labkit" in name:
            self._refuse()
        super().__setattr__(name, value)

    __repr__ = __str__ = __eq__ = __ne__ = __hash__ = __format__ = __setstate__ = __reduce__ = _refuse  # type: ignore[assignment]


def test_the_connections_own_methods_are_never_called(database: str, tracker: ConnectionTracker) -> None:
    with ConnectionPool(database, connection_class=Touchy, min_size=1, timeout=20) as pool:
        track_psycopg_pool(pool, tracker)
        for _ in range(2):
            with pool.connection():
                assert tracker.as_dict()["out"] == 1


def test_whoever_runs_the_event_loop_is_not_who_took_it(database: str, tracker: ConnectionTracker) -> None:
    """A task that is the library's own coroutine has no line of the app; what called ``asyncio.run`` is not it."""

    async def main() -> None:
        async with AsyncConnectionPool(database, min_size=1, open=False, timeout=20) as pool:
            track_psycopg_pool(pool, tracker)
            connection = await asyncio.create_task(pool.getconn())
            assert [(each.file, each.line, each.function) for each in tracker.out()] == [("?", 0, "?")]
            await pool.putconn(connection)
            async with pool.connection():
                assert [each.function.split(".")[-1] for each in tracker.out()] == ["main"]
        assert tracker.out() == []

    asyncio.run(main())


# ---- sqlite3 -----------------------------------------------------------------------------------------------------


def test_sqlite_is_out_from_opening_to_closing(tmp_path: Path, tracker: ConnectionTracker) -> None:
    factory = track_sqlite3(tracker)
    connection = sqlite3.connect(tmp_path / "shop.db", factory=factory)
    with connection:
        connection.execute("create table orders (id)")
    assert [(each.pool, each.function) for each in tracker.out()] == [
        ("sqlite3", "test_sqlite_is_out_from_opening_to_closing")
    ]
    connection.close()
    connection.close()
    assert tracker.out() == []
    with pytest.raises(sqlite3.OperationalError):
        sqlite3.connect(tmp_path / "no" / "such.db", factory=factory)
    assert tracker.out() == []


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_sqlite_that_is_dropped_waits_for_the_collector(tmp_path: Path, tracker: ConnectionTracker) -> None:
    """A connection of sqlite3 and its cache of statements refer to each other."""
    factory = track_sqlite3(tracker)
    gc.disable()
    try:
        with a_request(tracker) as mark:
            sqlite3.connect(tmp_path / "shop.db", factory=factory)
            kept = sqlite3.connect(tmp_path / "shop.db", factory=factory)
            mark.route = "/orders/{id}"
        assert [group.count for group in tracker.left_behind()] == [1, 1]
    finally:
        gc.enable()
    gc.collect()
    (group,) = tracker.left_behind()
    assert (group.count, group.routes) == (1, ("GET /orders/{id}",))
    kept.close()
    assert tracker.left_behind() == []


# ---- what is kept alive --------------------------------------------------------------------------------------------


class Cargo:
    """Something a frame has in its hands."""


class Trouble(Exception):
    """What goes wrong, with a traceback."""


def test_nothing_of_the_app_is_kept(tracker: ConnectionTracker, pool: ConnectionPool) -> None:
    def fail(cargo: Cargo) -> None:
        raise Trouble(cargo)

    def respond() -> list[weakref.ref[Any]]:
        cargo, connection = Cargo(), pool.getconn()
        references = [weakref.ref(cargo), weakref.ref(connection)]
        try:
            fail(cargo)
        except Trouble as trouble:
            references.append(weakref.ref(trouble))
        connection.close()
        return references

    gc.collect()
    gc.disable()
    try:
        with a_request(tracker):
            references = respond()
        assert [reference() for reference in references] == [None] * 3
    finally:
        gc.enable()
    assert tracker.as_dict()["left_behind"] == 1


def test_trackers_pools_and_engines_can_go(database: str, tmp_path: Path) -> None:
    def use() -> list[weakref.ref[Any]]:
        tracker = ConnectionTracker()
        engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/shop.db")
        track_sqlalchemy(engine, tracker)
        pool = ConnectionPool(database, min_size=1, open=True, timeout=20)
        track_psycopg_pool(pool, tracker)
        with engine.connect(), pool.connection():
            pass
        engine.dispose()
        pool.close()
        return [weakref.ref(each) for each in (tracker, engine, pool)]

    references = use()
    gc.collect()
    assert [reference() for reference in references] == [None] * 3


def test_the_number_of_records_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_RECORDS", 5)
    tracker, owner = ConnectionTracker(), Cargo()
    slots = [tracker.check_out("pool", owner) for _ in range(8)]
    told = tracker.as_dict()
    assert (told["out"], told["checked_out_total"], told["not_recorded_total"]) == (5, 8, 3)
    for slot in slots:
        tracker.check_in(slot)
    assert tracker.out() == []
    assert tracker.check_out("pool", owner) is not None


def test_what_goes_wrong_here_is_counted_and_not_raised() -> None:
    tracker = ConnectionTracker()
    assert tracker.check_out("pool", 5) is None  # an int has no weak references
    assert tracker.as_dict()["not_recorded_total"] == 1


def test_the_folder_can_be_copied_and_needs_no_library(tmp_path: Path) -> None:
    shutil.copytree(Path(connections.__file__).parent, tmp_path / "mine", ignore=shutil.ignore_patterns("__pycache__"))
    program = """
        import sys
        sys.path.insert(0, sys.argv[1])
        import mine, sqlite3
        tracker = mine.ConnectionTracker()
        connection = sqlite3.connect(":memory:", factory=mine.track_sqlite3(tracker))
        print([each.file for each in tracker.out()])
        connection.close()
        print(sorted({"labkit", "falcon", "sqlalchemy", "psycopg", "psycopg_pool", "greenlet"} & set(sys.modules)))
    """
    command = [sys.executable, "-IS", "-c", textwrap.dedent(program), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["['<string>']", "[]"]


# ---- threads and finalizers ------------------------------------------------------------------------------


def test_finalizers_that_check_in_while_everything_else_goes_on(tracker: ConnectionTracker, tmp_path: Path) -> None:
    """The collector runs at every few allocations, so in the middle of whatever the tracker is doing."""
    engine = sqlalchemy.create_engine(
        f"sqlite:///{tmp_path}/shop.db", pool_size=40, connect_args={"check_same_thread": False}
    )
    track_sqlalchemy(engine, tracker)
    rounds, failures, over = 100, [], threading.Event()

    def work() -> None:
        try:
            for number in range(rounds):
                connection = engine.connect()
                connection.execute(sqlalchemy.text("select 1"))
                if number % 3:
                    connection.close()
                assert json.dumps(tracker.as_dict())
        except BaseException as error:  # told by the main thread
            failures.append(error)

    def collect() -> None:
        while not over.is_set():
            gc.collect()

    before, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(20, 5, 5)
    sys.setswitchinterval(1e-5)
    try:
        collector, *threads = [threading.Thread(target=target) for target in (collect, *[work] * 4)]
        for thread in (collector, *threads):
            thread.start()
        for thread in threads:
            thread.join()
        over.set()
        collector.join()
    finally:
        gc.set_threshold(*before)
        sys.setswitchinterval(interval)
    assert failures == []
    gc.collect()
    told = tracker.as_dict()
    assert (told["out"], told["checked_out_total"]) == (0, 4 * rounds)
    engine.dispose()


def test_a_forked_child_begins_anew_though_other_threads_are_busy(tracker: ConnectionTracker) -> None:
    owner, over = Cargo(), threading.Event()

    def work() -> None:
        while not over.is_set():
            tracker.check_in(tracker.check_out("pool", owner))
            tracker.out()

    held = tracker.check_out("pool", owner)
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            child = os.fork()
            if not child:
                told = tracker.as_dict()
                mine = tracker.check_out("pool", owner)
                tracker.check_in(held)  # the parent's: not ours to give back, and no harm
                right = (
                    told["out"] == 0
                    and told["inherited"] >= 1
                    and [each.number for each in tracker.out()] == [mine.number]
                )
                os._exit(0 if right else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert [each.number for each in tracker.out()] == [held.number]
