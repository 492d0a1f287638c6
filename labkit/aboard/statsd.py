"""Readings for StatsD, in UDP packets.

Sending never waits and never raises: what cannot be sent at once is lost, and a host that is down costs nothing. A name
is looked up in a thread of its own; until it is known, nothing is sent.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from .readings import Reading
from .samples import counters_of, gauges_of

_PACKET_BYTES = 1400  # with headers, one frame of an ordinary network
_LOOK_UP_EVERY_S = 300.0


class StatsD:
    """Sends each reading: gauges as ``PREFIX.NAME.PID``, counts (shared by all workers) as ``PREFIX.NAME``."""

    def __init__(self, host: str, port: int = 8125, *, prefix: str = "labkit") -> None:
        self._host, self._port, self._prefix = host, port, prefix
        self._pid: int | None = None
        self._socket: socket.socket | None = None
        self._address: tuple[int, Any] | None = None
        self._looked_up_s = 0.0
        self._told: dict[tuple[str, str], float] = {}

    def send(self, reading: Reading) -> None:
        """Send one reading; counts are those since the last one."""
        with contextlib.suppress(OSError):
            self._begin_in_this_process()
            if self._address is not None:
                for packet in self._packets(reading):
                    self._send_packet(packet, *self._address)

    def close(self) -> None:
        """Give the socket back; a later reading opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _begin_in_this_process(self) -> None:
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._socket, self._told, self._looked_up_s = None, {}, 0.0
        if time.monotonic() - self._looked_up_s >= _LOOK_UP_EVERY_S or not self._looked_up_s:
            self._looked_up_s = time.monotonic()
            try:
                self._look_up(socket.AI_NUMERICHOST)
            except (OSError, UnicodeError):
                threading.Thread(target=self._look_up_quietly, name="labkit-statsd-name", daemon=True).start()

    def _look_up_quietly(self) -> None:
        with contextlib.suppress(OSError, UnicodeError):
            self._look_up(0)

    def _look_up(self, flags: int) -> None:
        found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM, flags=flags)
        self._address = (found[0][0], found[0][4])

    def _send_packet(self, packet: bytes, family: int, address: Any) -> None:
        if self._socket is None or self._socket.family != family:
            self._socket = socket.socket(family, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
        self._socket.sendto(packet, address)

    def _packets(self, reading: Reading) -> Iterator[bytes]:
        packet = b""
        for line in self._lines(reading):
            if packet and len(packet) + 1 + len(line) > _PACKET_BYTES:
                yield packet
                packet = b""
            packet = packet + b"\n" + line if packet else line
        if packet:
            yield packet

    def _lines(self, reading: Reading) -> Iterator[bytes]:
        for name, label, value in gauges_of(reading):
            if value is not None:
                yield f"{self._name(name, label)}.{reading.pid}:{value:.15g}|g".encode()
        for name, label, value in counters_of(reading):
            more = (value or 0) - self._told.get((name, label), 0)
            if more > 0:
                self._told[name, label] = value or 0
                yield f"{self._name(name, label)}:{more:.15g}|c".encode()

    def _name(self, name: str, label: str) -> str:
        words = [self._prefix, name.removeprefix("labkit_").removesuffix("_total"), *([label] if label else [])]
        return ".".join("".join(c if c.isalnum() or c in "_-." else "_" for c in word) for word in words)
