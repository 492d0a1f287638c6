"""The compiled walker, where one was built for this interpreter; how it walks is in ``native/``.

It is loaded by path and stays out of ``sys.modules``, so that the app does not see it.
"""

import _imp
import gc
import json
import os
import sys
from types import ModuleType, SimpleNamespace

from . import own, room, write
from .parts import PARTS
from .threads import record_stacks

FORCED = "LABKIT_WALKER"  # "python": the compiled one is left alone
NAME = "_walker"
_modules: list[ModuleType] = []


def load(path):
    """Use the extension module at ``path`` from now on; return why it cannot be used, or None."""
    if os.environ.get(FORCED) == "python":
        return f"{FORCED}=python"
    try:
        module = _imp.create_dynamic(SimpleNamespace(name=NAME, origin=path))
        _imp.exec_dynamic(module)
    except (ImportError, OSError) as error:
        return str(error)
    _modules[:] = [module]
    return None


def is_loaded():
    """Whether there is a compiled walker to use."""
    return bool(_modules)


def start(partial, write_end, deadline_s, prepared):
    """Make the child; return its pid."""
    stacks = [
        (stack.name, [(frame, name) for frame, _, name, _, _ in stack.frames], list(stack.held))
        for stack in record_stacks(read_locals=False)
    ]
    header, definitions, spaces = prepared
    return _modules[0].start(
        os.fsencode(partial),
        header,
        write_end,
        int(deadline_s),
        sys.modules,
        stacks,
        definitions,
        spaces,
        PARTS,
    )


def prepare():
    """What the walk needs and can be made while the worker goes on; MemoryError when there is too little memory."""
    room.require_room(room.COMPILED)
    header = write.header("c", {"gc_count": list(gc.get_count()), "gc_enabled": gc.isenabled()})
    text = json.dumps(header).removesuffix("}").encode()
    return text, own.definitions(), list(own.spaces().values())
