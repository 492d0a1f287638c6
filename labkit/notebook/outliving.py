"""Small services of the lessons, asked and photographed; each runs in a process of its own, and ends with its cell."""

from __future__ import annotations

from collections import Counter

import pandas as pd
from IPython.display import HTML

from labkit.course.service import served
from labkit.drive.replies import Reply
from labkit.explore import Heap, Nodes
from labkit.notebook.running import scratch
from labkit.views.lesson_table import NO, YES, lesson_table

TIMES = 20


def heap_after(app: str, *requests: str) -> Heap:
    """The heap of a service after it answered ``requests``, one after the other."""
    with served(app, scratch()) as service:
        for request in requests:
            service.ask(request)
        return service.heap()


def alive_after(app: str, *requests: str, type: str, times: int = TIMES) -> HTML:  # noqa: A002
    """How many more objects of ``type`` live after each of ``requests`` was made ``times`` times, and who holds them.

    What the first of the answers said stands beside it. ``{i}`` in a request counts.
    """
    return _shown(counted_alive(app, *requests, type=type, times=times), times)


def answers(app: str, *requests: str) -> HTML:
    """What a service answers, request by request: the status and the keys of the JSON object."""
    with served(app, scratch()) as service:
        said = [service.ask(request) for request in requests]
    return _shown(_table(requests, [{"status": answer.words, **_said(answer)} for answer in said]))


def what_ran(app: str, *requests: str) -> HTML:
    """For each request its status, and what the service says of it when it is asked for ``GET /ran`` after it."""
    return _shown(told_after(app, *requests))


def counted_alive(app: str, *requests: str, type: str, times: int = TIMES) -> pd.DataFrame:  # noqa: A002
    """``alive_after`` as data."""
    rows = []
    with served(app, scratch()) as service:
        before = _holders(service.heap().select(type))
        for request in requests:
            answer, *_ = [service.ask(request.replace("{i}", str(number))) for number in range(times)]
            after = _holders(service.heap().select(type))
            new = after - before
            holder = max(new, key=lambda name: new[name]) if new else NO
            rows.append({f"more after {times}": after.total() - before.total(), "held by": holder, **_said(answer)})
            before = after
    return _table(requests, rows, type)


def told_after(app: str, *requests: str) -> pd.DataFrame:
    """``what_ran`` as data."""
    with served(app, scratch()) as service:
        said = [(service.ask(request), service.ask("GET /ran")) for request in requests]
    return _table(requests, [{"status": answer.words, **_said(ran)} for answer, ran in said])


def _holders(there: Nodes) -> Counter[str]:
    """By which names they are held, and how many each."""
    return Counter(node.holder for node in there)


def _said(answer: Reply) -> dict[str, object]:
    """The keys of a JSON object, with yes and no for true and false; nothing of another answer."""
    words = {True: YES, False: NO}
    told = answer.told if isinstance(answer.told, dict) else {}
    return {key: words[value] if isinstance(value, bool) else value for key, value in told.items()}


def _table(requests: tuple[str, ...], rows: list[dict[str, object]], title: str = "request") -> pd.DataFrame:
    """A column for whatever was said of one of them, empty for the others."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[row.get(column, "") for column in columns] for row in rows]
    return pd.DataFrame(cells, index=pd.Index(requests, name=title), columns=columns, dtype=object)


def _shown(table: pd.DataFrame, many: int = 0) -> HTML:
    rows = table.to_numpy().tolist()
    return HTML(lesson_table(str(table.index.name), list(map(str, table.columns)), list(table.index), rows, many))
