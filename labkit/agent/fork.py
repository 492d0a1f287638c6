"""Fork without the app noticing: none of its fork hooks runs, no warning, no audit event.

``os.fork`` calls what the app, its libraries and the standard library gave to ``os.register_at_fork``:
the app's code would run in the child, and in the worker too. Since 3.12 it also warns when there are
threads, which ends in the app's log or, with ``-W error``, in an exception. So the hooks are put
aside for the time of the call, and the steps of ``os.fork`` are taken one by one.
"""

import ctypes
import gc
import os
from collections import deque
from functools import partial
from itertools import chain, repeat
from operator import call

_interpreter = ctypes.PyDLL(None, use_errno=True)
_before, _fork = _interpreter.PyOS_BeforeFork, _interpreter.fork
_in_child, _in_parent = _interpreter.PyOS_AfterFork_Child, _interpreter.PyOS_AfterFork_Parent


def fork():
    """Like ``os.fork``. Raises OSError when the kernel refuses.

    All steps are taken within one call into C: between two bytecodes another thread could ask for the
    interpreter's lock, and in the child this thread would wait for ever for a thread that is gone.
    """
    pids = []
    put_aside = [hooks.clear for hooks in HOOKS]
    put_back = [partial(hooks.extend, list(hooks)) for hooks in HOOKS]
    forking = map(pids.append, map(call, (_fork,)))
    finishing = map(call, map({0: _in_child}.get, pids, repeat(_in_parent)))
    deque(chain(map(call, [*put_aside, _before]), forking, finishing, map(call, put_back)), maxlen=0)
    if pids[0] < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return pids[0]


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
                found.append(holder)
                break
    return found


#: Empty lists of hooks are missing when the app froze its heap before the agent came; then the hooks run.
HOOKS = _find_hooks()
