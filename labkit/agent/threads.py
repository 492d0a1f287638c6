"""What must be written down about other threads before a fork, since the child cannot see it."""

import _thread
import gc
import sys

from .labels import dotted_name

CO_OPTIMIZED = 1


class Stack:
    """One thread's stack: a display name and its frames, innermost first."""

    __slots__ = ("frames", "name")

    def __init__(self, name, frames):
        self.name = name
        self.frames = frames


def record_stacks():
    """Return a Stack per thread but the calling one; a frame is ``(frame, its name, [(name, value), ...])``.

    Module-level frames carry no locals here: those are the module's own dictionary.
    """
    own = _thread.get_ident()
    main = _main_thread_ident()
    stacks = []
    for number, (ident, innermost) in enumerate(sorted(sys._current_frames().items()), 1):
        if ident == own:
            continue
        frames = []
        frame = innermost
        while frame is not None:
            name = dotted_name(frame.f_globals.get("__name__"), frame.f_code.co_qualname)
            frames.append((frame, name, _locals_of(frame)))
            frame = frame.f_back
        stacks.append(Stack("main thread" if ident == main else f"thread {number}", frames))
    return stacks


def _locals_of(frame):
    if not frame.f_code.co_flags & CO_OPTIMIZED:
        return []
    found = frame.f_locals
    pairs = list(found.items())
    if type(found) is dict:  # up to 3.12 a copy that stays with the frame
        found.clear()
    return pairs


def held_by_other_threads():
    """Return references to what other threads keep in ``threading.local`` and the exceptions they handle.

    The child's interpreter drops both at once; a second reference keeps their finalizers from running.
    """
    kinds = [_thread._local]
    for kind in kinds:
        kinds.extend(type.__subclasses__(kind))
    wanted = {id(kind) for kind in kinds}
    held = [getattr(sys, "_current_exceptions", dict)()]
    for local in gc.get_referrers(*kinds):
        if id(type(local)) in wanted:
            for part in gc.get_referents(local):
                if type(part) is dict:
                    held.append(part)
                    held.extend((mine, list(mine.values())) for mine in part.values() if type(mine) is dict)
    return held


def _main_thread_ident():
    threading = sys.modules.get("threading")
    return getattr(getattr(threading, "_main_thread", None), "ident", None)
