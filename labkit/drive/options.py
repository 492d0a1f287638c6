"""What can be chosen about a recording."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Any, Literal

from labkit.cases import Serve
from labkit.errors import CaptureError


@dataclass(frozen=True)
class RecordOptions:
    """How an app is served and measured; raises CaptureError when the choices contradict each other.

    ``port`` 0 is any free one. ``allow_statuses`` are answers that count as normal besides 2xx, 3xx
    and those the load expects. ``threads`` matters to ``gthread`` alone. ``tools`` record in a pass of their own,
    memray with the stacks of C code if ``native``. ``budget_s``: so long may the measuring take while its answer is
    open; what was asked for is played in any case. To see whether an answer stands is worth ``confirming_share`` of it.
    """

    python: str = sys.executable
    server: Literal["gunicorn", "uvicorn", "builtin"] = "gunicorn"
    worker_class: Literal["sync", "gthread"] = "sync"
    threads: int = 4
    workers: int = 1
    port: int = 0
    request_timeout_s: float = 10
    start_timeout_s: float = 20
    snapshot_deadline_s: float = 120
    allow_statuses: tuple[int, ...] = ()
    allocation_pass: bool = True
    allocation_frames: int = 16
    tools: tuple[str, ...] = ()
    native: bool = False
    budget_s: float = 0
    confirming_share: float = 0.7

    def __post_init__(self) -> None:
        if self.workers < 1 or self.threads < 1:
            raise CaptureError(
                "A server needs at least one worker and one thread.",
                seen=f"{self.workers} workers, {self.threads} threads",
                hint="--workers 1, or a larger number; the same for --threads",
            )
        if self.workers > 1 and self.server != "gunicorn":
            raise CaptureError(
                f"The {self.server} server is measured with one worker.",
                seen=f"{self.workers} workers asked for",
                hint="--workers 1, or --server gunicorn",
            )
        if not 0 <= self.budget_s < math.inf:
            raise CaptureError(f"{self.budget_s:g} seconds are no budget.", hint="--budget 60, or 0 for the load alone")
        if not 0 <= self.port <= 65535:
            raise CaptureError(f"{self.port} is no port.", hint="0 for any free one, or 1024 to 65535")

    @classmethod
    def for_serving(cls, serve: Serve, **more: Any) -> RecordOptions:
        """As a case wants to be served, with ``more`` chosen."""
        return cls(server=serve.server, worker_class=serve.worker_class, threads=serve.threads, **more)

    def server_facts(self) -> dict[str, str | int]:
        """How the app was served, for the manifest."""
        facts: dict[str, str | int] = {"server": self.server, "workers": self.workers}
        if self.server == "gunicorn":
            facts["worker_class"] = self.worker_class
            if self.worker_class == "gthread":
                facts["threads"] = self.threads
        return facts
