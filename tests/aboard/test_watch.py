"""When a request begins and ends: bodies, files, errors of every kind, with and without ``watch``."""

from __future__ import annotations

import asyncio
import io
import sqlite3
import threading
import urllib.request
import wsgiref.simple_server
import wsgiref.util
import wsgiref.validate
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import falcon
import falcon.asgi
import falcon.testing
import pytest

from labkit.aboard import ConnectionTracker, RequestMiddleware, track_sqlite3, watch
from labkit.aboard.records import current_request


class Abandoned(BaseException):
    """What a worker raises to end a request, as its timeout does."""


class Taker:
    """Takes a connection and keeps it; for a while, or for ever."""

    def __init__(self, tracker: ConnectionTracker) -> None:
        self._factory = track_sqlite3(tracker)
        self.kept: list[sqlite3.Connection] = []

    def take(self) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", factory=self._factory, check_same_thread=False)
        self.kept.append(connection)
        return connection

    def close(self) -> None:
        for connection in self.kept:
            connection.close()


@pytest.fixture
def tracker() -> ConnectionTracker:
    return ConnectionTracker()


@pytest.fixture
def taker(tracker: ConnectionTracker) -> Iterator[Taker]:
    taker = Taker(tracker)
    yield taker
    taker.close()


def routes(tracker: ConnectionTracker) -> list[tuple[str, ...]]:
    return [group.routes for group in tracker.left_behind()]


def responses(tracker: ConnectionTracker) -> list[str | None]:
    return [each.response for each in tracker.out()]


def ask(app: Any, method: str = "GET", **environ: Any) -> Any:
    """What a WSGI server does before it reads the body."""
    given: dict[str, Any] = {"REQUEST_METHOD": method} | environ
    wsgiref.util.setup_testing_defaults(given)
    return app(given, lambda *_: None)


# ---- WSGI ------------------------------------------------------------------------------------------------------


def test_a_request_lasts_until_its_body_is_closed(tracker: ConnectionTracker, taker: Taker) -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        def body() -> Iterator[bytes]:
            try:
                taker.take()
                yield b"a"
                yield b"b"
            finally:
                taker.take()

        start_response("200 OK", [])
        return body()

    body = ask(watch(app, tracker))
    assert next(body) == b"a"
    assert current_request.get() is None  # between chunks the thread is the server's
    assert responses(tracker) == ["running"]
    assert list(body) == [b"b"]
    assert responses(tracker) == ["running", "running"]
    body.close()
    assert responses(tracker) == ["ended", "ended"]
    assert {each.request for each in tracker.out()} == {1}


def test_a_body_that_is_never_begun_is_closed_all_the_same(tracker: ConnectionTracker, taker: Taker) -> None:
    closed = []

    class Body:
        def __init__(self) -> None:
            taker.take()

        def __iter__(self) -> Iterator[bytes]:
            raise AssertionError("nobody reads a HEAD")

        def close(self) -> None:
            closed.append(current_request.get())
            raise OSError("and closing fails")

    with pytest.raises(OSError, match="closing fails"):
        ask(watch(lambda environ, start: Body(), tracker), "HEAD").close()
    assert closed[0] is not None
    assert [group.routes for group in tracker.left_behind()] == [("HEAD ?",)]


