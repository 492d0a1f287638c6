"""Ways to remember that something went wrong; each route goes wrong in the same way and remembers it in its own."""

from __future__ import annotations

import logging
import logging.handlers
import traceback
from collections.abc import Callable

import falcon

KEPT: list[object] = []

# A handler that gathers records until something really bad happens; it keeps what exc_info holds.
memory = logging.handlers.MemoryHandler(capacity=10_000, flushLevel=logging.CRITICAL)
logger = logging.getLogger("keeps")
logger.addHandler(memory)
logger.propagate = False


class OrderError(Exception):
    """An order that cannot be fulfilled."""


def check(order: str) -> None:
    """Fail, from a KeyError as errors often do."""
    try:
        {}[order]
    except KeyError as ex:
        raise OrderError(order) from ex


def check_from_none(order: str) -> None:
    """The same, with ``from None``: the KeyError is not shown."""
    try:
        {}[order]
    except KeyError:
        raise OrderError(order) from None


def nothing(ex: OrderError) -> None:
    """Answer and forget."""


def the_exception(ex: OrderError) -> None:
    """Keep it as it is."""
    KEPT.append(ex)


def without_its_traceback(ex: OrderError) -> None:
    """Keep it without its own traceback; the exception it came from has one, too."""
    KEPT.append(ex.with_traceback(None))


def a_log_record(ex: OrderError) -> None:
    """Log it with its traceback, to a handler that waits."""
    logger.error("order refused", exc_info=ex)


def traceback_as_text(ex: OrderError) -> None:
    """Keep what would be printed."""
    KEPT.append("".join(traceback.format_exception(ex)))


def its_text(ex: OrderError) -> None:
    """Keep what it says."""
    KEPT.append(str(ex))


class Orders:
    """Refuse an order, and remember it in one way."""

    def __init__(self, remember: Callable[[OrderError], None], check: Callable[[str], None] = check) -> None:
        self.remember = remember
        self.check = check

    def on_put(self, req: falcon.Request, resp: falcon.Response) -> None:
        basket = Basket(req.get_media())
        try:
            self.check(basket.order)
        except OrderError as ex:
            self.remember(ex)
            resp.status = falcon.HTTP_422


class Basket:
    """What the customer sent, with all that was computed for it."""

    def __init__(self, media: dict[str, str]) -> None:
        self.order = media["order"]
        self.lines = bytes(10_000)


app = falcon.App()
app.add_route("/nothing", Orders(nothing))
app.add_route("/exception", Orders(the_exception))
app.add_route("/without-traceback", Orders(without_its_traceback))
app.add_route("/from-none-without-traceback", Orders(without_its_traceback, check_from_none))
app.add_route("/log-record", Orders(a_log_record))
app.add_route("/traceback-as-text", Orders(traceback_as_text))
app.add_route("/text", Orders(its_text))
