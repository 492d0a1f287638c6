"""What is kept of a request and of a check-out, and what is told of them: names and numbers, no values.

Nothing here refers to a connection, a request, a frame or an exception but weakly.
"""

from __future__ import annotations

import weakref
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "WEBSOCKET"))
UNKNOWN = "?"

Response = Literal["running", "sent", "ended"]


class RequestMark:
    """One request: its running number, its method, its route template, and how far its response is."""

    __slots__ = ("ended_at", "method", "number", "route", "sent_at", "watched")

    def __init__(self, number: int, method: str, watched: bool) -> None:
        self.number = number
        self.method = method if method in METHODS else "OTHER"  # what a client sent is no name of ours
        self.route = UNKNOWN
        self.watched = watched
        self.sent_at: float | None = None
        self.ended_at: float | None = None

    @property
    def response(self) -> Response:
        """``running``; ``sent`` when its last byte was handed over; ``ended`` when the app is done with it."""
        if self.ended_at is not None:
            return "ended"
        return "running" if self.sent_at is None else "sent"


# The request being served, for whatever runs in its context.
current_request: ContextVar[RequestMark | None] = ContextVar("labkit_current_request", default=None)


class Slot:
    """A connection that is out. It counts for as long as its owner lives, unless it is checked in."""

    __slots__ = (
        "connection",
        "number",
        "object_gone",
        "out",
        "owner",
        "place",
        "pool",
        "request",
        "since",
        "taken_late",
        "thread_id",
    )

    def __init__(
        self,
        out: dict[int, Slot],
        number: int,
        pool: str,
        place: tuple[str, int, str],
        request: RequestMark | None,
        since: float,
        thread_id: int,
    ) -> None:
        self.out = out  # the records it is one of
        self.number = number
        self.pool = pool
        self.place = place
        self.request = request
        self.since = since
        self.thread_id = thread_id
        self.taken_late = request is not None and request.ended_at is not None
        self.object_gone = False
        self.owner: weakref.ref[Any] | None = None
        self.connection: weakref.ref[Any] | None = None


@dataclass(frozen=True, slots=True)
class CheckOut:
    """One connection that is out, as it was told at one moment."""

    number: int
    pool: str
    file: str
    line: int
    function: str
    thread_id: int
    age_s: float
    request: int | None
    method: str | None
    route: str | None
    response: Response | None
    since_response_s: float | None
    taken_late: bool
    object_gone: bool

    @property
    def left_behind(self) -> bool:
        """Whether it is out although the response of its request has ended."""
        return self.response == "ended"

    def as_dict(self) -> dict[str, Any]:
        """All columns, for JSON."""
        return {name: getattr(self, name) for name in self.__slots__} | {"left_behind": self.left_behind}


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """All connections left behind that were checked out on one line."""

    pool: str
    file: str
    line: int
    function: str
    routes: tuple[str, ...]
    check_outs: tuple[CheckOut, ...]

    @property
    def count(self) -> int:
        """How many connections."""
        return len(self.check_outs)

    @property
    def oldest_age_s(self) -> float:
        """For how long the first of them has been out."""
        return self.check_outs[0].age_s

    def as_dict(self) -> dict[str, Any]:
        """The group without its single check-outs, for JSON."""
        return {
            "pool": self.pool,
            "file": self.file,
            "line": self.line,
            "function": self.function,
            "routes": list(self.routes),
            "count": self.count,
            "oldest_age_s": self.oldest_age_s,
        }


def tell(slot: Slot, now: float) -> CheckOut:
    """What there is to say about a connection that is out."""
    mark = slot.request
    ended_at = mark.ended_at if mark else None
    return CheckOut(
        number=slot.number,
        pool=slot.pool,
        file=slot.place[0],
        line=slot.place[1],
        function=slot.place[2],
        thread_id=slot.thread_id,
        age_s=round(now - slot.since, 3),
        request=mark.number if mark else None,
        method=mark.method if mark else None,
        route=mark.route if mark else None,
        response=mark.response if mark else None,
        since_response_s=None if ended_at is None else round(now - ended_at, 3),
        taken_late=slot.taken_late,
        object_gone=slot.object_gone,
    )


def grouped(check_outs: list[CheckOut]) -> list[LeftBehind]:
    """Those left behind by the line they came from, most first."""
    by_place: dict[tuple[str, str, int, str], list[CheckOut]] = {}
    for each in check_outs:
        if each.left_behind:
            by_place.setdefault((each.pool, each.file, each.line, each.function), []).append(each)
    groups = [
        LeftBehind(*place, tuple(sorted({f"{each.method} {each.route}" for each in found})), tuple(found))
        for place, found in by_place.items()
    ]
    return sorted(groups, key=lambda group: (-group.count, group.file, group.line))
