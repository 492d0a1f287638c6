"""One way to keep something of a request per route; which of them outlive it?"""

from __future__ import annotations

import threading
from contextvars import ContextVar

import falcon

KEPT: list[falcon.Request] = []
SUMMARIES: list[str] = []
OF_THIS_THREAD = threading.local()
CURRENT: ContextVar[falcon.Request] = ContextVar("CURRENT")


class InALocalVariable:
    """Ends with the call."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        copy = req
        resp.text = copy.path


class InItsContext:
    """Made for it: the context ends with the request, and no sooner or later."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        req.context.user = "ann"
        resp.context.trace = ["begun"]


class InTheResource:
    """A resource is made once: what it holds outlives each request."""

    def __init__(self) -> None:
        self.seen: list[falcon.Request] = []

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.seen.append(req)


class InAThreadLocal:
    """A thread outlives its requests: the last one stays until the next comes."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        OF_THIS_THREAD.request = req


class InAContextVariable:
    """Under a WSGI server a context variable is the thread's, too: nobody sets it back."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        CURRENT.set(req)


class InAList:
    """A list of a module is a root."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        KEPT.append(req)


class AsText:
    """What is needed of a request, and not the request."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        SUMMARIES.append(f"{req.method} {req.path}")


app = falcon.App()
app.add_route("/local-variable", InALocalVariable())
app.add_route("/req.context", InItsContext())
app.add_route("/resource", InTheResource())
app.add_route("/thread-local", InAThreadLocal())
app.add_route("/context-variable", InAContextVariable())
app.add_route("/list", InAList())
app.add_route("/text", AsText())
