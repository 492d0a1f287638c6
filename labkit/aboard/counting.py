"""Counting requests around an app: from the first byte asked to the last byte answered.

Falcon's ``process_response`` runs before a streamed answer is read, and not at all after some errors. The server knows
better: a WSGI server closes the answer it was given, however it ended; an ASGI app has answered when it returns.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, cast

from .readings import Phase, Readings, Ticket

_PHASE = "labkit.phase"
_FILE_WRAPPER = "wsgi.file_wrapper"
_DEEPEST = 20


class Middleware:
    """Falcon middleware, WSGI and ASGI: which request objects live.

    ``count_requests`` adds it by itself. Alone it also counts requests, as well as can be done from within Falcon: a
    streamed answer ends too early, and one that Falcon gives up on ends when its request object is gone.
    """

    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    def process_request(self, req: Any, resp: Any) -> None:
        """Falcon calls it before anything else."""
        phase = self._phase(req)
        if phase is None:
            req._labkit_ticket = self._readings.begin()
            phase = req._labkit_ticket.phase
        self._readings.witness(req, phase)

    def process_response(self, req: Any, resp: Any, resource: Any, req_succeeded: bool) -> None:
        """Falcon calls it after the responder, and before a stream is read."""
        ticket = getattr(req, "_labkit_ticket", None)
        if ticket is not None:
            ticket.end()

    async def process_request_async(self, req: Any, resp: Any) -> None:
        """As above, for ASGI."""
        self.process_request(req, resp)

    async def process_response_async(self, req: Any, resp: Any, resource: Any, req_succeeded: bool) -> None:
        """As above, for ASGI."""
        self.process_response(req, resp, resource, req_succeeded)

    async def process_request_ws(self, req: Any, ws: Any) -> None:
        """A WebSocket's request; only ``count_requests`` can tell how long it is open."""
        phase = self._phase(req)
        if phase is not None:
            self._readings.witness(req, phase)

    @staticmethod
    def _phase(req: Any) -> Phase | None:
        """What ``count_requests`` left in the request's environment."""
        scope = getattr(req, "scope", None)
        phase = (req.env if scope is None else scope).get(_PHASE)
        return phase if isinstance(phase, Phase) else None


class _Answer:
    """An iterable answer whose end is counted."""

    def __init__(self, answer: Iterable[bytes], ticket: Ticket) -> None:
        self._answer = answer
        self._ticket = ticket

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        try:
            close = getattr(self._answer, "close", None)
            if close is not None:
                close()
        finally:
            self._ticket.end()


class _WholeAnswer(list[bytes]):
    """A list stays one: servers look at its length."""

    def __init__(self, answer: Iterable[bytes], ticket: Ticket) -> None:
        super().__init__(answer)
        self._ticket = ticket

    def close(self) -> None:
        self._ticket.end()


class _File:
    """A file on its way to the server's ``wsgi.file_wrapper``, which may hand it to the kernel and then closes it."""

    def __init__(self, file: Any, ticket: Ticket) -> None:
        self._file = file
        self._ticket = ticket

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def close(self) -> None:
        try:
            close = getattr(self._file, "close", None)
            if close is not None:
                close()
        finally:
            self._ticket.end()


class _Watched:
    """Stands where the app stood; everything but the call is the app's own."""

    def __init__(self, app: Any, readings: Readings, instead: Mapping[str, Any]) -> None:
        self._app = app
        self._readings = readings
        self._instead = instead

    def __getattr__(self, name: str) -> Any:
        if name == "_app":  # while being unpickled or copied
            raise AttributeError(name)
        return getattr(self._app, name)


class WatchedWsgi(_Watched):
    """A WSGI app, counted."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        instead = self._instead.get(environ.get("PATH_INFO", ""))
        if instead is not None:
            return cast(Iterable[bytes], instead(environ, start_response))
        ticket = self._readings.begin()
        environ[_PHASE] = ticket.phase
        wrapper = environ.get(_FILE_WRAPPER)
        files: list[Any] = []

        def wrap_file(file: Any, *block_size: int) -> Any:
            assert wrapper is not None
            files.append(wrapper(_File(file, ticket), *block_size))
            return files[-1]

        if wrapper is not None:
            environ[_FILE_WRAPPER] = wrap_file
        try:
            answer: Iterable[bytes] = self._app(environ, start_response)
        except BaseException:
            ticket.end()
            raise
        finally:
            if wrapper is not None:
                environ[_FILE_WRAPPER] = wrapper  # servers compare the answer with it
        if any(answer is file for file in files):
            return answer
        if isinstance(answer, list | tuple):
            return _WholeAnswer(answer, ticket)
        return _Answer(answer, ticket)


class WatchedAsgi(_Watched):
    """An ASGI app, counted: requests, and WebSockets for as long as they are open."""

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        if scope.get("type") not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        instead = self._instead.get(scope["path"].removeprefix(scope.get("root_path", "")))
        if instead is not None and scope["type"] == "http":
            await instead(scope, receive, send)
            return
        ticket = self._readings.begin()
        try:
            await self._app({**scope, _PHASE: ticket.phase}, receive, send)
        finally:
            ticket.end()


def is_asgi(app: Any) -> bool:
    """Whether calling the app gives a coroutine. Falcon says so itself: a compiled method cannot be asked."""
    by_falcon = getattr(app, "_ASGI", None)
    if isinstance(by_falcon, bool):
        return by_falcon
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__)


def falcon_within(app: Any) -> Any:
    """The Falcon app that ``app`` is, or that it is wrapped around by labkit or in the usual way; None without one."""
    for _ in range(_DEEPEST):
        if app is None or (hasattr(app, "add_middleware") and hasattr(app, "add_sink")):  # a Falcon app has both
            return app
        inside = vars(app) if hasattr(app, "__dict__") else {}
        app = inside.get("_app", inside.get("app"))
    return None


def count_requests(
    app: Any, readings: Readings, *, asgi: bool | None = None, instead: Mapping[str, Any] | None = None
) -> Any:
    """The same app, its requests counted in ``readings``; of a Falcon app its request objects too.

    ``asgi`` need only be said of an app whose call is neither ``async def`` nor WSGI. ``instead`` are apps of the same
    kind that answer, uncounted, at paths of their own.
    """
    falcon_app = falcon_within(app)
    if falcon_app is not None:
        falcon_app.add_middleware(Middleware(readings))
    if asgi is None:
        asgi = is_asgi(app)
    return (WatchedAsgi if asgi else WatchedWsgi)(app, readings, instead or {})
