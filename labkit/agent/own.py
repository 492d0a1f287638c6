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


class Share:
    """Everything that only the agent reaches; made when all else has been walked once."""

    def __init__(self, held_by, known, hidden, bulk):
        """Add what is found to the set ``hidden``.

        ``held_by(thing)`` lists references; ``known`` has the addresses of the app's objects; ``bulk``
        are the agent's own large containers, which are hidden but not looked into.
        """
        self._held_by = held_by
        self._known = known
        self._things = definitions()
        running = frames()
        for frame in running:
            self._things += _values_of(frame)
        aside = {*map(id, bulk), *map(id, running), id(bulk), id(running), id(self), id(self._things)}
        once = {id(thing): thing for thing in self._things if id(thing) not in known and id(thing) not in aside}
        self._things = list(once.values())
        hidden.update(aside, once, (id(self._things),))
        once.clear()
        running.clear()  # frames that know themselves would never be freed, nor would their locals
        for thing in self._things:  # grows meanwhile
            for part in held_by(thing):
                address = id(part)
                if address not in known and address not in hidden:
                    hidden.add(address)
                    self._things.append(part)

    def holds(self):
        """``{address: references}`` that the agent holds now on objects of the app."""
        found = {}
        for thing in self._things:
            for part in self._held_by(thing):
                if id(part) in self._known:
                    found[id(part)] = found.get(id(part), 0) + 1
        return found


def _values_of(frame):
    space = frame.f_locals
    values = list(space.values())
    if type(space) is dict:
        space.clear()  # up to 3.12 a copy that stays with the frame
    return values
