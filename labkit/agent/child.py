"""What the forked child does: cut itself off from the worker, walk, write, leave."""

import _signal  # type: ignore[import-not-found]  # plain numbers, where signal makes enum members
import gc
import json
import os

from . import walk, write
from .fork import end_with_worker, leave_no_core_file

DEFAULTED_SIGNALS = (1, 2, 3, 6, 10, 12, 14, 15, 17)  # HUP INT QUIT ABRT USR1 USR2 ALRM TERM CHLD
_open = open  # as it was before the app was loaded


def run(work, write_end, deadline_s, worker):
    """Do ``work(handlers)`` cut off from the worker and say one JSON line on ``write_end``; never returns.

    ``handlers`` are the signal handlers displaced. What ``work`` returns is told; it leaves its file by itself.
    """
    try:
        end_with_worker(worker)
        result = work(_cut_off(write_end, deadline_s))
    except BaseException as error:
        result = {"error": f"{type(error).__name__}: {error}"}
    try:
        os.write(write_end, json.dumps(result).encode() + b"\n")
    finally:
        os._exit(0)


def _cut_off(write_end, deadline_s):
    """Let go of everything shared with the worker; return the signal handlers displaced."""
    gc.disable()
    leave_no_core_file()
    os.closerange(0, write_end)
    limit = max(int(name) for name in os.listdir("/proc/self/fd")) + 1
    os.closerange(write_end + 1, limit)
    if write_end > 2:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)
        os.dup2(null, 2)
    _signal.set_wakeup_fd(-1)
    displaced = [_signal.signal(number, _signal.SIG_DFL) for number in DEFAULTED_SIGNALS]
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())  # a blocked alarm would never ring
    _signal.alarm(int(deadline_s) + 1)
    try:
        os.nice(5)
        with _open("/proc/self/oom_score_adj", "w") as stream:  # better this child than the worker
            stream.write("1000")
    except OSError:
        pass
    return displaced


def walk_and_write(partial, stacks, collects, with_values, handlers):
    """Leave a snapshot in ``partial``; return its counts."""
    # The interpreter has dropped its own references to these; in the walk they stand in for them.
    stand_ins = handlers + [held for stack in stacks for held in stack.held]
    result = walk.walk(stacks, stand_ins, with_values)
    result.facts["gc_enabled"] = collects
    peak = private_bytes()
    write.write(partial, result)
    return {
        "nodes": len(result.columns["node_address"]),
        "edges": len(result.columns["edge_target"]),
        "child_peak_bytes": max(peak, private_bytes()),
    }


def private_bytes():
    """Private memory of this process, from the kernel's maps; 0 where they cannot be read."""
    total = 0
    try:
        with _open("/proc/self/smaps_rollup") as stream:
            for line in stream:
                if line.startswith("Private_"):
                    total += int(line.split()[1]) * 1024
    except OSError:
        pass
    return total
