"""Allocation sites from tracemalloc, where it is on: which lines allocated each object."""

import sys
import types
from array import array


def collect(objects):
    """Return ``(rows, column)``: distinct tracebacks, and per object its row or -1.

    A row is a list of ``[file, line, function]``, innermost first; the function is '?' when no living
    code object of that file covers the line.
    """
    tracing = sys.modules.get("tracemalloc")
    if tracing is None or not tracing.is_tracing():
        return [], array("i", b"\xff\xff\xff\xff" * len(objects))
    from _tracemalloc import _get_object_traceback

    row_of = {}
    column = array("i")
    for thing in objects:
        trace = _get_object_traceback(thing)
        column.append(-1 if trace is None else row_of.setdefault(_frames(trace), len(row_of)))
    tracing.stop()
    functions = _functions(objects, {frame for row in row_of for frame in row})
    rows = [[[file, line, functions.get((file, line), "?")] for file, line in row] for row in row_of]
    return rows, column


def _frames(trace):
    """The frames of a raw traceback; its shape differs between versions (a total may follow)."""
    frames = trace[0] if trace and isinstance(trace[0], tuple) and isinstance(trace[0][0], tuple) else trace
    return tuple((file, line) for file, line in frames)


def _functions(objects, wanted):
    """Map ``(file, line)`` to the name of the innermost function that has code on that line."""
    files = {file for file, _ in wanted}
    found = {}
    for thing in objects:
        if type(thing) is types.CodeType and thing.co_filename in files:
            for line in {line for _, _, line in thing.co_lines() if line}:
                key = (thing.co_filename, line)
                if key in wanted and found.get(key, (-1, ""))[0] < thing.co_firstlineno:
                    found[key] = (thing.co_firstlineno, thing.co_qualname)
    return {key: name for key, (_, name) in found.items()}
