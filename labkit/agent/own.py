"""What belongs to the agent itself: it stays out of the picture, and what it holds is not counted."""

import sys
import types

PACKAGE = __name__.partition(".")[0]
_module_of = type.__dict__["__module__"].__get__
_more_modules: list[types.ModuleType] = []


def add_module(module):
    """Let a module of the agent that runs under a foreign name (``__main__``) count as its own."""
    _more_modules.append(module)


def modules():
    """The agent's modules; nothing of a foreign module is touched."""
    prefix = PACKAGE + "."
    found = [
        module
        for name, module in list(dict.items(sys.modules))
        if type(name) is str and (name == PACKAGE or name.startswith(prefix)) and type(module) is types.ModuleType
    ]
    return found + _more_modules


def spaces():
    """The dictionaries of the agent's modules, by address."""
    return {id(module.__dict__): module.__dict__ for module in modules()}


def definitions():
    """The agent's modules with their functions and classes."""
    found = []
    for module in modules():
        space = module.__dict__
        found += [module, space]
        for value in list(space.values()):
            if type(value) is types.FunctionType:
                if value.__globals__ is space:
                    found.append(value)
            elif type(value) is type and _module_of(value) == space["__name__"]:
                found.append(value)
    return found


def frames():
    """The agent's frames on the stack of this thread, innermost first, from the caller's on."""
    found = []
    known = spaces()
    frame = sys._getframe(1)
    while frame is not None and id(frame.f_globals) in known:
        found.append(frame)
        frame = frame.f_back
    return found
