"""Name the references of one object; plain dicts, lists and tuples are done by the walk's own loop.

Every function here returns ``[(value, edge kind, label), ...]``, one entry per reference the object
really counts, so that in-edges can be compared with reference counts.
"""

from _contextvars import ContextVar
from gc import get_referents
from types import CodeType, ModuleType

from . import classes, frames, layout, memory, plans
from .containers import items_of, links_of, with_dict_instead_of_values, with_links_of_ordered, without
from .labels import dotted_name, entry_of
from .parts import names_of
from .plans import CODE_PARTS, edge_kind

module_space = vars(ModuleType)["__dict__"].__get__


class References:
    """Names the references of objects; knows the labels, the recorded stacks and the names of cells."""

    def __init__(self, labels, known_frames, subclass_tables):
        self.labels = labels
        self.frames = known_frames
        self.subclass_tables = subclass_tables
        self.inline_bytes = 0  # of the object looked at last: attributes kept without a dictionary
        self._dict_label = labels.row("__dict__")
        self._may_be_null = {labels.row(name) for name in ("__closure__", "__defaults__", "__kwdefaults__")}
        self._code_parts = [(CodeType.__dict__[part].__get__, labels.row(part)) for part in CODE_PARTS]
        self._by_kind = {
            plans.SET: self._of_set,
            plans.CODE: self._of_code,
            plans.FUNCTION: self._of_function,
            plans.TYPE: self._of_class,
            plans.FRAME: self._of_frame,
            plans.GENERATOR: self._of_generator,
            plans.HAMT: self._of_context_node,
        }

    def bulk(self):
        """What is large or holds objects of the app; none of it is needed once all is named."""
        return [self.subclass_tables.table_with]

    def of(self, thing, plan):
        """All references of ``thing``."""
        special = self._by_kind.get(plan.kind)
        self.inline_bytes = 0
        found = self._of_instance(thing, plan) if special is None else special(thing, plan)
        for label, kind, getter in plan.untold:
            value = getter(thing)
            if value is not None:
                found.append((value, kind, label))
        if plan.holds_class and plan.kind != plans.TYPE:
            cls = type(thing)
            if not any(value is cls for value, _, _ in found):
                found.append((cls, layout.CLASS, -1))  # C code that does not tell the collector
        return found

    def own_name(self, thing, kind):
        """The name of a module, class, function, code object or frame; None for anything else."""
        if kind == plans.FUNCTION:
            return dotted_name(thing.__module__, thing.__qualname__)
        if kind == plans.TYPE:
            return classes.type_name(thing)
        if kind == plans.CODE:
            return dotted_name(thing.co_qualname)
        if kind == plans.FRAME:
            return self.frames.name_of(thing)
        if type(thing) is ModuleType:
            return dotted_name(entry_of(module_space(thing), "__name__"))
        return None

    # -- plain C objects ---------------------------------------------------------------------------

    def _of_set(self, thing, plan):
        return [(value, layout.ELEMENT, -1) for value in thing]

    def _of_code(self, thing, plan):
        return [(part(thing), layout.INTERNAL, label) for part, label in self._code_parts]

    def _of_function(self, thing, plan):
        if thing.__closure__:
            self.frames.name_cells(thing.__code__.co_freevars, thing.__closure__)
        held = get_referents(thing)
        names = self._named_members(thing, plan)
        nothing = names.get(id(None), [])  # what is NULL reads as None and is not told of
        nothing[:] = [entry for entry in nothing if entry[1] not in self._may_be_null]
        if sum(type(part) is dict for part in held) > 1:  # else reading would only make an empty one
            self._name_dict(plan, thing, names)
        return self._matched(thing, plan, held, names)

    def _of_class(self, thing, plan):
        row = self.labels.row
        named = [(value, layout.INTERNAL, row(name)) for name, value in classes.class_parts(thing)]
        table = self.subclass_tables.of(thing)
        apart = [] if table is None else [(table, layout.INTERNAL, row("__subclasses__"))]
        if not classes.is_heap_type(thing):
            return named + apart
        names = {id(value): [(kind, label)] for value, kind, label in named}
        base = classes.base_of(thing)
        names.setdefault(id(base), []).append((layout.INTERNAL, row("__base__")))
        found = self._matched(thing, plan, get_referents(thing), names)
        return found + apart + [(value, layout.INTERNAL, row(name)) for name, value in classes.class_names(thing)]

    def _of_context_node(self, thing, plan):
        """A node of a ``contextvars.Context``: variables with their values, told in reverse order."""
        held = get_referents(thing)
        found = []
        for position, value in enumerate(held):
            variable = held[position + 1] if position + 1 < len(held) else None
            if type(variable) is ContextVar:
                found.append((value, layout.VALUE, self.labels.of_key(variable.name)))
            else:
                found.append((value, layout.ELEMENT, -1))
        return found

    # -- frames ------------------------------------------------------------------------------------

    def _of_frame(self, thing, plan):
        recorded = self.frames.recorded_references(thing)
        if recorded is not None:
            return recorded
        if not memory.keeps_its_own_locals(thing):
            return []  # a call that began after the stacks were written down
        held = get_referents(thing)
        names = {}  # its C attributes are flags: a local that is True would take their name
        for name, part in frames.FRAME_PARTS:
            names.setdefault(id(part(thing)), []).append((layout.INTERNAL, self.labels.row(name)))
        self.frames.name_function(thing.f_code, held, names)
        self.frames.name_locals(thing, held, names)
        return self._matched(thing, plan, held, names)

    def _of_generator(self, thing, plan):
        held = get_referents(thing)
        names = self._named_members(thing, plan)
        frame = frames.frame_of_generator(thing)
        if frame is not None:
            self.frames.name_frame(thing, frame, held, names)
            if not self.frames.is_recorded(frame):
                self.frames.name_locals(frame, held, names)
        return self._matched(thing, plan, held, names)

    # -- instances ---------------------------------------------------------------------------------

    def _of_instance(self, thing, plan):
        held = get_referents(thing)
        if not plan.managed:
            names = self._named_members(thing, plan)
            self._name_dict(plan, thing, names)
        elif plan.dict_getter is None:
            names = self._named_members(thing, plan)
        elif memory.has_own_dict(thing):
            space = plan.dict_getter(thing)
            names = self._named_members(thing, plan)
            held = with_dict_instead_of_values(held, space, names)
            names.setdefault(id(space), []).append((layout.INTERNAL, self._dict_label))
        else:
            # Reading makes a dictionary in this child only; the worker's attributes stay inline.
            space = plan.dict_getter(thing)
            of_key, count = self.labels.of_key, len(space)
            self.inline_bytes = 8 * count + 8 * (count + 9 >> 3) if count else 0
            if len(held) == count + 1 and held[-1] is type(thing):
                attributes = [(value, layout.ATTRIBUTE, of_key(name)) for name, value in space.items()]
                return [*attributes, (held[-1], layout.CLASS, -1)]
            names = self._named_members(thing, plan)
            for name, value in space.items():
                names.setdefault(id(value), []).append((layout.ATTRIBUTE, of_key(name)))
        items = []
        if plan.kind == plans.LRU_CACHE:
            held, items = links_of(held)
        if plan.base_items is not None:
            items = items_of(thing, plan, self.labels)
            held = without(held, items)
            if plan.keeps_key_twice:
                held, items = with_links_of_ordered(thing, held, items)
        return items + self._matched(thing, plan, held, names)

    def _named_members(self, thing, plan):
        """``{address: [(edge kind, label), ...]}`` of what C attributes and slots hold."""
        names = {}
        for label, kind, getter in plan.members:
            try:
                value = getter(thing)
            except Exception:  # an empty slot or cell
                continue
            if kind == layout.CLOSURE:
                label = self.frames.cell_names.get(id(thing), -1)
            names.setdefault(id(value), []).append((kind, label))
        return names

    def _name_dict(self, plan, thing, names):
        if plan.dict_getter is not None:
            try:
                space = plan.dict_getter(thing)
            except Exception:
                return
            names.setdefault(id(space), []).append((layout.INTERNAL, self._dict_label))

    def _matched(self, thing, plan, held, names):
        cls = type(thing)
        found, unnamed = [], []
        for value in held:
            entries = names.get(id(value))
            if entries:
                found.append((value, *entries.pop(0)))
            elif value is cls:
                found.append((value, layout.CLASS, -1))
            else:
                unnamed.append(len(found))
                found.append((value, plan.unnamed, -1))
        if plan.parts and unnamed:
            self._name_parts(plan, found, unnamed)
        return found

    def _name_parts(self, plan, found, unnamed):
        """Give the entries of ``found`` at the positions ``unnamed`` the words of ``parts.py``."""
        for position, name in zip(unnamed, names_of(plan.parts, len(unnamed)) or (), strict=False):
            value = found[position][0]
            if name == "*":
                found[position] = (value, layout.ELEMENT, -1)
            elif name != "-":
                kind = layout.INTERNAL if plan.unnamed == layout.INTERNAL else edge_kind(name)
                found[position] = (value, kind, self.labels.row(name))
