"""Walk everything that can be reached in this process; runs in the forked child.

The closure over ``gc.get_referents`` alone misses string keys of dictionaries, what code objects and
static types hold, and the locals of running frames; these are read in other ways. The agent's own
objects are left out, and the references they hold are subtracted from reference counts.
"""

import gc
import sys
from array import array
from itertools import compress, islice, repeat
from types import FunctionType, ModuleType

from . import beginnings, classes, layout, own, plans, sites
from .frames import Frames
from .labels import Labels, dotted_name, program_names
from .memory import shares_its_keys
from .references import References, module_space
from .share import Share

IMMORTAL = 1 << 29  # 3.11 counts its static objects up and down from 999,999,999; later ones stand higher
_KIND_BYTES = [bytes([kind]) for kind in range(len(layout.EDGE_KINDS))]
_STRINGS_ONLY = {id(str)}


class Result:
    """Columns (``layout.COLUMNS``), tables (``layout.TABLES``), facts for the header, and values where asked for."""

    def __init__(self, columns, tables, facts, value_text=None):
        self.columns = columns
        self.tables = tables
        self.facts = facts
        self.value_text = value_text


def walk(stacks, stand_ins, with_values=False):
    """Return the Result for this process; ``stacks`` comes from ``threads.record_stacks``.

    ``stand_ins``: references that each replace one of the worker's, which the fork has dropped.
    """
    facts = {"gc_frozen": gc.get_freeze_count(), "gc_count": list(gc.get_count())}
    gc.unfreeze()
    tracked = gc.get_objects()
    allocation_sites = sites.Sites()
    allocation_sites.collect(tracked)
    walker = Walker(stacks, tracked, allocation_sites)
    walker.seed_roots(stacks)
    walker.close_over()
    share = Share(walker.index, walker.hidden, [tracked, stand_ins, *walker.bulk()])
    walker.add_unreached(tracked)
    walker.close_over()
    del tracked
    return walker.finish(share, facts, with_values)


