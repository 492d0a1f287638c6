"""The same for ASGI: what of a request outlives it, where each request is a task."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import falcon
import falcon.asgi

CURRENT: ContextVar[falcon.asgi.Request] = ContextVar("CURRENT")
TASKS: set[asyncio.Task[None]] = set()
NEVER = asyncio.Event()


class InItsContext:
    """Ends with the request."""

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        req.context.user = "ann"


class InAContextVariable:
    """A request's task has a context of its own, which ends with it."""

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        CURRENT.set(req)


class InATask:
    """A task that waits holds what its coroutine was called with."""

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        task = asyncio.create_task(audited(req))
        TASKS.add(task)
        task.add_done_callback(TASKS.discard)


class InATaskAsText:
    """A task that was given what it needs."""

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        task = asyncio.create_task(audited_text(req.path))
        TASKS.add(task)
        task.add_done_callback(TASKS.discard)


async def audited(req: falcon.asgi.Request) -> None:
    """Wait for an auditor who does not come."""
    await NEVER.wait()
    print(req.path)


async def audited_text(path: str) -> None:
    """The same, with less in hand."""
    await NEVER.wait()
    print(path)


class InATaskThroughItsContext:
    """A task copies the context it was made in: with a variable set, it holds the request all the same."""

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        CURRENT.set(req)
        task = asyncio.create_task(audited_text(req.path))
        TASKS.add(task)
        task.add_done_callback(TASKS.discard)


app = falcon.asgi.App()
app.add_route("/req.context", InItsContext())
app.add_route("/context-variable", InAContextVariable())
app.add_route("/task", InATask())
app.add_route("/task-text", InATaskAsText())
app.add_route("/task-text-and-variable", InATaskThroughItsContext())
