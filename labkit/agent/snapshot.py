"""Take a heap snapshot: fork, let the child walk and write, wait for it.

Forking belongs to the walker: another walker may make its child in another way. This one uses
``os.fork`` from a helper thread, whose traps are these (CPython 3.11 to 3.13):

* In the child the interpreter frees the stacks and the thread-local storage of all other threads
  before any Python runs. So frames and their locals are recorded before the fork, and whatever other
  threads keep in ``threading.local`` is held meanwhile: no finalizer may run in the child.
* The child shares sockets with the worker. It closes every descriptor first and leaves by ``os._exit``.
* Up to 3.12 reading ``f_locals`` leaves a copy of the locals in the frame, which would keep them alive
  in the worker. That copy is emptied before the fork.
"""

import gc
import json
import os
import select
import signal
import time

from . import threads


def take(path, deadline_s):
    """Write a snapshot of this process to ``path``; return what it cost.

    The file appears under its final name complete or not at all. Raises RuntimeError with the child's
    own words when it failed, and TimeoutError past ``deadline_s``.
    """
    started = time.perf_counter()
    partial = path + ".partial"
    read_end, write_end = os.pipe()
    paused = time.perf_counter()
    held = threads.held_by_other_threads()
    stacks = threads.record_stacks()
    pid = os.fork()
    if pid == 0:
        _child(partial, stacks, write_end, deadline_s)
    pause_ms = (time.perf_counter() - paused) * 1000
    del held, stacks
    os.close(write_end)
    try:
        said = _listen(read_end, started + deadline_s)
        if said is None:
            os.kill(pid, signal.SIGKILL)
            raise TimeoutError(f"the walk took longer than {deadline_s:g} s and was ended")
    finally:
        os.close(read_end)
        _reap(pid)
        finished = path if _finish(partial, path) else None
    result = json.loads(said) if said else {"error": "the child ended without a word"}
    if "error" in result or finished is None:
        raise RuntimeError(result.get("error", "the child wrote no file"))
    result["pause_ms"] = pause_ms
    result["duration_s"] = time.perf_counter() - started
    return result


def _listen(read_end, deadline):
    """Read until the child closes its end; None past the deadline."""
    said = b""
    poll = select.poll()
    poll.register(read_end, select.POLLIN)
    while True:
        left_ms = (deadline - time.perf_counter()) * 1000
        if left_ms <= 0 or not poll.poll(left_ms):
            return None
        part = os.read(read_end, 65536)
        if not part:
            return said
        said += part


def _reap(pid):
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:  # the app reaps every child itself
        pass


def _finish(partial, path):
    """The child marks a complete file by renaming it to ``.done``; anything else is removed."""
    try:
        os.replace(partial + ".done", path)
    except OSError:
        for leftover in (partial, partial + ".done"):
            if os.path.exists(leftover):
                os.unlink(leftover)
        return False
    return True


def _child(partial, stacks, write_end, deadline_s):
    """Everything the forked child does; never returns."""
    try:
        handlers = _isolate(write_end, deadline_s)
        result = _walk_and_write(partial, stacks, handlers)
        os.replace(partial, partial + ".done")
    except BaseException as error:
        result = {"error": f"{type(error).__name__}: {error}"}
    try:
        os.write(write_end, json.dumps(result).encode())
    finally:
        os._exit(0)


def _isolate(write_end, deadline_s):
    """Cut the child off from everything it shares with the worker; return the handlers it displaced.

    The displaced handlers must be kept: in the worker the signal table holds them.
    """
    gc.disable()
    os.closerange(0, write_end)
    limit = max(int(name) for name in os.listdir("/proc/self/fd")) + 1
    os.closerange(write_end + 1, limit)
    if write_end > 2:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)
        os.dup2(null, 2)
    displaced = [signal.set_wakeup_fd(-1)]
    displaced += [signal.signal(number, signal.SIG_DFL) for number in (1, 2, 3, 6, 10, 12, 14, 15, 17)]
    signal.alarm(int(deadline_s) + 1)
    try:
        os.nice(5)
        with open("/proc/self/oom_score_adj", "w") as stream:  # better this child than the worker
            stream.write("1000")
    except OSError:
        pass
    return displaced


def _walk_and_write(partial, stacks, handlers):
    from . import walk

    result = walk.walk(stacks, handlers)
    peak = _private_bytes()
    from . import write  # only now: what it imports must not be part of the picture

    write.write(partial, result)
    return {
        "nodes": len(result.columns["node_address"]),
        "edges": len(result.columns["edge_target"]),
        "child_peak_bytes": max(peak, _private_bytes()),
    }


def _private_bytes():
    """Private memory of this process, from the kernel's maps; 0 where they cannot be read."""
    total = 0
    try:
        with open("/proc/self/smaps_rollup") as stream:
            for line in stream:
                if line.startswith("Private_"):
                    total += int(line.split()[1]) * 1024
    except OSError:
        pass
    return total
