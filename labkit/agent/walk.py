"""Walk everything that can be reached in this process and name the references; runs in the forked child.

The closure over ``gc.get_referents`` alone misses string keys of dictionaries, what code objects and
static types hold, and the locals of running frames; these are read in other ways here. The agent's own
objects are left out, and the references they hold are subtracted from reference counts.
"""

import gc
import sys
import types
from array import array

from . import layout, plans, sites
from .labels import Labels, dotted_name
from .threads import CO_OPTIMIZED

IMMORTAL = 1 << 30


class Result:
    """Columns (``layout.COLUMNS``), tables (``layout.TABLES``) and facts for the header."""

    def __init__(self, columns, tables, facts):
        self.columns = columns
        self.tables = tables
        self.facts = facts


def walk(stacks, displaced_handlers):
    """Return the Result for this process; ``stacks`` comes from ``threads.record_stacks``."""
    facts = {"gc_frozen": gc.get_freeze_count(), "gc_count": list(gc.get_count())}
    gc.unfreeze()
    tracked = gc.get_objects()
    allocation_sites = sites.Sites()
    allocation_sites.collect(tracked)
    walker = Walker(stacks, allocation_sites)
    walker.hide_agent(sys._getframe(), stacks)
    walker.seed_roots(stacks)
    del stacks[:]
    walker.close_over()
    walker.close_over_agent(tracked, displaced_handlers)
    walker.add_unreached(tracked)
    del tracked
    walker.close_over()
    return walker.finish(facts)


