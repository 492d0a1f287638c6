"""The agent's control socket: a private Unix socket, one JSON line in, one JSON line out.

A raw thread serves it, without ``threading.Thread``, so that the app's own view of its threads
stays as it was. One request is handled at a time. Callers of another uid are turned away.
"""

import _thread
import _tracemalloc
import gc
import json
import os
import select
import signal
import socket
import struct
import sys
import time

from . import compiled, opinions, place, recorders, snapshot

LOOK_AGAIN_MS = 30_000
SIGNAL_DEADLINE_S = 120
MAX_LINE = 65536
MAX_RECEIVED = 1 << 20


class Control:
    """The listening end of one process; ``keep``: bind again when the socket's file has been swept away."""

    def __init__(self, folder, *, keep=False):
        self.pid = os.getpid()
        self.folder = folder
        self.keep = keep
        self.path = os.path.join(folder, f"worker-{self.pid}.sock")
        self.note = os.path.join(folder, f"worker-{self.pid}.json")
        self.wake = None
        self.listener = self._bind()

    def put_away(self):
        """In a process that was forked from this one: let go of what is not its own."""
        recorders.put_away()
        self.listener.close()
        if self.wake is not None:
            self.wake.put_away()

    def serve(self):
        """Answer callers, one after the other, for as long as this process lives."""
        poll = select.poll()
        poll.register(self.listener, select.POLLIN)
        if self.wake is not None:
            poll.register(self.wake.read_end, select.POLLIN)
        while os.getpid() == self.pid:
            ready = [number for number, _ in poll.poll(self._patience_ms())]
            recorders.end_overdue()
            if self.wake is not None and self.wake.read_end in ready:
                self.wake.answer()
            if self.listener.fileno() in ready:
                self._answer()
            if self.keep and not ready and not (os.path.exists(self.path) and os.path.exists(self.note)):
                poll.unregister(self.listener)
                self._bind_again()
                poll.register(self.listener, select.POLLIN)

    def _patience_ms(self):
        if recorders.are_at_work():
            return recorders.LOOK_AGAIN_MS
        return LOOK_AGAIN_MS if self.keep else None

    def _bind(self):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            if self.keep:
                _remove(self.path)  # of a process that had this number before
            listener.bind(self.path)
            os.chmod(self.path, 0o600)  # nobody can connect before listen; the umask is the app's threads' too
            listener.listen(64)  # callers wait while a picture is taken
            self._say_so()
        except OSError as error:
            listener.close()
            raise OSError(error.errno, f"{self.path}: {error}") from None
        return listener

    def _say_so(self):
        release = "{}.{}.{}".format(*sys.version_info[:3])
        walker = "c" if compiled.is_loaded() else "python"
        facts = {"pid": self.pid, "socket": self.path, "python": release, "walker": walker}
        with open(self.note + ".tmp", "w", encoding="utf-8") as stream:
            json.dump(facts, stream)
        os.replace(self.note + ".tmp", self.note)

    def _bind_again(self):
        try:
            place.make_private(self.folder)
            listener = self._bind()
        except OSError:  # looked at again in a while
            return
        self.listener.close()
        self.listener = listener

    def _answer(self):
        try:
            connection, _ = self.listener.accept()
            with connection:
                connection.settimeout(10)
                _converse(connection)
        except Exception:  # a broken caller must not end the agent
            pass


class Wake:
    """A signal that has a snapshot written, for when the socket cannot be reached."""

    def __init__(self, signal_number, folder):
        self.folder = folder
        self.read_end, self.write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.taken = 0
        signal.signal(signal_number, self._on_signal)
        signal.siginterrupt(signal_number, False)  # calls of the app's C code go on

    def _on_signal(self, number, frame):
        try:
            os.write(self.write_end, b".")
        except OSError:
            pass

    def put_away(self):
        """In a forked process."""
        os.close(self.read_end)
        os.close(self.write_end)

    def answer(self):
        """Take the snapshot that was asked for; several signals meanwhile ask for one."""
        os.read(self.read_end, 4096)
        self.taken += 1
        try:
            snapshot.take(os.path.join(self.folder, f"signal-{os.getpid()}-{self.taken}.heap"), SIGNAL_DEADLINE_S)
        except Exception as error:
            os.write(2, f"labkit: no snapshot: {error}\n".encode("utf-8", "replace"))


