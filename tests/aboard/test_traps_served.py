"""Each way to lose a connection that is known, in a real worker, on a real database, beside its healthy twin."""

from __future__ import annotations

import http.client
import inspect
import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from serving import GUNICORN, HERE, UVICORN, UWSGI, UWSGI_PREFORK, Served, serving

CANARY = "canary-4711"


@pytest.fixture(params=[GUNICORN, UWSGI], ids=["gunicorn", "uwsgi"])
def shop(request: pytest.FixtureRequest, database: str) -> Iterator[Served]:
    """One worker with threads."""
    with serving("shop_wsgi", request.param, database) as served:
        yield served


@pytest.fixture
def shop_asgi(database: str) -> Iterator[Served]:
    """Under Uvicorn."""
    with serving("shop_asgi", UVICORN, database) as served:
        yield served


def status_of(shop: Served, path: str, method: str) -> int:
    """Where the app raises uWSGI hangs up without an answer; Gunicorn makes one."""
    try:
        return shop.get(path, method)[0]
    except http.client.RemoteDisconnected:
        return 500


def line_of(file: str, text: str, after: str) -> int:
    """The number of the first line with a text, below a line with another."""
    lines = (HERE / file).read_text().splitlines()
    begin = next(number for number, line in enumerate(lines) if after in line)
    return next(number for number, line in enumerate(lines, start=1) if number > begin and text in line)


# ---- Gunicorn, uWSGI --------------------------------------------------------------------------------------------


def test_healthy_twins_leave_nothing_behind(shop: Served) -> None:
    for number in range(3):
        for path in ("orders", "returned", "session", "noted", "lazy", "eager"):
            assert shop.get(f"/{path}/{number}")[0] == 200
        assert shop.get(f"/lazy/{number}", "HEAD")[0] == 200
        assert shop.get("/no/such/route")[0] == 404
        assert len(shop.get("/download")[1]) == 200_000
    told = shop.tracked()
    assert told["out"] == told["left_behind"] == 0
    assert told["checked_out_total"] == 3 * 7


@pytest.mark.parametrize(
    ("path", "method", "status", "pool", "where", "object_gone"),
    [
        ("closed", "GET", 200, "psycopg_pool", ("POOL.getconn()", "class Closed", "Closed.on_get"), True),
        ("session", "GET", 500, "psycopg_pool", ("POOL.getconn()", "class Session", "Session.process_request"), None),
        ("dropped", "GET", 200, "sqlalchemy", ("ENGINE.connect()", "class Dropped", "Dropped.on_get"), False),
        ("eager", "HEAD", 200, "psycopg_pool", ("POOL.getconn()", "class Eager", "Eager.on_get"), True),
        ("kept", "GET", 200, "sqlalchemy", ("ENGINE.connect()", "class Kept", "Kept.on_get"), False),
    ],
)
def test_a_lost_connection_is_told_with_its_line_and_route(
    shop: Served, path: str, method: str, status: int, pool: str, where: tuple[str, str, str], object_gone: bool | None
) -> None:
    for _ in range(2):
        assert shop.get("/orders/1")[0] == 200
        assert status_of(shop, f"/{path}/bad", method) == status
    told = shop.tracked()
    assert (told["out"], told["left_behind"]) == (2, 2)
    text, after, function = where
    assert [
        {key: value for key, value in group.items() if key != "oldest_age_s"} for group in told["left_behind_by_place"]
    ] == [
        {
            "pool": pool,
            "file": "shop_wsgi.py",
            "line": line_of("shop_wsgi.py", text, after),
            "function": function,
            "routes": [f"{method} /{path}/{{order}}"],
            "count": 2,
        }
    ]
    first, second = told["check_outs"]
    assert first["request"] < second["request"]
    assert first["age_s"] >= second["age_s"] >= first["since_response_s"] - first["age_s"] >= -first["age_s"]
    assert not first["taken_late"]
    if object_gone is not None:
        assert first["object_gone"] is second["object_gone"] is object_gone


def test_the_collector_brings_dropped_ones_back_and_the_tracker_does_not_call_it(shop: Served) -> None:
    for _ in range(3):
        shop.get("/dropped/1")
    assert [shop.tracked()["left_behind"] for _ in range(3)] == [3, 3, 3]
    shop.get("/collect")
    assert shop.tracked()["out"] == 0


def test_the_database_agrees_about_dropped_ones(shop: Served, database: str) -> None:
    def busy() -> int:
        with psycopg.connect(database) as connection:
            query = "select count(*) from pg_stat_activity where state = 'idle in transaction'"
            return int(connection.execute(query).fetchone()[0])  # type: ignore[index]

    for _ in range(4):
        shop.get("/dropped/1")
    assert shop.tracked()["left_behind"] == busy() == 4


