"""What one process says of itself, and when a request is over."""

from __future__ import annotations

import asyncio
import gc
import io
import os
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import falcon
import falcon.asgi
import falcon.testing
import psutil
import pytest

from labkit.aboard.counting import Middleware, count_requests
from labkit.aboard.growth import Growth
from labkit.aboard.readings import Reading, Readings


def in_flight(readings: Readings) -> int:
    return readings.take().requests_in_flight


# ---- the process ------------------------------------------------------------------------------------


def test_it_reads_what_psutil_reads() -> None:
    process = psutil.Process()
    threads, descriptors = process.num_threads(), process.num_fds() - 1  # psutil counts the one it lists them with
    reading = Readings(unique_every_s=0).take()
    assert reading.resident_bytes == pytest.approx(process.memory_info().rss, rel=0.05)
    assert reading.unique_bytes == pytest.approx(process.memory_full_info().uss, rel=0.05)
    assert reading.threads in (threads, process.num_threads()), "another test's thread may just end"
    assert reading.descriptors in (descriptors, process.num_fds() - 1)
    assert reading.descriptors_limit == process.rlimit(psutil.RLIMIT_NOFILE)[0]
    assert reading.allocated_blocks > 1000
    assert len(reading.gc_uncollected) == len(reading.gc_collections) == 3


def test_unique_memory_is_asked_for_at_most_every_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    asking = lambda: asked.append(1) or (len(asked), 0)  # noqa: E731
    monkeypatch.setattr("labkit.aboard.process.unique_and_anonymous_bytes", asking)
    seldom, often = Readings(unique_every_s=3600), Readings(unique_every_s=0)
    assert [seldom.take().unique_bytes for _ in range(3)] == [1, 1, 1]
    assert [often.take().unique_bytes for _ in range(3)] == [2, 3, 4]


def test_descriptors_and_pools_are_counted(tmp_path: Path) -> None:
    def broken() -> int:
        raise RuntimeError("no pool")

    readings = Readings(pools={"main": lambda: 3, "broken": broken})
    before = readings.take()
    with (tmp_path / "file").open("w"):
        assert readings.take().descriptors == (before.descriptors or 0) + 1
    assert before.pools == {"main": 3}


# ---- requests ---------------------------------------------------------------------------------------


def test_a_ticket_is_counted_once_and_a_lost_one_too() -> None:
    readings = Readings()
    ticket = readings.begin()
    assert in_flight(readings) == 1
    ticket.end()
    ticket.end()
    lost = readings.begin()
    assert in_flight(readings) == 1
    del lost
    reading = readings.take()
    assert (reading.requests_begun, reading.requests_ended) == (2, 2)


def test_many_threads_lose_no_count() -> None:
    readings = Readings()

    def work() -> None:
        for _ in range(2000):
            readings.begin().end()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reading = readings.take()
    assert (reading.requests_begun, reading.requests_ended) == (16000, 16000)


