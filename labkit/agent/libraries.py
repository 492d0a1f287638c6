"""Which of the loaded packages are somebody else's: those whose files lie in a library folder."""

import sys
from types import ModuleType

from .classes import derives_from
from .labels import dotted_name, entry_of
from .references import module_space

LIBRARY_FOLDERS = ("/site-packages/", "/dist-packages/", "/lib/python3.")


def library_packages():
    """Names of top-level packages with files in a library folder and none elsewhere, and of built-in modules."""
    inside, outside = set(sys.builtin_module_names), set()
    for name, module in list(dict.items(sys.modules)):
        if type(name) is not str or not derives_from(type(module), ModuleType):
            continue
        space = module_space(module)
        file = entry_of(space, "__file__") if type(space) is dict else None
        if type(file) is str:
            known = any(folder in file for folder in LIBRARY_FOLDERS)
            (inside if known else outside).add(dotted_name(name.partition(".")[0]))
    return sorted(inside - outside - {"?"})
