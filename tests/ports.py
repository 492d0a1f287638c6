"""Ports for servers that cannot be given port 0: tests run side by side, and the kernel hands freed ones out again."""

from __future__ import annotations

import itertools
import os
import socket

#: Below those that the kernel gives to connections and to whoever asks for any port (ip_local_port_range).
FIRST, COUNT = 12_000, 18_000
_numbers = itertools.count(os.getpid() * 131)


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on now, and that no other test process is likely to choose."""
    while True:
        port = FIRST + next(_numbers) % COUNT
        with socket.socket() as listener:
            try:
                listener.bind((host, port))
            except OSError:
                continue
        return port
