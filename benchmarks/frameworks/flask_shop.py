"""The same mistakes in Flask, whose ``request`` is a global name that stands for the request of the moment."""

from __future__ import annotations

import contextvars
import functools
import threading
from collections.abc import Callable

import flask
from flask import request

REQUESTS: list[flask.Request] = []
ERRORS: list[Exception] = []
LISTENERS: list[Callable[[], str]] = []
CURRENT: contextvars.ContextVar[flask.Request] = contextvars.ContextVar("CURRENT")

app = flask.Flask(__name__)


class Local(threading.local):
    """Scratch space, one for each thread."""

    def __init__(self) -> None:
        self.seen: list[flask.Request] = []


LOCAL = Local()


class Refused(Exception):
    """An order is refused."""


@functools.cache
def page(key: str) -> str:
    """What a key's page says."""
    return f"{key:>1000}"


def itself() -> flask.Request:
    """The request that ``request`` stands for."""
    return request._get_current_object()


@app.get("/nothing/<key>")
def nothing(key: str) -> dict[str, object]:
    return {"path": request.path}


@app.get("/request/<key>")
def keeps_the_request(key: str) -> dict[str, object]:
    REQUESTS.append(itself())
    return {"path": request.path}


@app.get("/request-by-name/<key>")
def keeps_the_name(key: str) -> dict[str, object]:
    REQUESTS.append(request)
    return {"path": request.path}


@app.get("/error/<key>")
def raises(key: str) -> dict[str, object]:
    raise Refused(key)


@app.errorhandler(Refused)
def keep_error(error: Refused) -> dict[str, object]:
    ERRORS.append(error)
    return {"path": request.path}


@app.get("/closure-over-request/<key>")
def closure_over_request(key: str) -> dict[str, object]:
    mine = itself()
    LISTENERS.append(lambda: mine.path)
    return {"path": request.path}


@app.get("/closure-over-request-by-name/<key>")
def closure_over_name(key: str) -> dict[str, object]:
    LISTENERS.append(lambda: request.path)
    return {"path": request.path}


@app.get("/closure-over-value/<key>")
def closure_over_value(key: str) -> dict[str, object]:
    text = f"{request.path:>1000}"
    LISTENERS.append(lambda: text)
    return {"path": request.path}


@app.get("/thread-local/<key>")
def thread_local(key: str) -> dict[str, object]:
    LOCAL.seen.append(itself())
    return {"path": request.path}


@app.get("/context-variable/<key>")
def context_variable(key: str) -> dict[str, object]:
    CURRENT.set(itself())
    return {"path": request.path}


@app.get("/cache/<key>")
def cache(key: str) -> dict[str, object]:
    return {"path": request.path, "length": len(page(key))}
