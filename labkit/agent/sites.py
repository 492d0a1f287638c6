"""Allocation sites from tracemalloc, where it is on: which lines allocated each object."""

import _tracemalloc
import ctypes
import gc
import os
import sys
import types
from array import array

from . import AGENT_DIR
from .classes import flags_of
from .plans import GC_HEADER_BYTES, MANAGED_DICT

BATCH = 1000
OWN_FOLDER = AGENT_DIR + os.sep
RESUME = 149 if sys.version_info >= (3, 13) else 151  # opcode.opmap, whose module an app need not have loaded
MAKES_ITSELF = 0x20 | 0x80 | 0x200  # inspect.CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR


class Sites:
    """Allocation sites by address, read before the walk; ``rows`` is filled in by ``name_functions``."""

    def __init__(self):
        self.rows = []
        self.row_at = {}
        self._row_of = {}
        self._trace_of = None

    def collect(self, tracked):
        """Look up every tracked object and what it refers to, then switch tracemalloc off in this child.

        Off, because tracing would slow the walk itself twentyfold.
        """
        if not _tracemalloc.is_tracing():
            return
        self._trace_of = _trace_function()
        for start in range(0, len(tracked), BATCH):
            batch = tracked[start : start + BATCH]
            while batch:
                self._look_up(batch)
                for thing in batch:
                    if type(thing) is dict:
                        self._look_up(thing)
                parts = gc.get_referents(*batch)
                batch = [part for part in parts if _is_untracked_container(part)]
                self._look_up(parts)
        _tracemalloc.stop()

    def _look_up(self, things):
        row_at, row_of = self.row_at, self._row_of
        trace_of = self._trace_of
        for thing in things:
            trace = trace_of(thing)
            frames = () if trace is None else _frames(trace)
            if frames:
                row_at[id(thing)] = row_of.setdefault(frames, len(row_of))

    def column(self, addresses):
        """Row per address, -1 where nothing was recorded."""
        row_at = self.row_at
        return array("i", (row_at.get(address, -1) for address in addresses))

    def name_functions(self, objects):
        """Fill ``rows``: per distinct traceback a list of ``[file, line, function]``, innermost first.

        The function is '?' when no living code object of that file covers the line.
        """
        functions = _functions(objects, {frame for row in self._row_of for frame in row})
        self.rows = [
            [[short_path(file), line, functions.get((file, line), "?")] for file, line in row] for row in self._row_of
        ]


def short_path(file, here=None):
    """A source path without what it tells about a machine: from the library folder on, or the app's own part.

    ``here``: the app's current folder, if it is not this process's.
    """
    for mark in ("/site-packages/", "/dist-packages/", "/lib/python3."):
        place = file.rfind(mark)
        if place >= 0:
            return file[place + 1 :]
    try:
        here = (here or os.getcwd()) + "/"
    except OSError:  # the folder is gone
        return file.rpartition("/")[2]
    return file[len(here) :] if file.startswith(here) else file.rpartition("/")[2]


def _trace_function():
    """``_get_object_traceback``, mended on 3.11: there it looks for instances 16 bytes off their block.

    An instance with a managed dictionary has two words before the collector's header, which 3.12
    takes into account (``_PyType_PreHeaderSize``) and 3.11 does not.
    """
    if sys.version_info >= (3, 12):
        return _tracemalloc._get_object_traceback
    at_address = ctypes.PyDLL(None)._PyTraceMalloc_GetTraceback
    at_address.restype = ctypes.py_object
    at_address.argtypes = [ctypes.c_uint, ctypes.c_size_t]

    def trace_of(thing):
        if flags_of(type(thing)) & MANAGED_DICT:
            return at_address(0, id(thing) - 2 * GC_HEADER_BYTES)
        return _tracemalloc._get_object_traceback(thing)

    return trace_of


def _frames(trace):
    """The frames of a raw traceback but the agent's; its shape differs between versions (a total may follow)."""
    frames = trace[0] if trace and isinstance(trace[0], tuple) and isinstance(trace[0][0], tuple) else trace
    return tuple((file, line) for file, line in frames if not file.startswith(OWN_FOLDER))


def _is_untracked_container(thing):
    """Whether the collector has given up on a container because it holds atoms only."""
    return (type(thing) is dict or type(thing) is tuple) and not gc.is_tracked(thing)


def _start_of_body(code):
    """Where a function's own instructions begin: those before are on the line of its ``def``, which another runs.

    Not so of generators and coroutines, which make themselves there.
    """
    if code.co_flags & MAKES_ITSELF:
        return 0
    return 2 * (code.co_code[::2].find(RESUME) + 1)


def _functions(objects, wanted):
    """Map ``(file, line)`` to the name of the innermost function that has code on that line."""
    files = {file for file, _ in wanted}
    found = {}
    for thing in objects:
        if type(thing) is types.CodeType and thing.co_filename in files:
            body = _start_of_body(thing)
            for line in {line for _, end, line in thing.co_lines() if line and end > body}:
                key = (thing.co_filename, line)
                if key in wanted and found.get(key, (-1, ""))[0] < thing.co_firstlineno:
                    found[key] = (thing.co_firstlineno, thing.co_qualname)
    return {key: name for key, (_, name) in found.items()}