@pytest.mark.parametrize("error", [ValueError, Abandoned, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_whatever_is_raised_ends_the_request(
    tracker: ConnectionTracker, taker: Taker, error: type[BaseException]
) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        taker.take()
        raise error

    with pytest.raises(error):
        ask(watch(app, tracker))
    assert responses(tracker) == ["ended"]
    assert current_request.get() is None


def test_falcon_has_given_up_its_middleware_by_then(tracker: ConnectionTracker, taker: Taker) -> None:
    """process_response is not called, and still the request ends."""
    called = []

    class Cleaning:
        def process_response(self, *_: Any) -> None:
            called.append(True)

    class Order:
        def on_get(self, req: falcon.Request, resp: falcon.Response, order: str) -> None:
            taker.take()
            raise Abandoned

    app = falcon.App(middleware=[Cleaning()])
    app.add_route("/orders/{order}", Order())
    with pytest.raises(Abandoned):
        ask(watch(app, tracker), PATH_INFO="/orders/4711")
    assert called == []
    assert routes(tracker) == [("GET /orders/{order}",)]


def test_a_route_that_is_found_after_the_connection_was_taken(tracker: ConnectionTracker, taker: Taker) -> None:
    class Session:
        def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
            taker.take()

    class Order:
        def on_get(self, req: falcon.Request, resp: falcon.Response, order: str) -> None:
            resp.media = order

    app = falcon.App(middleware=[Session()])
    app.add_route("/orders/{order}", Order())
    app.add_sink(lambda req, resp: None, "/files")
    watched = watch(app, tracker)
    for path in ("/orders/1", "/orders/2", "/nowhere", "/files/secret"):
        ask(watched, PATH_INFO=path).close()
    assert [each.route for each in tracker.out()] == ["/orders/{order}", "/orders/{order}", "?", "?"]
    assert [each.request for each in tracker.out()] == [1, 2, 3, 4]


def test_a_validator_on_either_side_is_content(tracker: ConnectionTracker) -> None:
    class Order:
        def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
            resp.content_type = "text/plain"
            resp.text = "tea"

    plain = falcon.App()
    plain.add_route("/", Order())
    app = wsgiref.validate.validator(watch(wsgiref.validate.validator(plain), tracker))
    for method, expected in (("GET", b"tea"), ("HEAD", b"")):
        body = ask(app, method, QUERY_STRING="")
        assert b"".join(body) == expected
        body.close()


def test_the_server_still_learns_how_many_chunks_there_are(tracker: ConnectionTracker) -> None:
    assert len(ask(watch(lambda environ, start: [b"a", b"b"], tracker))) == 2
    with pytest.raises(TypeError):
        len(ask(watch(lambda environ, start: iter([b"a"]), tracker)))


class ServersWrapper:
    """As servers' own: it takes over the file's close."""

    def __init__(self, file: Any, size: int = 8192) -> None:
        self.file = file
        self.size = size
        self.close = file.close


def test_a_file_is_left_to_the_server(tracker: ConnectionTracker, taker: Taker, tmp_path: Path) -> None:
    path = tmp_path / "prices"
    path.write_bytes(b"tea 4.20")

    def app(environ: Any, start_response: Any) -> Any:
        taker.take()
        return environ["wsgi.file_wrapper"](path.open("rb"), 4)

    environ = {"wsgi.file_wrapper": ServersWrapper, "REQUEST_METHOD": "GET"}
    body = watch(app, tracker)(environ, None)
    assert environ["wsgi.file_wrapper"] is ServersWrapper
    assert type(body) is ServersWrapper
    assert body.size == 4
    assert body.file.fileno() > 2
    assert body.file.read(3) == b"tea"
    assert body.file.seek(0) == 0
    assert responses(tracker) == ["running"]
    file = body.file._inner
    body.close()
    assert file.closed
    assert responses(tracker) == ["ended"]


def test_a_file_that_was_wrapped_and_not_answered(tracker: ConnectionTracker, taker: Taker) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        taker.take()
        environ["wsgi.file_wrapper"](io.BytesIO(b"old"))
        return [b"new"]

    body = ask(watch(app, tracker), **{"wsgi.file_wrapper": ServersWrapper})
    assert list(body) == [b"new"]
    body.close()
    assert responses(tracker) == ["ended"]


class _Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def test_the_standard_librarys_server(tracker: ConnectionTracker, taker: Taker, tmp_path: Path) -> None:
    path = tmp_path / "prices"
    path.write_bytes(b"tea" * 10_000)

    class Prices:
        def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
            taker.take()
            resp.set_stream(path.open("rb"), path.stat().st_size)

        on_head = on_get

    app = falcon.App()
    app.add_route("/prices", Prices())
    with wsgiref.simple_server.make_server("127.0.0.1", 0, watch(app, tracker), handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/prices"
            with urllib.request.urlopen(url) as answer:
                assert answer.headers["Content-Length"] == "30000"
                assert answer.read() == b"tea" * 10_000
        finally:
            server.shutdown()
            thread.join()
    assert routes(tracker) == [("GET /prices",)]


# ---- without watch -----------------------------------------------------------------------------------------------


def test_middleware_alone_knows_the_route_and_no_end(tracker: ConnectionTracker, taker: Taker) -> None:
    class Order:
        def on_get(self, req: falcon.Request, resp: falcon.Response, order: str) -> None:
            taker.take()

    app = falcon.App(middleware=[RequestMiddleware(tracker)])
    app.add_route("/orders/{order}", Order())
    for number in range(2):
        ask(app, PATH_INFO=f"/orders/{number}")
    assert [(each.request, each.route, each.response) for each in tracker.out()] == [
        (1, "/orders/{order}", "running"),
        (2, "/orders/{order}", "running"),
    ]
    assert tracker.left_behind() == []
    assert current_request.get() is None


def test_middleware_that_is_skipped_or_given_twice(tracker: ConnectionTracker, taker: Taker) -> None:
    class Refusing:
        def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
            taker.take()
            raise falcon.HTTPForbidden

    app = falcon.App(middleware=[Refusing(), RequestMiddleware(tracker)])
    answer = falcon.testing.TestClient(watch(app, tracker)).simulate_get("/")
    assert answer.status_code == 403
    assert routes(tracker) == [("GET ?",)]


# ---- ASGI ----------------------------------------------------------------------------------------------------------


async def call(app: Any, scope: dict[str, Any], sent: list[Any] | None = None) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: dict[str, Any]) -> None:
        (sent if sent is not None else []).append(message)

    await app(scope, receive, send)


def test_asgi_a_response_is_running_then_sent_then_ended(tracker: ConnectionTracker, taker: Taker) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        taker.take()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        seen.extend(responses(tracker))
        await send({"type": "http.response.body", "body": b"b"})
        seen.extend(responses(tracker))

    sent: list[Any] = []
    asyncio.run(call(watch(app, tracker), {"type": "http", "method": "GET"}, sent))
    assert len(sent) == 3
    assert seen + responses(tracker) == ["running", "sent", "ended"]


@pytest.mark.parametrize("error", [ValueError, Abandoned, asyncio.CancelledError])
def test_asgi_whatever_is_raised_ends_the_request(
    tracker: ConnectionTracker, taker: Taker, error: type[BaseException]
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        taker.take()
        raise error

    async def main() -> object:
        with pytest.raises(error):
            await call(watch(app, tracker), {"type": "http", "method": "GET"})
        return current_request.get()

    assert asyncio.run(main()) is None
    assert responses(tracker) == ["ended"]


def test_asgi_requests_at_the_same_time_are_told_apart(tracker: ConnectionTracker, taker: Taker) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0)
        taker.take()
        if scope["method"] == "PUT":
            await asyncio.Event().wait()

    async def main() -> list[tuple[Any, ...]]:
        watched = watch(app, tracker)
        waiting = asyncio.create_task(call(watched, {"type": "http", "method": "PUT"}))
        while not tracker.out():
            await asyncio.sleep(0)
        await call(watched, {"type": "http", "method": "GET"})
        seen = [(each.method, each.response) for each in tracker.out()]
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return seen

    assert asyncio.run(main()) == [("PUT", "running"), ("GET", "ended")]
    assert responses(tracker) == ["ended", "ended"]


def test_asgi_falcon_with_websocket_stream_and_lifespan(tracker: ConnectionTracker, taker: Taker) -> None:
    class Chat:
        async def on_websocket(self, req: Any, ws: Any, room: str) -> None:
            await ws.accept()
            taker.take()
            await ws.send_text("hello")
            await ws.receive_text()

    class Lines:
        async def on_get(self, req: Any, resp: Any) -> None:
            resp.stream = self.lines()

        async def lines(self) -> Any:
            taker.take()
            yield b"a"

    app = falcon.asgi.App()
    app.add_route("/chat/{room}", Chat())
    app.add_route("/lines", Lines())

    async def main() -> None:
        async with falcon.testing.ASGIConductor(watch(app, tracker)) as conductor:
            async with conductor.simulate_ws("/chat/secret") as ws:
                assert await ws.receive_text() == "hello"
                await ws.send_text("bye")
            assert (await conductor.simulate_get("/lines")).text == "a"

    asyncio.run(main())
    assert routes(tracker) == [("GET /lines", "WEBSOCKET /chat/{room}")]


def test_functions_and_objects_are_told_apart() -> None:
    class Async:
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...

    async def function(scope: Any, receive: Any, send: Any) -> None: ...

    def kind(app: Callable[..., Any]) -> str:
        return type(watch(app, ConnectionTracker())).__name__

    assert [kind(app) for app in (Async(), function, falcon.asgi.App())] == ["WatchedASGI"] * 3
    assert [kind(app) for app in (falcon.App(), lambda environ, start: [])] == ["WatchedWSGI"] * 2
    assert kind(watch(falcon.App(), ConnectionTracker())) == "WatchedWSGI"
    assert kind(watch(falcon.asgi.App(), ConnectionTracker())) == "WatchedASGI"
