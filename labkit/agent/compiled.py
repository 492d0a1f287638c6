"""The compiled walker, where one was built for this interpreter; how it walks is in ``native/``.

It is loaded by path and stays out of ``sys.modules``, so that the app does not see it.
"""

import _imp
import gc
import json
import os
import sys
from types import ModuleType, SimpleNamespace

from . import own, write
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
    """Make the child; return its pid. MemoryError when there is too little memory to walk in."""
    stacks = [
        (stack.name, [(frame, name) for frame, _, name, _, _ in stack.frames], list(stack.held))
        for stack in record_stacks(read_locals=False)
    ]
    budget, header, definitions, spaces = prepared
    return _modules[0].start(
        os.fsencode(partial),
        header,
        write_end,
        int(deadline_s),
        budget,
        sys.modules,
        stacks,
        definitions,
        spaces,
        PARTS,
    )


def prepare():
    """What the walk needs and can be made while the worker goes on."""
    header = write.header("c", {"gc_count": list(gc.get_count())})
    text = json.dumps(header).removesuffix("}").encode()
    return free_bytes(), text, own.definitions(), list(own.spaces().values())


def free_bytes():
    """Memory a new process could have, by the kernel's and the control group's word; -1 when neither says."""
    found = [_number_after("/proc/meminfo", "MemAvailable:") * 1024]
    for folder in _control_groups():
        limit = _number_after(f"{folder}/memory.max", "")
        used = _number_after(f"{folder}/memory.current", "")
        if limit >= 0 and used >= 0:
            found.append(limit - used + max(_number_after(f"{folder}/memory.stat", "inactive_file"), 0))
    return min((max(each, 0) for each in found if each != -1024), default=-1)


def _control_groups():
    folders = ["/sys/fs/cgroup"]
    try:
        with open("/proc/self/cgroup", encoding="utf-8") as stream:
            folders += ["/sys/fs/cgroup" + line.strip()[3:] for line in stream if line.startswith("0::/")]
    except OSError:
        pass
    return folders


def _number_after(path, word):
    try:
        with open(path, encoding="utf-8") as stream:
            for line in stream:
                if line.startswith(word):
                    return int(line[len(word) :].split()[0])
    except (OSError, ValueError, IndexError):
        pass
    return -1
