"""The agent's share of the heap: hidden from the picture, and its references are not the app's."""

from . import own, plans
from .classes import SubclassTables
from .frames import Frames
from .labels import Labels
from .memory import shares_its_keys
from .references import References


class Share:
    """Everything that only the agent reaches; made when all else has been walked once."""

    def __init__(self, known, hidden, bulk):
        """Add what is found to the set ``hidden``.

        ``known`` has the addresses of the app's objects; ``bulk`` are the agent's own large containers,
        which are hidden but not looked into.
        """
        self._known = known
        self._plans = {}
        labels = Labels(set())  # a table of its own: none of these names belongs in the picture
        self._references = References(labels, Frames((), labels), SubclassTables(()))
        self._things = own.definitions()
        running = own.frames()
        for frame in running:
            self._things += _values_of(frame)
        aside = {*map(id, bulk), *map(id, running), id(bulk), id(running), id(self), id(self._things)}
        once = {id(thing): thing for thing in self._things if id(thing) not in known and id(thing) not in aside}
        self._things = list(once.values())
        hidden.update(aside, once, (id(self._things),))
        once.clear()
        running.clear()  # frames that know themselves would never be freed, nor would their locals
        for thing in self._things:  # grows meanwhile
            for part in self._held_by(thing):
                address = id(part)
                if address not in known and address not in hidden:
                    hidden.add(address)
                    self._things.append(part)

    def holds(self):
        """``{address: references}`` that the agent holds now on objects of the app; can be asked once."""
        found = {}
        for thing in self._things:
            for part in self._held_by(thing):
                if id(part) in self._known:
                    found[id(part)] = found.get(id(part), 0) + 1
        self._plans = self._references = None  # they hold names and descriptors of the app themselves
        return found

    def _held_by(self, thing):
        """All references of one object, whatever its type."""
        cls = type(thing)
        plan = self._plans.get(id(cls))
        if plan is None:
            plan = self._plans[id(cls)] = plans.make_plan(cls, -1, self._references.labels)
        if plan.kind == plans.DICT:
            return [*([] if shares_its_keys(thing) else thing), *thing.values()]
        if plan.kind == plans.SEQUENCE:
            return thing
        if plan.kind in (plans.LEAF, plans.TEXT):
            return [cls] if plan.holds_class else []
        return [value for value, _, _ in self._references.of(thing, plan)]


def _values_of(frame):
    space = frame.f_locals
    values = list(space.values())
    if type(space) is dict:
        space.clear()  # up to 3.12 a copy that stays with the frame
    return values
