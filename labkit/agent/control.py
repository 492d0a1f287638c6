"""The agent's control socket: a private Unix socket, one JSON line in, one JSON line out.

A raw thread serves it, without ``threading.Thread``, so that the app's own view of its threads
stays as it was. One request is handled at a time. Callers of another uid are turned away.
"""

import _thread
import _tracemalloc
import gc
import json
import os
import socket
import struct
import sys

from . import snapshot

MAX_LINE = 65536
MAX_RECEIVED = 1 << 20


def start(folder):
    """Serve this process's agent in ``folder`` and say so in ``worker-<pid>.json``."""
    pid = os.getpid()
    path = os.path.join(folder, f"worker-{pid}.sock")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    os.chmod(path, 0o600)  # nobody can connect before listen; the umask belongs to the app's threads too
    listener.listen(64)  # callers wait while a picture is taken
    _thread.start_new_thread(_serve, (listener, pid))
    facts = {"pid": pid, "socket": path, "python": "{}.{}.{}".format(*sys.version_info[:3])}
    note = os.path.join(folder, f"worker-{pid}.json")
    with open(note + ".tmp", "w", encoding="utf-8") as stream:
        json.dump(facts, stream)
    os.replace(note + ".tmp", note)


def _serve(listener, pid):
    while os.getpid() == pid:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        try:
            with connection:
                connection.settimeout(10)
                _converse(connection)
        except Exception:  # a broken caller must not end the agent
            pass


def _converse(connection):
    line = _read_line(connection)  # in any case: closing on unread words would throw away the answer too
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    if struct.unpack("3i", credentials)[1] not in (0, os.getuid()):
        answer = {"ok": False, "error": "caller has another uid"}
    else:
        answer = _handle(line)
    # a caller that hung up must not raise SIGPIPE, which the app may have set to kill
    connection.sendall(json.dumps(answer).encode() + b"\n", socket.MSG_NOSIGNAL)


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


def _handle(line):
    try:
        message = json.loads(line)
        return {"ok": True, **OPERATIONS[message["op"]](message)}
    except Exception as error:
        return {"ok": False, "error": f"{type(error).__name__}: {error}"}


def _ping(message):
    return {"pid": os.getpid()}


def _snapshot(message):
    return snapshot.take(message["path"], float(message.get("deadline_s", 60)))


def _trace_start(message):
    _tracemalloc.start(int(message.get("frames", 12)))
    return {}


def _stats(message):
    return {"allocated_blocks": sys.getallocatedblocks(), "gc_counts": list(gc.get_count())}


OPERATIONS = {"ping": _ping, "snapshot": _snapshot, "trace_start": _trace_start, "stats": _stats}
