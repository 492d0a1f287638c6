"""What must be written down about threads before a fork, since the child cannot see it."""

import _thread
import os
import sys
from types import FrameType

from . import memory, own
from .fork import hook_lists
from .labels import dotted_name, entry_of

CO_OPTIMIZED = 1
#: Names by which code gets at its own dictionary of locals, which up to 3.12 belongs to the frame.
READS_OWN_LOCALS = {"locals", "vars", "dir", "eval", "exec"}
LOCALS_ARE_A_COPY = sys.version_info < (3, 13)
#: Unknown when the agent was loaded by another thread. It outlives forks of the main thread.
MAIN_IDENT = _thread.get_ident() if _thread.get_native_id() == os.getpid() else None
#: No thread, but a root of the interpreter's like theirs, and called what a programmer calls to get there.
AT_FORK = "os.register_at_fork"
_f_locals = FrameType.__dict__["f_locals"].__get__


class Stack:
    """One thread: a display name, its frames, innermost first, and objects that its thread state holds.

    A frame is ``(frame, code, its name, [local name, ...], [value, ...])``.
    """

    __slots__ = ("frames", "held", "name")

    def __init__(self, name, frames, held):
        self.name = name
        self.frames = frames
        self.held = held


def record_stacks(read_locals=True):
    """Return a Stack per thread, and one for the interpreter's fork hooks.

    Of the calling thread it has the part below the agent's own frames. Module-level frames carry no locals here: those
    are the module's own dictionary. The compiled walker does without ``read_locals``: its child still has the threads'
    stacks.
    """
    own_ident = _thread.get_ident()
    mine = own.spaces()
    held = memory.objects_held_by_thread_states(own_ident)
    stacks = []
    for number, (ident, frame) in enumerate(sorted(sys._current_frames().items()), 1):
        frames = []
        while frame is not None:
            space, code = frame.f_globals, frame.f_code
            if id(space) not in mine:
                name = dotted_name(entry_of(space, "__name__"), code.co_qualname)
                local = _locals_of(frame, code) if read_locals else ((), ())
                frames.append((frame, code, name, *local))
            frame = frame.f_back
        if frames or ident in held:
            name = "main thread" if ident == MAIN_IDENT else f"thread {number}"
            stacks.append(Stack(name, frames, held.get(ident, [])))
    return [*stacks, Stack(AT_FORK, [], [hooks for hooks in hook_lists() if hooks])]


def _locals_of(frame, code):
    if not code.co_flags & CO_OPTIMIZED:
        return (), ()
    if LOCALS_ARE_A_COPY and not READS_OWN_LOCALS.isdisjoint(code.co_names):
        return (), ()  # reading would change a dictionary the app may be using
    found = _f_locals(frame)
    names, values = list(found), list(found.values())
    if type(found) is dict and sys.getrefcount(found) == 3:  # the frame, this function, the argument
        found.clear()  # the copy stays with the frame and would keep the values alive
    return names, values
