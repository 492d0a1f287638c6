"""Fork without the app or its libraries noticing: no handler of theirs runs, no warning, no audit event.

``os.fork`` calls what the app, its libraries and the standard library gave to ``os.register_at_fork``:
the app's code would run in the child, and in the worker too. Since 3.12 it also warns when there are
threads, which ends in the app's log or, with ``-W error``, in an exception. So the hooks are put
aside for the time of the call, and the steps of ``os.fork`` are taken one by one.

C's ``fork`` in turn calls what libraries gave to ``pthread_atfork``, in the worker, before anything else.
OpenBLAS waits there for its threads to end and has been seen to wait for ever. So the child is made by
``_Fork`` (POSIX.1-2024; glibc since 2.34, musl since 1.2.2), which calls nobody, or by the bare system
call in an older C library. What ``fork`` does besides is to take the locks of ``malloc`` first: without
that a thread that was in ``malloc`` at that moment, and is gone in the child, can leave a lock behind that
the child waits for. Such a child is ended at the deadline; the worker is never waited for.
"""

import _imp
import ctypes
import gc
import os
import signal
import time
from collections import deque
from functools import partial
from itertools import chain, repeat
from operator import call

RLIMIT_CORE = 4
PR_SET_PDEATHSIG = 1
CLONE = {"x86_64": 56, "aarch64": 220}  # the number of the system call clone, by machine

_interpreter = ctypes.PyDLL(None, use_errno=True)
_before = _interpreter.PyOS_BeforeFork
_in_child, _in_parent = _interpreter.PyOS_AfterFork_Child, _interpreter.PyOS_AfterFork_Parent


def _bare_fork(library, machine):
    """The function that makes a child and calls no handler; None where there is none."""
    if hasattr(library, "_Fork"):
        return library._Fork
    if machine not in CLONE:
        return None
    system_call = library.syscall
    system_call.restype = ctypes.c_long
    system_call.argtypes = [ctypes.c_long] * 6
    return partial(system_call, CLONE[machine], int(signal.SIGCHLD), 0, 0, 0, 0)


_walking: list[bool] = []
_prctl = _interpreter.prctl
_set_limit = _interpreter.setrlimit
_fork = _bare_fork(_interpreter, os.uname().machine)


def fork():
    """Like ``os.fork``. Raises OSError when the kernel refuses, RuntimeError where no bare fork is known, or when
    another thread holds the import lock for a second.

    All steps are taken within one call into C: between two bytecodes another thread could ask for the
    interpreter's lock, and in the child this thread would wait for ever for a thread that is gone.
    """
    if _fork is None:
        raise RuntimeError(f"the C library has no _Fork, and its clone on {os.uname().machine} is not known")
    _wait_for_imports()
    pids = []
    _walking.append(True)
    lists = hook_lists()
    put_aside = [hooks.clear for hooks in lists]
    put_back = [partial(hooks.extend, list(hooks)) for hooks in lists]
    forking = map(pids.append, map(call, (_fork,)))
    finishing = map(call, map({0: _in_child}.get, pids, repeat(_in_parent)))
    deque(chain(map(call, [*put_aside, _before]), forking, finishing, map(call, put_back)), maxlen=0)
    if pids[0] != 0:
        _walking.clear()
    if pids[0] < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return pids[0]


def _wait_for_imports():
    """The interpreter takes the lock of all imports before a fork, and waits for it; with our hooks put aside."""
    for _ in range(100):
        if not _imp.lock_held():
            return
        time.sleep(0.01)
    raise RuntimeError("another thread holds the import lock; a fork would wait for it")


def is_walking():
    """Whether this process is a child that takes a picture: where hooks could not be put aside, they ask."""
    return bool(_walking)


def end_with_worker(worker):
    """Have the kernel end this child when the worker ends: else its file would be left behind (prctl(2))."""
    _prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != worker:
        os._exit(0)


def leave_no_core_file():
    """Have the kernel write nothing about this process should it crash: a core file holds every value."""
    _set_limit(RLIMIT_CORE, bytes(16))  # two words: the limit, and the limit's limit


def _find_hooks():
    """The interpreter's own three lists of fork hooks, found by putting a mark at the end of each."""

    def before():
        """Do nothing."""

    def in_child():
        """Do nothing."""

    def in_parent():
        """Do nothing."""

    os.register_at_fork(before=before, after_in_child=in_child, after_in_parent=in_parent)
    found = []
    for mark in (before, in_child, in_parent):
        for holder in gc.get_referrers(mark):
            if type(holder) is list and holder and holder[-1] is mark:
                holder.pop()
                found.append(id(holder))
                break
    return found


#: Where they are. A reference to them would make what they hold look like the agent's own. They are there for as long
#: as the interpreter is; one is missing when the app froze its heap before the agent came: then its hooks run.
_HOOKS = _find_hooks()


def hook_lists():
    """The interpreter's lists of what was given to ``os.register_at_fork``, which no other Python object refers to."""
    return [ctypes.cast(address, ctypes.py_object).value for address in _HOOKS]