def test_a_stream_has_its_connection_until_it_is_closed(shop: Served) -> None:
    with shop.open("/lazy/7") as answer:
        answer.read(1000)
        (out,) = shop.told()["check_outs"]
        assert (out["route"], out["response"], out["left_behind"]) == ("/lazy/{order}", "running", False)
        assert out["function"] == "Lazy.rows"
        assert len(answer.read()) == 999_000
    assert shop.tracked()["out"] == 0


def test_a_client_that_leaves_a_stream_leaves_nothing_behind(shop: Served) -> None:
    for path in ("/lazy/7", "/eager/7"):
        with shop.open(path) as answer:
            answer.read(1000)
    assert shop.tracked()["out"] == 0


def test_no_value_is_told(shop: Served) -> None:
    shop.get(f"/closed/{CANARY}?token={CANARY}")
    shop.get(f"/eager/{CANARY}", "HEAD")
    shop.get(f"/orders/{CANARY}", CANARY.upper())
    told = shop.tracked()
    assert told["left_behind"] == 2
    text = json.dumps(told).lower()
    assert "canary" not in text
    assert not [each for each in told["check_outs"] if Path(each["file"]).is_absolute()]


# ---- preload -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("server", "out", "inherited"),
    [(GUNICORN, 1, 0), ((*GUNICORN, "--preload"), 0, 1), (UWSGI, 1, 0), (UWSGI_PREFORK, 0, 1)],
    ids=["gunicorn", "gunicorn preload", "uwsgi lazy-apps", "uwsgi prefork"],
)
def test_what_the_parent_has_out_is_not_told_of_the_child(
    database: str, server: tuple[str, ...], out: int, inherited: int
) -> None:
    with serving("shop_preloaded", server, database) as shop:
        told = shop.tracked()
        assert told["pid"] != told["parent"]
        assert (told["out"], told["inherited"]) == (out, inherited)
        shop.get("/orders/1")
        told = shop.tracked()
        assert (told["out"], told["left_behind"]) == (out + 1, 1)
        assert told["check_outs"][-1]["route"] == "/orders/{order}"


# ---- Uvicorn -------------------------------------------------------------------------------------------------


def test_asgi_healthy_twins_leave_nothing_behind(shop_asgi: Served) -> None:
    for number in range(3):
        assert shop_asgi.get(f"/orders/{number}")[0] == 200
        assert len(shop_asgi.get(f"/lines/{number}")[1]) == 10_000_000
    told = shop_asgi.tracked()
    assert (told["out"], told["checked_out_total"]) == (0, 9)


@pytest.mark.parametrize(
    ("path", "pool", "text", "after", "function"),
    [
        ("closed", "psycopg_pool", "POOL.getconn()", "class Closed", "Closed.on_get"),
        ("held", "sqlalchemy", "ENGINE.connect()", "class Held", "Held.connected"),
        ("cancelled", "psycopg_pool", "POOL.getconn()", "class Cancelled", "Cancelled.on_get"),
    ],
)
def test_asgi_a_lost_connection_is_told(
    shop_asgi: Served, path: str, pool: str, text: str, after: str, function: str
) -> None:
    shop_asgi.get(f"/{path}/1")
    (group,) = shop_asgi.tracked()["left_behind_by_place"]
    assert (group["pool"], group["file"], group["function"]) == (pool, "shop_asgi.py", function)
    assert group["line"] == line_of("shop_asgi.py", text, after)
    assert group["routes"] == [f"GET /{path}/{{order}}"]


def test_asgi_no_line_is_better_than_a_wrong_one(shop_asgi: Served) -> None:
    """``wait_for`` runs a coroutine in a task of its own on Python 3.11, below which there is only the event loop."""
    shop_asgi.get("/waited/1")
    (out,) = shop_asgi.tracked()["check_outs"]
    apart = "timeouts" not in inspect.getsource(__import__("asyncio").wait_for)
    assert out["function"] == ("?" if apart else "Waited.on_get")
    assert out["route"] == "/waited/{order}"


def test_asgi_what_a_task_takes_after_the_response_is_told_as_late(shop_asgi: Served) -> None:
    shop_asgi.get("/later/1")
    while not (told := shop_asgi.tracked())["out"]:
        pass
    (out,) = told["check_outs"]
    assert (out["taken_late"], out["left_behind"], out["function"]) == (True, True, "Later.work")


def test_asgi_a_stream_has_its_connection_until_it_ends(shop_asgi: Served) -> None:
    with shop_asgi.open("/lines/7") as answer:
        answer.read(1000)
        (out,) = shop_asgi.told()["check_outs"]
        assert (out["route"], out["response"], out["left_behind"]) == ("/lines/{order}", "running", False)
        answer.read()
    assert shop_asgi.tracked()["out"] == 0