class Walker:
    """The state of one walk; ``objects`` holds exactly one reference to each object found."""

    def __init__(self, stacks, allocation_sites):
        self.sites = allocation_sites
        self.labels = Labels()
        self.objects = []
        self.index = {}
        self.hidden = set()
        self.hidden_holds = {}
        self.columns = {name: array(code) for name, (_, code) in layout.COLUMNS.items()}
        self.columns["edge_start"].append(0)
        self.types = []
        self.plans = {}
        self.cell_names = {}
        self.live_frames = {
            id(frame): (name, [(self.labels.row_of_key(local), id(value)) for local, value in pairs])
            for stack in stacks
            for frame, name, pairs in stack.frames
        }
        self.inline_bytes = {}
        self.done = 0

    # -- seeds -------------------------------------------------------------------------------------

    def hide_agent(self, frame, stacks):
        """Mark the agent's modules, functions and running frames, so that the walk passes them by."""
        prefix = __name__.partition(".")[0]
        names = [name for name in sys.modules if type(name) is str and name.partition(".")[0] == prefix]
        mains = [m for m in (sys.modules.get("__main__"), sys.modules.get("__config__")) if _is_ours(m)]
        for module in [sys.modules[name] for name in names] + mains:
            space = module.__dict__
            self.hidden.update((id(module), id(space)))
            for value in list(space.values()):
                if getattr(value, "__module__", None) == space.get("__name__") and type(value) in (
                    type,
                    types.FunctionType,
                ):
                    self.hidden.add(id(value))
        while frame is not None:
            self.hidden.add(id(frame))
            frame = frame.f_back
        for stack in stacks:
            own = [stack, stack.frames, *stack.frames, *(pairs for _, _, pairs in stack.frames)]
            own += [pair for _, _, pairs in stack.frames for pair in pairs]
            self.hidden.update(map(id, own))
        self.hidden.update(map(id, (self, self.objects, self.index, self.hidden, self.columns, self.labels)))

    def seed_roots(self, stacks):
        """Modules first, then thread frames, then static types: the order of preference for paths."""
        modules = sys.modules
        for name, module in list(modules.items()):
            if id(module) not in self.hidden:
                self._root(module, layout.ROOT_MODULE, dotted_name(name) if type(name) is str else "?")
        for stack in stacks:
            for frame, _, _ in stack.frames:
                self._root(frame, layout.ROOT_THREAD, stack.name)
        for stack in stacks:
            for _, _, pairs in stack.frames:
                for _, value in pairs:
                    self._visit(value)
        kinds = [object]
        seen = {id(object)}
        for kind in kinds:
            if not plans.is_heap_type(kind):
                self._root(kind, layout.ROOT_BUILTIN_TYPE, plans.type_name(kind))
            for derived in type.__subclasses__(kind):
                if id(derived) not in seen:
                    seen.add(id(derived))
                    kinds.append(derived)

    def _root(self, thing, kind, label):
        self.columns["root_node"].append(self._visit(thing))
        self.columns["root_kind"].append(kind)
        self.columns["root_label"].append(self.labels.row(label))

    def add_unreached(self, tracked):
        """What no root reaches: held from C, or garbage that waits for the collector."""
        own = (id(tracked), id(self.__dict__))
        for thing in tracked:
            if id(thing) not in own:
                self._visit(thing)

    def close_over_agent(self, tracked, handlers):
        """Hide what only the agent reaches, and count what it holds of everybody else's."""
        known = self.index
        mine = [thing for thing in tracked if id(thing) in self.hidden]
        mine += [handlers]
        frame = sys._getframe()
        while frame is not None:
            space = frame.f_locals
            mine += [value for value in space.values() if type(value).__module__ != "builtins"]
            if type(space) is dict and frame.f_code.co_flags & CO_OPTIMIZED:
                space.clear()  # up to 3.12 a copy that would count as references
            frame = frame.f_back
        keep = mine[:]  # ids stay valid while their objects do
        self.hidden.update(id(thing) for thing in mine if id(thing) not in known)
        while mine:
            thing = mine.pop()
            if thing is self or thing is self.__dict__ or thing is tracked or thing is keep or thing is mine:
                continue
            for part in _everything_held_by(thing):
                if id(part) in known:
                    if id(thing) in self.hidden:
                        self.hidden_holds[id(part)] = self.hidden_holds.get(id(part), 0) + 1
                elif id(part) not in self.hidden:
                    self.hidden.add(id(part))
                    mine.append(part)
                    keep.append(part)

    # -- the walk ----------------------------------------------------------------------------------

    def _visit(self, thing):
        key = id(thing)
        row = self.index.get(key)
        if row is None:
            if key in self.hidden:
                return -1
            row = self.index[key] = len(self.objects)
            self.objects.append(thing)
        return row

    def close_over(self):
        """Process rows until none is left; rows are found in breadth-first order from the seeds."""
        objects, known, hidden = self.objects, self.index, self.hidden
        target, kinds, edge_labels = (self.columns[f"edge_{c}"] for c in ("target", "kind", "label"))
        starts, all_plans = self.columns["edge_start"], self.plans
        key_label, visit = self.labels.row_of_key, self._visit
        while self.done < len(objects):
            thing = objects[self.done]
            cls = type(thing)
            plan = all_plans.get(id(cls)) or self._plan(cls)
            self._describe(thing, plan)
            kind = plan.kind
            if kind == plans.LEAF:
                pass
            elif kind == plans.DICT:
                for key, value in thing.items():
                    row = visit(key)
                    if row >= 0:
                        target.append(row)
                        kinds.append(layout.KEY)
                        edge_labels.append(-1)
                    row = known.get(id(value))
                    if row is None:
                        row = visit(value)
                    if row >= 0:
                        target.append(row)
                        kinds.append(layout.VALUE)
                        edge_labels.append(key_label(key))
            elif kind == plans.SEQUENCE:
                for position, value in enumerate(thing):
                    row = visit(value)
                    if row >= 0:
                        target.append(row)
                        kinds.append(layout.INDEX)
                        edge_labels.append(position)
            else:
                for value, edge_kind, label in self._references(thing, cls, plan):
                    if id(value) not in hidden:
                        target.append(visit(value))
                        kinds.append(edge_kind)
                        edge_labels.append(label)
            starts.append(len(target))
            self.done += 1

    def _plan(self, cls):
        row = len(self.types)
        self.types.append(plans.type_name(cls))
        plan = self.plans[id(cls)] = plans.make_plan(cls, row, self.labels)
        return plan

    def _describe(self, thing, plan):
        columns = self.columns
        columns["node_address"].append(id(thing))
        columns["node_type"].append(plan.row)
        try:
            size = plan.sizeof(thing) + plan.extra_bytes
        except Exception:
            size = object.__sizeof__(thing)
        columns["node_size"].append(size if type(size) is int and 0 <= size < 1 << 62 else 0)
        columns["node_name"].append(self._own_name(thing, plan.kind))

    def _own_name(self, thing, kind):
        if kind == plans.FUNCTION:
            name = dotted_name(thing.__module__, thing.__qualname__)
        elif kind == plans.TYPE:
            name = plans.type_name(thing)
        elif kind == plans.CODE:
            name = dotted_name(thing.co_qualname)
        elif kind == plans.FRAME:
            # of a frame in another thread only what was recorded before the fork may be touched
            if id(thing) in self.live_frames:
                name = self.live_frames[id(thing)][0]
            else:
                name = dotted_name(thing.f_globals.get("__name__"), thing.f_code.co_qualname)
        elif type(thing) is types.ModuleType:
            name = dotted_name(types.ModuleType.__dict__["__dict__"].__get__(thing).get("__name__"))
        else:
            return -1
        return self.labels.row(name)

    def _references(self, thing, cls, plan):
        """Yield ``(value, edge kind, label)`` for everything but plain containers."""
        kind = plan.kind
        if kind == plans.SET:
            return [(value, layout.ELEMENT, -1) for value in thing]
        if kind == plans.CODE:
            row = self.labels.row
            return [(getattr(thing, part), layout.INTERNAL, row(part)) for part in plans.CODE_PARTS]
        if kind == plans.FRAME and id(thing) in self.live_frames:
            return self._live_locals(thing)
        held = gc.get_referents(thing)
        names = {}
        forced = []
        self._name_parts(thing, plan, names, forced)
        if plan.dict_getter is not None:
            held = self._name_attributes(thing, plan, held, names)
        if plan.base_items is not None:
            _name_items(thing, plan.base_items, names, self.labels.row_of_key)
        found = [(value, *self._match(value, cls, plan, names)) for value in held]
        if plan.base_items is dict:
            keys = {id(key) for key in dict.keys(thing)}
            leftover = {key for key, entries in names.items() if any(e[0] == layout.KEY for e in entries)}
            found += [(key, layout.KEY, -1) for key in dict.keys(thing) if id(key) in leftover & keys]
        return found + forced

    def _live_locals(self, frame):
        objects, index = self.objects, self.index
        return [
            (objects[index[address]], layout.LOCAL, label)
            for label, address in self.live_frames[id(frame)][1]
            if address in index
        ]

    def _name_parts(self, thing, plan, names, forced):
        kind = plan.kind
        for label, edge_kind, getter in plan.members:
            try:
                value = getter(thing)
            except Exception:  # an empty slot or cell
                continue
            if edge_kind == layout.CLOSURE:
                label = self.cell_names.get(id(thing), -1)
            names.setdefault(id(value), []).append((edge_kind, label))
        if kind == plans.FUNCTION and thing.__closure__:
            for name, cell in zip(thing.__code__.co_freevars, thing.__closure__, strict=True):
                self.cell_names.setdefault(id(cell), self.labels.row_of_key(name))
        elif kind in (plans.FRAME, plans.GENERATOR):
            pairs = plans.frame_locals(thing) if kind == plans.FRAME else plans.generator_locals(thing)
            for name, value in pairs:
                names.setdefault(id(value), []).append((layout.LOCAL, self.labels.row_of_key(name)))
        elif kind == plans.TYPE:
            for name, value in plans.class_parts(thing):
                entry = (layout.INTERNAL, self.labels.row(name))
                if plans.is_heap_type(thing):
                    names.setdefault(id(value), []).append(entry)
                else:
                    forced.append((value, *entry))

    def _name_attributes(self, thing, plan, held, names):
        """Name an instance's attributes; return what it holds, without values seen twice.

        Reading ``__dict__`` here makes a dictionary in the child only; the worker's stays inline.
        """
        try:
            space = plan.dict_getter(thing)
        except Exception:
            return held
        if type(space) is not dict:
            return held
        held_ids = [id(value) for value in held]
        if id(space) in held_ids:
            names.setdefault(id(space), []).append((layout.INTERNAL, self.labels.row("__dict__")))
            inside = {id(value) for value in space.values()}
            return [value for value in held if id(value) in names or id(value) not in inside]
        for name, value in space.items():
            names.setdefault(id(value), []).append((layout.ATTRIBUTE, self.labels.row_of_key(name)))
        self.columns["node_size"][-1] += 8 * len(space) + 8 * (len(space) + 9 >> 3) if space else 0
        return held

    def _match(self, value, cls, plan, names):
        entries = names.get(id(value))
        if entries:
            return entries.pop()
        if value is cls:
            return (layout.CLASS, -1)
        return (plan.unnamed, -1)

    # -- the end -----------------------------------------------------------------------------------

    def finish(self, facts):
        """Read reference counts, drop everything that holds objects, and hand over the columns."""
        columns = self.columns
        columns["node_site"] = self.sites.column(columns["node_address"])
        self.sites.name_functions(self.objects)
        self.plans.clear()
        probe = [object()]
        overhead = next(map(sys.getrefcount, probe))
        holds = self.hidden_holds
        for address, count in zip(columns["node_address"], map(sys.getrefcount, self.objects), strict=True):
            if count >= IMMORTAL:
                columns["node_refcount"].append(-1)
            else:
                columns["node_refcount"].append(max(count - overhead - holds.get(address, 0), 0))
        facts["nodes"] = len(columns["node_address"])
        facts["edges"] = len(columns["edge_target"])
        labels = [row.decode() for row in self.labels.rows]
        return Result(columns, {"types": self.types, "labels": labels, "sites": self.sites.rows}, facts)


def _name_items(thing, base, names, row_of_key):
    if base is dict:
        for key, value in dict.items(thing):
            names.setdefault(id(key), []).append((layout.KEY, -1))
            names.setdefault(id(value), []).append((layout.VALUE, row_of_key(key)))
    else:
        for position, value in enumerate(base.__iter__(thing)):
            names.setdefault(id(value), []).append((layout.INDEX, position))


def _everything_held_by(thing):
    held = gc.get_referents(thing)
    if type(thing) is dict:
        held += [key for key in thing if type(key) is str]
    elif type(thing) is types.CodeType:
        held += [getattr(thing, part) for part in plans.CODE_PARTS]
    return held


def _is_ours(module):
    path = getattr(module, "__file__", None)
    here = __file__.rpartition("/")[0]
    return type(path) is str and path.rpartition("/")[0] == here