def start(folder, *, keep=False, signal_number=0):
    """Serve this process's agent in ``folder`` and say so in ``worker-<pid>.json``; return the Control.

    With ``keep`` socket and note are made anew when they are swept away. ``signal_number``: see Wake.
    """
    control = Control(folder, keep=keep)
    if signal_number:
        control.wake = Wake(signal_number, folder)
    _thread.start_new_thread(control.serve, ())
    return control


def _remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _converse(connection):
    line = _read_line(connection)  # in any case: closing on unread words would throw away the answer too
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    if struct.unpack("3i", credentials)[1] not in (0, os.geteuid()):
        answer = {"ok": False, "error": "caller has another uid"}
    elif _has_gone(connection):  # it waited for another's snapshot and gave up: nobody wants this one
        return
    else:
        answer = _handle(line, connection)
    # a caller that hung up must not raise SIGPIPE, which the app may have set to kill
    connection.sendall(json.dumps(answer).encode() + b"\n", socket.MSG_NOSIGNAL)


def _has_gone(connection):
    poll = select.poll()
    poll.register(connection, 0)
    return bool(poll.poll(0))


def _read_line(connection):
    """The caller's line, or a part of it that is no JSON when the caller sends far too much."""
    line = part = connection.recv(4096)
    received = len(line)
    while part and not part.endswith(b"\n") and received < MAX_RECEIVED:
        part = connection.recv(4096)
        received += len(part)
        if received <= MAX_LINE:
            line += part
    return line


def _handle(line, connection):
    try:
        message = json.loads(line)
        return {"ok": True, **OPERATIONS[message["op"]](message, connection)}
    except Exception as error:
        return {"ok": False, "error": f"{type(error).__name__}: {error}"}


def _ping(message, connection):
    return {"pid": os.getpid()}


def _snapshot(message, connection):
    with_values = message.get("values") is True
    return snapshot.take(message["path"], float(message.get("deadline_s", 60)), connection, with_values)


def _trace_start(message, connection):
    _tracemalloc.start(int(message.get("frames", 12)))
    return {}


def _opinion(message, connection):
    if message["tool"] not in opinions.TOOLS:
        raise ValueError(f"this agent knows no tool {message['tool']!r}")
    return snapshot.take_opinion(message["tool"], message["path"], float(message.get("deadline_s", 60)), connection)


def _record_start(message, connection):
    began = time.perf_counter()
    limit_s, version = float(message["limit_s"]), ""
    if message["tool"] == "memray":
        how = {"native": bool(message.get("native")), "small": bool(message.get("small"))}
        version = recorders.start_memray(message["path"], limit_s, **how)
    elif message["tool"] == "tracemalloc":
        recorders.start_tracemalloc(int(message.get("frames", 12)), limit_s)
    else:
        raise ValueError(f"this agent knows no recorder {message['tool']!r}")
    return {"version": version, "took_ms": (time.perf_counter() - began) * 1000}


def _record_end(message, connection):
    began = time.perf_counter()
    recorders.end(message["tool"])
    return {"took_ms": (time.perf_counter() - began) * 1000}


def _stats(message, connection):
    return {"allocated_blocks": sys.getallocatedblocks(), "gc_counts": list(gc.get_count())}


OPERATIONS = {
    "ping": _ping,
    "snapshot": _snapshot,
    "trace_start": _trace_start,
    "stats": _stats,
    "opinion": _opinion,
    "record_start": _record_start,
    "record_end": _record_end,
}
