"""Which connections are out, who took them, and which of them outlived their response.

    tracker = ConnectionTracker()
    track_sqlalchemy(engine, tracker)
    app = watch(create_app(), tracker)

There is no lock in here. A connection may be checked in by a finalizer, which Python runs in the middle of anything,
and a worker may be forked in the middle of anything: a lock that is held then would stand still for ever. Each step is
one operation on a dict instead, which the interpreter does as a whole; the free-threaded build keeps that promise too.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
import weakref
from functools import partial
from typing import Any

from .places import Places
from .records import CheckOut, LeftBehind, RequestMark, Slot, current_request, grouped, tell

SCHEMA = "labkit.connections/1"
MOST_RECORDS = 10_000


class _Process:
    """What is known in one process; a child begins anew."""

    __slots__ = ("checked_out", "inherited", "not_recorded", "out")

    def __init__(self, inherited: int = 0) -> None:
        self.out: dict[int, Slot] = {}
        self.checked_out = 0
        self.not_recorded = 0
        self.inherited = inherited


class ConnectionTracker:
    """Counts connections out and in, for one app. Adapters tell it; it asks nobody.

    ``skip`` names packages of the app (as ``mycompany_db``) installed beside the libraries and to be passed over, as
    they are, when the line is looked for that took a connection.
    """

    def __init__(self, skip: tuple[str, ...] = ()) -> None:
        self._places = Places(skip)
        self._numbers = itertools.count(1)  # goes on in a child: what the parent numbered is never a child's
        self._requests = itertools.count(1)
        self._processes: dict[int, _Process] = {os.getpid(): _Process()}

    # ---- told by adapters --------------------------------------------------------------------------------

    def check_out(self, pool: str, owner: Any, connection: Any = None) -> Slot | None:
        """A connection was handed out. Keep what is returned where the check-in will find it.

        Both are held weakly. When ``owner`` is gone, nobody misses the connection and it is no longer told; whether
        ``connection`` is gone is told as ``object_gone``.
        """
        process = self._process()
        try:
            number = process.checked_out = next(self._numbers)
            out = process.out
            if len(out) < MOST_RECORDS:
                mark = current_request.get()
                place = self._places.of_caller()
                slot = Slot(out, number, pool, place, mark, time.monotonic(), threading.get_native_id())
                # Called with the dead reference, which is then what pop() answers if there is nothing to remove.
                slot.owner = weakref.ref(owner, partial(out.pop, number))
                if connection is not None:
                    slot.connection = weakref.ref(connection, partial(_gone, out, number))
                out[number] = slot
                return slot
        except Exception:  # the app is to have its connection, whatever befalls us
            pass
        process.not_recorded += 1
        return None

    @staticmethod
    def check_in(slot: Slot | None) -> None:
        """It came back. To say so twice does no harm, nor does a child that gives back what its parent took."""
        if slot is not None:
            slot.out.pop(slot.number, None)

    def begin_request(self, method: str, watched: bool = True) -> RequestMark:
        """A request begins; ``watched`` says whether its end will be seen."""
        return RequestMark(next(self._requests), method, watched)

    @staticmethod
    def end_request(mark: RequestMark) -> None:
        """Its response has been read to the end and closed, or given up."""
        if mark.ended_at is None:
            mark.ended_at = time.monotonic()

    # ---- asked by people and exporters ---------------------------------------------------------------------

    def out(self) -> list[CheckOut]:
        """All connections that are out now, oldest first."""
        return _told(self._process())

    def left_behind(self) -> list[LeftBehind]:
        """Those whose response has ended, by the line that took them; the largest group first."""
        return grouped(self.out())

    def as_dict(self) -> dict[str, Any]:
        """Everything, of one moment, in numbers and names that JSON can hold."""
        process = self._process()
        check_outs = _told(process)
        return {
            "schema": SCHEMA,
            "pid": os.getpid(),
            "checked_out_total": process.checked_out,
            "not_recorded_total": process.not_recorded,
            "inherited": process.inherited,
            "out": len(check_outs),
            "left_behind": sum(each.left_behind for each in check_outs),
            "oldest_age_s": check_outs[0].age_s if check_outs else 0.0,
            "check_outs": [each.as_dict() for each in check_outs],
            "left_behind_by_place": [group.as_dict() for group in grouped(check_outs)],
        }

    # ---- processes -------------------------------------------------------------------------------------------

    def _process(self) -> _Process:
        """The records of this process; after a fork they are empty, and say how many the parent had."""
        pid = os.getpid()
        process = self._processes.get(pid)
        if process is None:
            inherited = max((len(parent.out) for parent in list(self._processes.values())), default=0)
            process = self._processes.setdefault(pid, _Process(inherited))
            for other in list(self._processes):
                if other != pid:
                    self._processes.pop(other, None)
        return process


def _told(process: _Process) -> list[CheckOut]:
    """In the order of their numbers, which is that of their ages."""
    while True:
        try:
            slots = list(process.out.values())
            break
        except RuntimeError:  # a finalizer checked one in while they were copied: once more
            continue
    slots.sort(key=lambda slot: slot.number)
    now = time.monotonic()
    return [tell(slot, now) for slot in slots]


def _gone(out: dict[int, Slot], number: int, _reference: object) -> None:
    """A connection object was dropped. If it is still out, its place in the pool is lost with it."""
    slot = out.get(number)
    if slot is not None:
        slot.object_gone = True