def test_a_forked_worker_counts_from_nothing() -> None:
    readings = Readings()
    readings.begin()
    readings.begin().end()
    readings.on_first_request.append(lambda: None)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        readings.begin()
        reading = readings.take()
        os.write(writer, f"{reading.requests_begun} {reading.requests_in_flight}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 100) == b"1 0"
    os.close(reader)
    os.close(writer)
    assert readings.take().requests_begun == 2


def test_what_asks_for_the_first_request_is_called_once() -> None:
    readings, called = Readings(), []
    readings.on_first_request.append(lambda: called.append(1))
    for _ in range(3):
        readings.begin().end()
    assert called == [1]


# ---- Falcon -----------------------------------------------------------------------------------------


class Stream:
    """An answer in pieces that tells what was in flight when."""

    def __init__(self, readings: Readings) -> None:
        self.readings = readings
        self.seen: list[int] = []
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(3):
            self.seen.append(in_flight(self.readings))
            yield b"piece"

    def close(self) -> None:
        self.closed += 1


KEPT: list[Any] = []


class Shop:
    def __init__(self, readings: Readings) -> None:
        self.stream = Stream(readings)

    def on_get(self, req: falcon.Request, resp: falcon.Response, what: str) -> None:
        if what == "stream":
            resp.stream = self.stream
        elif what == "keep":
            KEPT.append(req)
        elif what == "error":
            raise falcon.HTTPConflict
        elif what == "crash":
            raise SystemExit("the worker is told to leave")
        elif what == "file":
            resp.set_stream(io.BytesIO(b"content"), 7)
        else:
            resp.text = "ok"


@pytest.fixture
def readings() -> Iterator[Readings]:
    yield Readings()
    KEPT.clear()


@pytest.fixture
def shop(readings: Readings) -> Any:
    app = falcon.App()
    app.add_route("/{what}", Shop(readings))
    return app


def ask(app: Any, path: str, **environ: Any) -> tuple[Any, list[bytes]]:
    """Call the app as a server does, but for closing the answer."""
    answer = app(falcon.testing.create_environ(path) | environ, lambda status, headers, error=None: None)
    return answer, list(answer)


def test_a_stream_is_in_flight_until_it_is_closed(readings: Readings) -> None:
    app, shop = falcon.App(), Shop(readings)
    app.add_route("/{what}", shop)
    answer, pieces = ask(count_requests(app, readings), "/stream")
    assert pieces == [b"piece"] * 3
    assert shop.stream.seen == [1, 1, 1]
    assert in_flight(readings) == 1
    answer.close()
    assert (in_flight(readings), shop.stream.closed) == (0, 1)


def test_alone_the_middleware_cannot_see_the_end_of_a_stream(readings: Readings) -> None:
    shop = Shop(readings)
    app = falcon.App(middleware=[Middleware(readings)])
    app.add_route("/{what}", shop)
    ask(app, "/stream")
    assert shop.stream.seen == [0, 0, 0]
    assert readings.take().requests_ended == 1
    with pytest.raises(SystemExit):
        ask(app, "/crash")
    gc.collect()
    assert readings.take().requests_ended == 2


@pytest.mark.parametrize("path", ["/text", "/error", "/nowhere/at/all", "/file"])
def test_every_answer_ends(shop: Any, readings: Readings, path: str) -> None:
    answer, _ = ask(count_requests(shop, readings), path)
    assert in_flight(readings) == 1
    answer.close()
    reading = readings.take()
    assert (reading.requests_begun, reading.requests_ended) == (1, 1)


def test_what_escapes_the_app_ends_too(shop: Any, readings: Readings) -> None:
    with pytest.raises(SystemExit):
        ask(count_requests(shop, readings), "/crash")
    assert in_flight(readings) == 0


def test_a_whole_answer_keeps_its_length(shop: Any, readings: Readings) -> None:
    answer, pieces = ask(count_requests(shop, readings), "/text")
    assert len(answer) == len(pieces) == 1


def test_the_servers_file_wrapper_gets_its_file(shop: Any, readings: Readings) -> None:
    class Wrapper:
        def __init__(self, file: Any, block_size: int = 8192) -> None:
            self.file = file
            self.close = file.close

        def __iter__(self) -> Iterator[bytes]:
            yield self.file.read()

    app = count_requests(shop, readings)
    environ = falcon.testing.create_environ("/file") | {"wsgi.file_wrapper": Wrapper}
    answer = app(environ, lambda status, headers, error=None: None)
    assert isinstance(answer, Wrapper), "the server knows its own"
    assert environ["wsgi.file_wrapper"] is Wrapper
    assert list(answer) == [b"content"]
    assert in_flight(readings) == 1
    answer.close()
    assert in_flight(readings) == 0


def test_kept_requests_are_told_from_those_in_flight(shop: Any, readings: Readings) -> None:
    app = count_requests(shop, readings)
    for path in ("/text", "/keep", "/error", "/keep", "/text"):
        ask(app, path)[0].close()
    gc.collect()
    reading = readings.take()
    assert (reading.requests_live, reading.requests_kept, reading.requests_in_flight) == (2, 2, 0)
    KEPT.clear()
    gc.collect()
    assert readings.take().requests_live == 0


def test_a_request_being_answered_is_live_and_not_kept(readings: Readings) -> None:
    seen = []

    class Look:
        def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
            seen.append(readings.take())

    app = falcon.App()
    app.add_route("/", Look())
    ask(count_requests(app, readings), "/")[0].close()
    assert [(reading.requests_live, reading.requests_kept) for reading in seen] == [(1, 0)]


def test_a_request_path_never_asks_the_collector(
    shop: Any, readings: Readings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise AssertionError("too slow for a request")

    monkeypatch.setattr(gc, "get_objects", refuse)
    monkeypatch.setattr(gc, "collect", refuse)
    ask(count_requests(shop, readings), "/text")[0].close()
    readings.take()


def test_the_watched_app_is_still_the_app(shop: Any, readings: Readings) -> None:
    app = count_requests(shop, readings)
    app.add_sink(lambda req, resp, **_: setattr(resp, "text", "sunk"), "/sink")
    assert falcon.testing.TestClient(app).simulate_get("/sink/deep").text == "sunk"


# ---- ASGI -------------------------------------------------------------------------------------------


class AsyncShop:
    def __init__(self, readings: Readings) -> None:
        self.readings = readings
        self.seen: list[int] = []

    async def on_get(self, req: Any, resp: Any, what: str) -> None:
        if what == "keep":
            KEPT.append(req)
        resp.stream = self.pieces()

    async def pieces(self) -> AsyncIterator[bytes]:
        for _ in range(3):
            self.seen.append(in_flight(self.readings))
            await asyncio.sleep(0)
            yield b"piece"


def test_an_asgi_stream_is_in_flight_until_the_app_returns(readings: Readings) -> None:
    app, shop = falcon.asgi.App(), AsyncShop(readings)
    app.add_route("/{what}", shop)
    client = falcon.testing.TestClient(count_requests(app, readings))
    assert client.simulate_get("/text").content == b"piece" * 3
    assert client.simulate_get("/keep").status_code == 200
    assert shop.seen == [1] * 6
    gc.collect()
    reading = readings.take()
    assert (reading.requests_begun, reading.requests_ended, reading.requests_live) == (2, 2, 1)


def test_a_cancelled_asgi_request_has_ended(readings: Readings) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(3600)

    async def disconnect() -> None:
        task = asyncio.create_task(count_requests(app, readings)({"type": "http", "path": "/"}, None, None))
        await asyncio.sleep(0)
        assert in_flight(readings) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(disconnect())
    assert in_flight(readings) == 0


# ---- growth -----------------------------------------------------------------------------------------


def grown_after(series: list[float], *, requests_per_reading: int = 100, warmup: int = 200) -> tuple[float, int]:
    growth = Growth(warmup)
    for turn, value in enumerate(series):
        growth.note(turn * requests_per_reading, {"blocks": value})
    return growth.grown.get("blocks", 0), growth.requests


def test_a_warm_up_is_not_growth() -> None:
    assert grown_after([1000, 5000, *([9000] * 12)])[0] == 0


def test_a_leak_is_growth_at_its_own_rate() -> None:
    grown, requests = grown_after([50 * turn for turn in range(60)])
    assert grown / requests == 0.5


def test_what_saws_between_collections_is_not_growth() -> None:
    assert grown_after([1000 + 700 * (turn % 3) for turn in range(60)])[0] == 0


def test_growth_that_was_given_back_counts_once() -> None:
    up_and_down = [0] * 8 + [500] * 3 + [0] * 3 + [500] * 3 + [0] * 3
    assert grown_after([float(value) for value in up_and_down])[0] == 500


def test_a_reading_is_steady_once_it_is_warm() -> None:
    readings = Readings(warmup_requests=2)

    def take() -> Reading:
        return readings.take(note_growth=True)

    assert not take().is_warm
    for _ in range(2):
        readings.begin().end()
    assert take().is_warm
