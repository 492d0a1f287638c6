"""The mistakes in Falcon, each on a route of its own; what a handler needs of its request is an argument."""

from __future__ import annotations

import contextvars
import functools
import threading
from collections.abc import Callable

import falcon

REQUESTS: list[falcon.Request] = []
ERRORS: list[Exception] = []
LISTENERS: list[Callable[[], str]] = []
CURRENT: contextvars.ContextVar[falcon.Request] = contextvars.ContextVar("CURRENT")


class Local(threading.local):
    """Scratch space, one for each thread."""

    def __init__(self) -> None:
        self.seen: list[falcon.Request] = []


LOCAL = Local()


class Refused(Exception):
    """An order is refused."""


@functools.cache
def page(key: str) -> str:
    """What a key's page says."""
    return f"{key:>1000}"


class Nothing:
    def on_get(self, req: falcon.Request, resp: falcon.Response, key: str) -> None:
        resp.media = {"path": req.path}


class Request:
    def on_get(self, req: falcon.Request, resp: falcon.Response, key: str) -> None:
        REQUESTS.append(req)
        resp.media = {"path": req.path}


class Error:
    def on_get(self, req: falcon.Request, resp: falcon.Response, key: str) -> None:
        raise Refused(key)


class ClosureOverRequest:
    def on_get(self, req: falcon.Request, resp: falcon.Response, key: str) -> None:
        LISTENERS.append(lambda: req.path)
        resp.media = {"path": req.path}


class ClosureOverValue:
    def on_get(self, req: falcon.Request, resp: falcon.Response, key: str) -> None:
        text = f"{req.path:>1000}"
        LISTENERS.append(lambda: text)
        resp.media = {"path": req.path}


class ThreadLocal:
    def on_get(self, req: falcon.Request, resp: falcon.Response, key: str) -> None:
        LOCAL.seen.append(req)
        resp.media = {"path": req.path}


class ContextVariable:
    def on_get(self, req: falcon.Request, resp: falcon.Response, key: str) -> None:
        CURRENT.set(req)
        resp.media = {"path": req.path}


class Cache:
    def on_get(self, req: falcon.Request, resp: falcon.Response, key: str) -> None:
        resp.media = {"path": req.path, "length": len(page(key))}


def keep_error(req: falcon.Request, resp: falcon.Response, error: Refused, params: dict[str, str]) -> None:
    ERRORS.append(error)
    resp.media = {"path": req.path}


app = falcon.App()
app.add_error_handler(Refused, keep_error)
app.add_route("/nothing/{key}", Nothing())
app.add_route("/request/{key}", Request())
app.add_route("/error/{key}", Error())
app.add_route("/closure-over-request/{key}", ClosureOverRequest())
app.add_route("/closure-over-value/{key}", ClosureOverValue())
app.add_route("/thread-local/{key}", ThreadLocal())
app.add_route("/context-variable/{key}", ContextVariable())
app.add_route("/cache/{key}", Cache())
