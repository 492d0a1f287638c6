"""The outside end of the agent's control socket: one JSON line out, one JSON line back."""

from __future__ import annotations

import json
import socket
from typing import Any


class AgentError(Exception):
    """The agent refused, failed, or did not answer; the text says which."""


class AgentClient:
    """Talks to the agent of one worker over its Unix socket."""

    def __init__(self, socket_path: str) -> None:
        self.socket_path = socket_path

    def ping(self) -> dict[str, Any]:
        """Return ``{"ok": True, "pid": ...}``; raise AgentError when nobody answers within 5 s."""
        return self._ask({"op": "ping"}, timeout_s=5)

    def snapshot(self, path: str, deadline_s: float = 60, *, with_values: bool = False) -> dict[str, Any]:
        """Have the worker write a heap snapshot to ``path``; return what it cost.

        Keys: ``pause_ms`` (the worker stood still), ``duration_s``, ``child_peak_bytes`` (private
        memory of the forked child), ``nodes``, ``edges``. Raises AgentError past the deadline. ``with_values``: the
        file holds the beginnings of texts and numbers, too.
        """
        message: dict[str, Any] = {"op": "snapshot", "path": path, "deadline_s": deadline_s}
        return self._ask(message | ({"values": True} if with_values else {}), timeout_s=deadline_s + 5)

    def trace_start(self, frames: int = 12) -> dict[str, Any]:
        """Switch tracemalloc on with ``frames`` frames per allocation."""
        return self._ask({"op": "trace_start", "frames": frames}, timeout_s=10)

    def opinion(self, tool: str, path: str, deadline_s: float = 60) -> dict[str, Any]:
        """Have ``tool`` (objgraph, guppy3, tracemalloc) look at the heap in a child and write JSON to ``path``."""
        message = {"op": "opinion", "tool": tool, "path": path, "deadline_s": deadline_s}
        return self._ask(message, timeout_s=deadline_s + 5)

    def record_start(self, tool: str, limit_s: float, **more: Any) -> dict[str, Any]:
        """Start memray (``path``, ``native``, ``small``) or tracemalloc (``frames``), for ``limit_s`` at most."""
        return self._ask({"op": "record_start", "tool": tool, "limit_s": limit_s, **more}, timeout_s=30)

    def record_end(self, tool: str) -> dict[str, Any]:
        """End it; raises AgentError when it had ended by itself."""
        return self._ask({"op": "record_end", "tool": tool}, timeout_s=60)

    def stats(self) -> dict[str, Any]:
        """Return allocator and collector counters of the worker."""
        return self._ask({"op": "stats"}, timeout_s=5)

    def _ask(self, message: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(timeout_s)
                connection.connect(self.socket_path)
                connection.sendall(json.dumps(message).encode() + b"\n")
                with connection.makefile("rb") as lines:
                    line = lines.readline()
        except TimeoutError:
            raise AgentError(f"no answer to {message['op']!r} within {timeout_s:g} s") from None
        except OSError as error:
            raise AgentError(f"{message['op']!r} got no answer: {error}") from None
        if not line:
            raise AgentError(f"the worker closed the connection during {message['op']!r}")
        answer: dict[str, Any] = json.loads(line)
        if not answer.get("ok"):
            raise AgentError(str(answer.get("error", "no reason given")))
        return answer
