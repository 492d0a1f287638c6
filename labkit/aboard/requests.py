"""Which request is being served, from its first line to the moment its response is closed.

Falcon's ``process_response`` runs before a stream is read, and not at all when a handler raises again or a
``BaseException`` passes through. So the beginning and the end are seen from outside the app, by ``watch``; middleware
inside adds the one thing that only the framework knows, the route.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from .connections import ConnectionTracker
from .counting import falcon_within, is_asgi
from .records import RequestMark, current_request

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def watch(app: Any, tracker: ConnectionTracker) -> Any:
    """The same app, WSGI or ASGI, telling the tracker when each request begins and when its response is done.

    A Falcon app is given middleware for its routes besides. Wrap last: what is returned is for the server.
    """
    falcon_app = falcon_within(app)
    if falcon_app is not None:
        falcon_app.add_middleware(RouteMiddleware())
    return WatchedASGI(app, tracker) if is_asgi(app) else WatchedWSGI(app, tracker)


class RouteMiddleware:
    """Middleware for Falcon, WSGI and ASGI: the route template of the request that ``watch`` has marked."""

    def process_resource(self, req: Any, resp: Any, resource: Any, params: Any) -> None:
        """The route has been found."""
        mark = current_request.get()
        if mark is not None and req.uri_template:
            mark.route = req.uri_template

    async def process_resource_async(self, req: Any, resp: Any, resource: Any, params: Any) -> None:
        """As ``process_resource``."""
        self.process_resource(req, resp, resource, params)

    async def process_resource_ws(self, req: Any, ws: Any, resource: Any, params: Any) -> None:
        """The route of a WebSocket."""
        self.process_resource(req, ws, resource, params)


class RequestMiddleware(RouteMiddleware):
    """Middleware for a Falcon app that ``watch`` cannot be put around.

    The request is marked until ``process_response``; that its response has *ended* nobody can say then, and nothing is
    ever told as left behind. Under ``watch`` it does no harm.
    """

    def __init__(self, tracker: ConnectionTracker) -> None:
        self._tracker = tracker

    def process_request(self, req: Any, resp: Any) -> None:
        """Mark the request, unless it is marked already."""
        mark = current_request.get()
        if mark is None or not mark.watched:
            current_request.set(self._tracker.begin_request(req.method, watched=False))

    def process_response(self, req: Any, resp: Any, resource: Any, req_succeeded: bool) -> None:
        """The responder is done. The response is not: a stream has not even been begun."""
        mark = current_request.get()
        if mark is not None and not mark.watched:
            current_request.set(None)

    async def process_request_async(self, req: Any, resp: Any) -> None:
        """As ``process_request``."""
        self.process_request(req, resp)

    async def process_response_async(self, req: Any, resp: Any, resource: Any, req_succeeded: bool) -> None:
        """As ``process_response``."""
        self.process_response(req, resp, resource, req_succeeded)


class WatchedASGI:
    """An ASGI app. A request ends when the app returns or raises, whatever it raises."""

    def __init__(self, app: Any, tracker: ConnectionTracker) -> None:
        self._app = app
        self._tracker = tracker

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope; the lifespan is passed on as it is."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        mark = self._tracker.begin_request(scope.get("method", "WEBSOCKET"))

        async def sending(message: Message) -> None:
            await send(message)
            kind = message["type"]
            if kind == "websocket.close" or (kind == "http.response.body" and not message.get("more_body")):
                mark.sent_at = time.monotonic()

        token = current_request.set(mark)
        try:
            await self._app(scope, receive, sending)
        finally:
            current_request.reset(token)
            self._tracker.end_request(mark)


class WatchedWSGI:
    """A WSGI app. A request ends when the server closes the response, or at once when there is none."""

    def __init__(self, app: Any, tracker: ConnectionTracker) -> None:
        self._app = app
        self._tracker = tracker

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Serve one request."""
        mark = self._tracker.begin_request(environ.get("REQUEST_METHOD", ""))
        of_server = environ.get("wsgi.file_wrapper")
        files: list[Any] = []

        def file_wrapper(file: Any, *size: int) -> Any:
            assert of_server is not None
            files.append(of_server(_File(file, mark, self._tracker), *size))
            return files[-1]

        if of_server is not None:
            environ["wsgi.file_wrapper"] = file_wrapper
        token = current_request.set(mark)
        try:
            body = self._app(environ, start_response)
        except BaseException:
            self._tracker.end_request(mark)
            raise
        finally:
            current_request.reset(token)
            if of_server is not None:
                environ["wsgi.file_wrapper"] = of_server  # servers compare what they get with what they gave
        if any(body is each for each in files):
            return body  # as it is, for the server may send it without reading; closing it closes our _File
        kind = _SizedBody if isinstance(body, list | tuple) else _Body
        return kind(body, mark, self._tracker)


class _Part:
    """Something of a response that is read, and closed once, with its request marked as the current one."""

    def __init__(self, inner: Any, mark: RequestMark, tracker: ConnectionTracker) -> None:
        self._inner = inner
        self._mark = mark
        self._tracker = tracker

    def close(self) -> None:
        """Close what is inside if it can be closed, and end the request."""
        token = current_request.set(self._mark)
        try:
            closing = getattr(self._inner, "close", None)
            if closing is not None:
                closing()
        finally:
            current_request.reset(token)
            self._tracker.end_request(self._mark)


class _Body(_Part):
    """The iterable of a response."""

    _chunks: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        token = current_request.set(self._mark)
        try:
            if self._chunks is None:
                self._chunks = iter(self._inner)
            return next(self._chunks)
        finally:
            current_request.reset(token)


class _SizedBody(_Body):
    """One whose number of chunks is known, which servers may use to say its length."""

    def __len__(self) -> int:
        return len(self._inner)


class _File(_Part):
    """A file that the server may send by its descriptor."""

    def read(self, *size: int) -> Any:
        """Read on."""
        token = current_request.set(self._mark)
        try:
            return self._inner.read(*size)
        finally:
            current_request.reset(token)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
