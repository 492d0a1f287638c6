"""Take a heap snapshot: fork, let the child walk and write, wait for it.

Forking belongs to the walker: another walker may make its child in another way. This one forks from a
helper thread, whose traps are these (CPython 3.11 to 3.13):

* In the child the interpreter drops the thread states and stacks of all other threads. So frames and
  their locals are recorded before the fork, and whatever a thread state holds (context, thread-local
  storage, the exception being handled) is held meanwhile: no finalizer may run in the child.
* The collector must run on neither side between the recording and the child's end of it.
* The child shares sockets with the worker. It closes every descriptor first and leaves by ``os._exit``.
* What the child needs is imported here, before: an import in the child would run the app's import hooks.
"""

import _tracemalloc
import gc
import json
import os
import select
import signal
import sys
import time
from functools import partial as bound

from . import child, compiled, memory, opinions, recorders, room, threads
from .fork import fork

_SIGNAL_NAMES = {
    int(getattr(signal, name)): name
    for name in ("SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL", "SIGFPE", "SIGKILL", "SIGALRM", "SIGSYS", "SIGTERM")
}


def take(path, deadline_s, caller=None, with_values=False):
    """Write a snapshot of this process to ``path``; return what it cost.

    ``with_values``: with the beginnings of texts and numbers, which the plain walker alone can tell.

    The file appears under its final name complete or not at all. Raises RuntimeError with the child's
    own words, or the signal that ended it, when it failed, and TimeoutError past ``deadline_s``. When
    ``caller``, a connected socket, is closed at the other end, the child is ended and ConnectionAbortedError raised.
    """
    started = time.perf_counter()
    if with_values:
        return _take(path, started, deadline_s, bound(_start_forked, with_values=True), gc.isenabled(), caller)
    if not compiled.is_loaded() or _tracemalloc.is_tracing():
        return _take(path, started, deadline_s, _start_forked, gc.isenabled(), caller)
    try:
        return _take(path, started, deadline_s, _start_compiled, compiled.prepare(), caller)
    except RuntimeError as error:  # whatever went wrong in that child, the other walker may still get through
        before = str(error)
    try:
        return _take(path, started, deadline_s, _start_forked, gc.isenabled(), caller)
    except RuntimeError as error:
        raise RuntimeError(f"{error}; the compiled walker before it: {before}") from None


def take_opinion(tool, path, deadline_s, caller=None):
    """Have another tool, one of ``opinions.TOOLS``, look at this process's heap in a child; otherwise as ``take``."""
    return _take(path, time.perf_counter(), deadline_s, _start_opinion, opinions.TOOLS[tool], caller)


def _take(path, started, deadline_s, start, prepared, caller=None):
    began = time.perf_counter()
    partial = path + ".partial"
    pid, read_end = _start_child(partial, deadline_s, start, prepared)
    pause_ms = (time.perf_counter() - began) * 1000
    try:
        result = _result_of(pid, read_end, started + deadline_s, deadline_s, caller)
        os.replace(partial, path)
    except BaseException:
        if os.path.exists(partial):
            os.unlink(partial)
        raise
    result["pause_ms"] = pause_ms
    result["duration_s"] = time.perf_counter() - started
    return result


def _result_of(pid, read_end, deadline, deadline_s, caller):
    """What the child said it did; afterwards it is gone, one way or the other."""
    said = signal_number = None
    try:
        said = _listen(read_end, deadline, caller)
    finally:
        os.close(read_end)
        signal_number = _end(pid)
    if said is None:
        raise TimeoutError(f"the walk took longer than {deadline_s:g} s and was ended")
    result = json.loads(said) if said.endswith(b"\n") else {"error": _how_it_ended(signal_number)}
    if "error" in result:
        raise RuntimeError(result["error"])
    return result


def _start_child(partial, deadline_s, start, prepared):
    """Return the child's pid and the end of the pipe on which it will say one line."""
    if not memory.IS_KNOWN:
        raise RuntimeError(f"{sys.version.split()[0]} lays out objects in a way this agent does not know")
    read_end, write_end = os.pipe()
    collecting = gc.isenabled()
    gc.disable()
    try:
        pid = start(partial, write_end, deadline_s, prepared)
    except BaseException:
        os.close(read_end)
        raise
    finally:
        if collecting:
            gc.enable()
        os.close(write_end)
    return pid, read_end


def _start_forked(partial, write_end, deadline_s, collects, with_values=False):
    work = bound(child.walk_and_write, partial, threads.record_stacks(), collects, with_values)
    return _fork_and_do(work, write_end, deadline_s)


def _start_opinion(partial, write_end, deadline_s, look):
    return _fork_and_do(bound(opinions.write_opinion, look, partial), write_end, deadline_s)


def _fork_and_do(work, write_end, deadline_s):
    room.require_room(room.PLAIN)
    recorders.require_no_memray()
    worker = os.getpid()
    pid = fork()
    if pid == 0:
        child.run(work, write_end, deadline_s, worker)
    return pid


def _start_compiled(partial, write_end, deadline_s, prepared):
    return compiled.start(partial, write_end, deadline_s, prepared)


def _listen(read_end, deadline, caller):
    """The child's line; None past the deadline, empty when the child ended without one.

    The line's end counts, not the pipe's: a child that the app forks meanwhile holds the pipe open.
    """
    said = b""
    poll = select.poll()
    poll.register(read_end, select.POLLIN)
    if caller is not None:
        poll.register(caller, 0)  # its hanging up is told all the same
    while not said.endswith(b"\n"):
        left_ms = (deadline - time.perf_counter()) * 1000
        ready = poll.poll(left_ms) if left_ms > 0 else []
        if not ready:
            return None
        if read_end not in dict(ready):
            raise ConnectionAbortedError("whoever asked for the snapshot has gone")
        part = os.read(read_end, 65536)
        if not part:
            return said
        said += part
    return said


def _end(pid):
    """The child has said all it had to say, or is too late: either way it goes now.

    Returns the signal that ended it, 0 when none did or nobody can tell; one it died of stays, SIGKILL or not.
    """
    try:
        os.kill(pid, signal.SIGKILL)
        return os.WTERMSIG(os.waitpid(pid, 0)[1])
    except (ProcessLookupError, ChildProcessError):  # the app reaps every child itself
        return 0


def _how_it_ended(number):
    if not number:
        return "the child ended without a word"
    name = _SIGNAL_NAMES.get(number, "")
    why = "; the kernel may be short of memory" if number == signal.SIGKILL else ""
    return f"the child was ended by signal {number}{name and f' ({name})'} while it walked{why}"
