"""One request and what became of it: the status, how much of the body came, and whether it came to its end."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import struct
from dataclasses import dataclass
from typing import Any

_CHUNK = 65536
_JSON = {"Content-Type": "application/json"}
_CLOSE = {"Connection": "close"}  # a server that waits for more on it keeps a timer, and with it what the timer needs


@dataclass(frozen=True)
class Reply:
    """What came back. ``status`` is 0 when nothing did; ``whole`` is false when the body ended before its end."""

    status: int
    body_bytes: int = 0
    body_start: bytes = b""
    whole: bool = True
    left: bool = False

    @property
    def words(self) -> str:
        """``200``, ``200 cut off``, ``200 left`` (by us), ``no answer``."""
        if not self.status:
            return "no answer"
        return f"{self.status}{' left' if self.left else '' if self.whole else ' cut off'}"

    @property
    def told(self) -> Any:
        """The body as JSON, or as text."""
        try:
            return json.loads(self.body_start)
        except ValueError:
            return self.body_start.decode(errors="replace")


def ask(
    address: tuple[str, int],
    request: str,
    body: bytes | None = None,
    *,
    timeout_s: float = 20,
    leave_after: int | None = None,
) -> Reply:
    """Send ``"GET /path"`` on a connection of its own and read the answer.

    With ``leave_after`` it goes away, as a client does that was killed, once so many bytes of the body have come.
    """
    method, _, path = request.partition(" ")
    connection = http.client.HTTPConnection(*address, timeout=timeout_s)
    status, count, start = 0, 0, b""
    try:
        connection.request(method, path, body, _CLOSE | (_JSON if _is_json(body) else {}))
        answer = connection.getresponse()
        status = answer.status
        while chunk := answer.read1(_CHUNK):
            count += len(chunk)
            start += chunk[: _CHUNK - len(start)]
            if leave_after is not None and count >= leave_after:
                return Reply(status, count, start, whole=False, left=_reset(connection))
        return Reply(status, count, start, whole=not answer.length)
    except (OSError, http.client.HTTPException):
        return Reply(status, count, start, whole=False)
    finally:
        connection.close()


def _reset(connection: http.client.HTTPConnection) -> bool:
    """Have the next close end the connection at once: what the server writes after that fails."""
    if connection.sock is not None:
        with contextlib.suppress(OSError):
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return True


def _is_json(body: bytes | None) -> bool:
    try:
        json.loads(body or b"")
    except ValueError:
        return False
    return True
