"""One player's connection: kept alive, opened again when the server closed it."""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import time
from dataclasses import dataclass
from typing import Any

from labkit.drive.visits import Request

_START_OF_BODY = 200


@dataclass(frozen=True)
class Answer:
    """A complete answer: status, the first bytes of its body, and how long it took."""

    status: int
    body_start: bytes
    duration_s: float


class _UnbrokenLines(io.BufferedReader):
    """Where http.client takes the end of the stream for the end of the headers, this raises."""

    def readline(self, size: int | None = -1) -> bytes:
        line = super().readline(size)
        if not line:
            raise http.client.IncompleteRead(b"")
        return line


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *more: Any, **options: Any) -> None:
        super().__init__(sock, *more, **options)
        self.fp = _UnbrokenLines(self.fp.detach())


class Connection:
    """A keep-alive HTTP connection; one request at a time."""

    def __init__(self, address: tuple[str, int], timeout_s: float) -> None:
        self._http = http.client.HTTPConnection(*address, timeout=timeout_s)
        self._http.response_class = _Response
        self._timeout_s = timeout_s
        self._socket: socket.socket | None = None

    def ask(self, request: Request) -> Answer | None:
        """Return the complete answer, or None when there is none: the request is lost.

        Raises TimeoutError when the whole answer is not there in time. A request on a connection
        that the server had closed meanwhile is sent once more, on a new one, if not a byte came back.
        """
        start = time.monotonic()
        deadline = start + self._timeout_s
        try:
            used_before = self._http.sock is not None
            begun = self._send(request, deadline)
            if not begun and used_before:
                self.close()
                begun = self._send(request, deadline)
            if not begun:
                self.close()
                return None
            status, body_start = self._read(deadline)
        except TimeoutError:
            self.close()
            raise
        except (OSError, http.client.HTTPException):
            self.close()
            return None
        return Answer(status, body_start, time.monotonic() - start)

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        self._http.close()
        self._socket = None

    def abort(self) -> None:
        """From another thread: make the request in flight fail at once."""
        if (current := self._socket) is not None:
            with contextlib.suppress(OSError):
                current.shutdown(socket.SHUT_RDWR)

    def _send(self, request: Request, deadline: float) -> bool:
        """Send, and wait for the answer's first byte; False when the connection ends before it."""
        try:
            if self._http.sock is None:
                self._http.connect()
            current = self._socket = self._http.sock
            current.settimeout(_left(deadline))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # an early answer may still be there
                self._http.request(request.method, request.path, request.body, request.headers)
            return bool(current.recv(1, socket.MSG_PEEK))
        except TimeoutError:
            raise
        except OSError:
            return False

    def _read(self, deadline: float) -> tuple[int, bytes]:
        response = self._http.getresponse()
        assert self._socket is not None
        start = b""
        try:
            while chunk := response.read1(65536):
                start += chunk[: _START_OF_BODY - len(start)]
                left = _left(deadline)
                with contextlib.suppress(OSError):  # closed already: what is left is in the buffer
                    self._socket.settimeout(left)
            if response.length:
                raise http.client.IncompleteRead(start, response.length)
        finally:
            response.close()
        return response.status, start


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
