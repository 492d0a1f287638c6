"""One bar over all the work: in a notebook as a widget, in a terminal on standard error."""

from __future__ import annotations

import shutil
from types import TracebackType
from typing import Any

from tqdm.auto import tqdm as for_here

SNAPSHOT_WORK = 60
"""What a start or a snapshot counts for in the bar; a request counts for 1."""


# A subclass of our own, so that no thread of tqdm's runs beside the players.
_Bar: Any = type("_Bar", (for_here,), {"monitor_interval": 0})
_IN_NOTEBOOK = any(base.__module__ == "tqdm.notebook" for base in for_here.__mro__)


class Progress:
    """Says what is being done and how far it is; silent when not wanted, or when nobody looks on."""

    def __init__(self, total: int, *, show: bool) -> None:
        when_seen = False if _IN_NOTEBOOK else None  # None: only where standard error is a terminal
        hidden = when_seen if show else True
        options: dict[str, Any] = {
            "bar_format": "{desc:<28}{percentage:3.0f}% |{bar}| {elapsed}",
            "leave": False,
        }
        if not _IN_NOTEBOOK:  # a terminal that does not know its size would show nothing
            options |= {"ncols": min(100, shutil.get_terminal_size().columns), "nrows": 20}
        self._bar = _Bar(total=total, disable=hidden, **options)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._bar.close()

    def doing(self, what: str) -> None:
        """Say in plain words what comes now."""
        self._bar.set_description_str(what)

    def advance(self, work: int = SNAPSHOT_WORK) -> None:
        """So much more is done."""
        self._bar.update(work)