class Walker:
    """The state of one walk; ``objects`` holds exactly one reference to each object found."""

    def __init__(self, stacks, tracked, allocation_sites):
        self.sites = allocation_sites
        self.modules = list(dict.items(sys.modules))
        self.labels = Labels(self._program_names(stacks, tracked))
        self.objects = []
        self.index = {}
        self.hidden = {id(thing) for thing in own.definitions()}
        self.columns = {name: array(code) for name, (_, code) in layout.COLUMNS.items()}
        self.columns["edge_start"].append(0)
        self.target, self.kinds, self.edge_labels = (
            self.columns[f"edge_{part}"] for part in ("target", "kind", "label")
        )
        self.types = []
        self.plans = {}
        self.own_names = {}  # row -> row in labels
        self.first_rows = {str: {}, bytes: {}}  # text -> row; two tables, since comparing the two can warn
        self.frames = Frames(stacks, self.labels)
        self.frames.learn_cells(tracked, self._known_at)
        self.references = References(self.labels, self.frames, classes.SubclassTables(tracked))

    def bulk(self):
        """Large containers of this walk, which hold numbers, or are emptied before anything is counted."""
        found = [self.objects, self.index, self.hidden, self.sites.row_at, self.own_names, self.modules]
        found += self.first_rows.values()
        return found + self.labels.bulk() + self.frames.bulk() + self.references.bulk()

    def _program_names(self, stacks, tracked):
        mine = own.spaces()
        codes = [code for stack in stacks for _, code, _, _, _ in stack.frames]
        codes += [f.__code__ for f in tracked if type(f) is FunctionType and id(f.__globals__) not in mine]
        spaces = [module_space(each) for _, each in self.modules if classes.derives_from(type(each), ModuleType)]
        spaces = [space for space in spaces if type(space) is dict and id(space) not in mine]
        return program_names(codes, spaces + classes.annotations_among(tracked))

    # -- seeds -------------------------------------------------------------------------------------

    def seed_roots(self, stacks):
        """Modules first, then threads, then static types: the order of preference for paths."""
        for name, module in self.modules:
            if id(module) not in self.hidden:
                self._root(module, layout.ROOT_MODULE, dotted_name(name))
        self.modules.clear()
        for stack in stacks:
            for frame, *_ in stack.frames:
                self._root(frame, layout.ROOT_THREAD, stack.name)
            for held in stack.held:
                self._root(held, layout.ROOT_THREAD, stack.name)
        for stack in stacks:
            for *_, values in stack.frames:
                for value in values:
                    self._visit(value)
        self._seed_static_types()

    def _seed_static_types(self):
        kinds = [object]
        seen = {id(object)}
        for kind in kinds:
            if not classes.is_heap_type(kind):
                self._root(kind, layout.ROOT_BUILTIN_TYPE, classes.type_name(kind))
            for derived in type.__subclasses__(kind):
                if id(derived) not in seen:
                    seen.add(id(derived))
                    kinds.append(derived)

    def _root(self, thing, kind, label):
        row = self._visit(thing)
        if row >= 0:
            self.columns["root_node"].append(row)
            self.columns["root_kind"].append(kind)
            self.columns["root_label"].append(self.labels.row(label))

    def add_unreached(self, tracked):
        """What no root reaches: held from C, or garbage that waits for the collector."""
        hidden = self.hidden
        for thing in tracked:
            if id(thing) not in hidden:
                self._visit(thing)

    # -- the walk ----------------------------------------------------------------------------------

    def _visit(self, thing):
        """The row of an object, new or known; -1 for one of the agent's."""
        key = id(thing)
        row = self.index.get(key)
        if row is None:
            if key in self.hidden:
                return -1
            row = self.index[key] = len(self.objects)
            self.objects.append(thing)
        return row

    def _known_at(self, address):
        row = self.index.get(address)
        return None if row is None else self.objects[row]

    def close_over(self):
        """Process rows until none is left; rows are found in breadth-first order from the seeds."""
        columns, known_plans = self.columns, self.plans
        types, sizes, starts = columns["node_type"], columns["node_size"], columns["edge_start"]
        target, first_rows = self.target, self.first_rows
        for row, thing in enumerate(islice(self.objects, len(types), None), len(types)):
            cls = type(thing)
            plan = known_plans.get(id(cls)) or self._plan(cls)
            types.append(plan.row)
            try:
                sizes.append(plan.sizeof(thing) + plan.extra_bytes)
            except Exception:
                sizes.append(object.__sizeof__(thing))
            kind = plan.kind
            if kind == plans.TEXT:
                first = first_rows[cls].setdefault(thing, row)
                if first != row:
                    columns["copy_node"].append(row)
                    columns["copy_of"].append(first)
            elif kind == plans.DICT:
                self._add_dict(thing)
            elif kind == plans.SEQUENCE:
                self._add(thing, len(thing), layout.INDEX, range(len(thing)))
            elif kind != plans.LEAF:
                self._add_references(row, thing, plan)
            elif plan.holds_class:
                self._add((cls,), 1, layout.CLASS, (-1,))
            starts.append(len(target))

    def _add_dict(self, thing):
        count = len(thing)
        if not shares_its_keys(thing):
            self._add(thing, count, layout.KEY, repeat(-1, count))
        if set(map(id, map(type, thing))) <= _STRINGS_ONLY:
            labels = map(self.labels.__getitem__, thing)
        else:
            labels = map(self.labels.of_key, thing)
        self._add(thing.values(), count, layout.VALUE, labels)

    def _add(self, values, count, kind, labels):
        """Add references of one kind; ``values`` can be gone through twice."""
        rows = list(map(self.index.get, map(id, values)))
        if None in rows:
            rows = list(map(self._visit, values))
            if -1 in rows:
                seen = [row >= 0 for row in rows]
                rows, labels = list(compress(rows, seen)), compress(labels, seen)
                count = len(rows)
        self.target.extend(rows)
        self.kinds.frombytes(_KIND_BYTES[kind] * count)
        self.edge_labels.extend(labels)

    def _add_references(self, row, thing, plan):
        target, kinds, edge_labels, get = self.target.append, self.kinds.append, self.edge_labels.append, self.index.get
        for value, kind, label in self.references.of(thing, plan):
            found = get(id(value))
            if found is None:
                found = self._visit(value)
                if found < 0:
                    continue
            target(found)
            kinds(kind)
            edge_labels(label)
        self.columns["node_size"][row] += self.references.inline_bytes
        name = self.references.own_name(thing, plan.kind)
        if name is not None:
            self.own_names[row] = self.labels.row(name)

    def _plan(self, cls):
        row = len(self.types)
        self.types.append(classes.type_name(cls))
        plan = self.plans[id(cls)] = plans.make_plan(cls, row, self.labels)
        return plan

    def _labels_in_use(self):
        """Rows of labels that something goes by: the others are texts in functions, and may be secrets."""
        named = (label for label, kind in zip(self.edge_labels, self.kinds, strict=True) if kind != layout.INDEX)
        return {*named, *self.columns["node_name"], *self.columns["root_label"]}

    # -- the end -----------------------------------------------------------------------------------

    def finish(self, share, facts, with_values):
        """Read reference counts, when nothing but ``objects`` and the agent's share holds them."""
        columns = self.columns
        columns["node_address"].extend(map(id, self.objects))
        columns["node_site"] = self.sites.column(columns["node_address"])
        self.sites.name_functions(self.objects)
        columns["node_name"].extend(map(self.own_names.get, range(len(self.objects)), repeat(-1)))
        rows = self.labels.rows[:]
        used = self._labels_in_use()
        for emptied in [*self.first_rows.values(), *self.labels.bulk(), *self.frames.bulk(), *self.references.bulk()]:
            emptied.clear()
        self.plans.clear()
        holds = share.holds()
        overhead = next(map(sys.getrefcount, [object()]))
        counts = array("q", map(sys.getrefcount, self.objects))
        held = map(holds.get, columns["node_address"], repeat(0))
        columns["node_refcount"].extend(
            -1 if count >= IMMORTAL else max(count - overhead - agents, 0)
            for count, agents in zip(counts, held, strict=True)
        )
        facts.update(nodes=len(counts), edges=len(self.target))
        labels = [row.decode() if number in used else "" for number, row in enumerate(rows)]
        text = None
        if with_values:
            columns["value_node"], columns["value_end"], text = beginnings.collect(self.objects, facts)
        return Result(columns, {"types": self.types, "labels": labels, "sites": self.sites.rows}, facts, text)
