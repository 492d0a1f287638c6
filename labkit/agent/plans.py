"""How to read the objects of a type, decided once per type.

Only C code of the interpreter is called: descriptors found in the raw class dictionaries, never
``getattr``, so that properties, ``__getattr__`` and metaclasses of the app stay asleep.
"""

import sys
import types

from . import layout, memory
from .classes import (
    HEAP_TYPE,
    TYPE_SUBCLASS,
    derives_from,
    flags_of,
    has_dict,
    mro_of,
    name_of,
    namespace_of,
    type_name,
)
from .labels import entry_of
from .parts import PARTS

MANAGED_WEAKREF = 1 << 3
MANAGED_DICT = 1 << 4
HAVE_GC = 1 << 14
GC_HEADER_BYTES = 16

_frame_bytes = types.FrameType.__basicsize__

#: C attributes that are computed, but only hand out what the object holds.
HARMLESS_GETTERS = {
    id(types.FunctionType): {
        "__code__",
        "__defaults__",
        "__kwdefaults__",
        "__name__",
        "__qualname__",
        "__type_params__",
    },
    id(types.BuiltinFunctionType): {"__self__"},
    id(BaseException): {"__traceback__", "__context__", "__cause__", "args"},
    id(types.TracebackType): {"tb_next"},
    id(types.CellType): {"cell_contents"},
    id(types.GeneratorType): {"gi_code", "gi_yieldfrom", "__name__", "__qualname__"},
    id(types.CoroutineType): {"cr_code", "cr_await", "__name__", "__qualname__"},
    id(types.AsyncGeneratorType): {"ag_code", "ag_await", "__name__", "__qualname__"},
}
FUTURE_GETTERS = {"_coro", "_loop", "_fut_waiter", "_result", "_exception", "_source_traceback", "_cancel_message"}
FUTURES = {"_asyncio.Task", "_asyncio.Future"}
#: C attributes that hold an object the collector is not told of; None stands for nothing.
UNTOLD = {"numpy.ndarray": ("base", "dtype")}
#: C containers whose content has neither names nor positions a person could use.
CONTAINERS = {
    "functools._lru_cache_wrapper",
    "functools._lru_list_elem",
    "itertools.chain",
    "_queue.SimpleQueue",
    "Context",
    "_contextvars.Context",
    "hamt",
    "hamt_bitmap_node",
    "hamt_array_node",
    "hamt_collision_node",
    "set",
    "frozenset",
}
#: C objects whose unnamed references are parts the interpreter keeps.
ALL_INTERNAL = {"function", "_thread._local", "mappingproxy"}
CODE_PARTS = ("co_consts", "co_names", "co_filename", "co_name", "co_qualname", "co_linetable", "co_exceptiontable")

LEAF, TEXT, DICT, SEQUENCE, SET, CODE, FUNCTION, TYPE, FRAME, GENERATOR, HAMT, LRU_CACHE, OTHER = range(13)
_EXACT = {
    id(str): TEXT,
    id(bytes): TEXT,
    id(dict): DICT,
    id(list): SEQUENCE,
    id(tuple): SEQUENCE,
    id(set): SET,
    id(frozenset): SET,
    id(types.CodeType): CODE,
    id(types.FunctionType): FUNCTION,
    id(types.FrameType): FRAME,
    id(types.GeneratorType): GENERATOR,
    id(types.CoroutineType): GENERATOR,
    id(types.AsyncGeneratorType): GENERATOR,
}


class Plan:
    """What the walker does with every object of one type."""

    __slots__ = (
        "base_items",
        "dict_getter",
        "extra_bytes",
        "fields",
        "holds_class",
        "keeps_key_twice",
        "kind",
        "managed",
        "members",
        "parts",
        "row",
        "sizeof",
        "unnamed",
        "untold",
    )

    def __init__(self, kind, row):
        self.kind = kind
        self.row = row
        self.members = []  # (label, edge kind, getter)
        self.dict_getter = None
        self.managed = False  # the interpreter may keep attributes without a dictionary
        self.base_items = None  # dict, list, tuple or deque, when the type is or derives from it
        self.fields = ()  # of a named tuple
        self.holds_class = False
        self.keeps_key_twice = False  # OrderedDict: the entry and the link both hold the key
        self.sizeof = object.__sizeof__
        self.extra_bytes = 0
        self.unnamed = layout.UNKNOWN  # the edge kind of a reference no descriptor explains
        self.parts = ()  # the orders of such references, by parts.py
        self.untold = []  # (label, edge kind, getter) of references the collector is not told of


def make_plan(cls, row, labels):
    """Look at a type's raw class dictionaries once and decide how its instances are read."""
    mro, flags = mro_of(cls), flags_of(cls)
    plan = Plan(_kind(cls, flags), row)
    found_sizeof = False
    for base in mro:
        space = namespace_of(base)
        has_slots = entry_of(space, "__slots__") is not None
        for name, entry in dict.items(space):
            if type(name) is not str:
                continue
            found_sizeof = found_sizeof or _take_sizeof(plan, name, entry)
            if plan.kind not in (LEAF, TEXT, DICT, SEQUENCE, SET, CODE):
                label = labels[name] if has_slots else None
                _take_member(plan, base, name, entry, label, labels)
    _take_items(plan, cls)
    _take_layout(plan, cls, flags)
    names = [type_name(base) for base in mro]
    plan.parts = next((PARTS[name] for name in names if name in PARTS), ())
    if not CONTAINERS.isdisjoint(names):
        plan.unnamed = layout.ELEMENT
    elif not ALL_INTERNAL.isdisjoint(names):
        plan.unnamed = layout.INTERNAL
    _take_untold(plan, mro, names, labels)
    return plan


def _kind(cls, flags):
    exact = _EXACT.get(id(cls))
    if exact is not None:
        return exact
    if flags & TYPE_SUBCLASS:
        return TYPE
    if not flags & HEAP_TYPE and name_of(cls) == "hamt_bitmap_node":
        return HAMT
    if type_name(cls) == "functools._lru_cache_wrapper":
        return LRU_CACHE
    return OTHER if flags & HAVE_GC else LEAF


def _take_sizeof(plan, name, entry):
    if name == "__sizeof__" and type(entry) is types.MethodDescriptorType and plan.kind != FRAME:
        plan.sizeof = entry
        return True
    return False


def _take_member(plan, base, name, entry, label, labels):
    """Note how to read one C attribute; ``label`` is None where the name is the interpreter's own."""
    if type(entry) is types.MemberDescriptorType:
        plan.members.append((labels.row(name) if label is None else label, edge_kind(name), entry.__get__))
    elif type(entry) is types.GetSetDescriptorType:
        if name == "__dict__":
            if plan.dict_getter is None and plan.kind != TYPE:
                plan.dict_getter = entry.__get__
        elif _is_harmless(base, name):
            plan.members.append((labels.row(name), edge_kind(name), entry.__get__))


def _take_untold(plan, mro, names, labels):
    for base, base_name in zip(mro, names, strict=True):
        for name in UNTOLD.get(base_name, ()):
            entry = entry_of(namespace_of(base), name)
            if type(entry) is types.GetSetDescriptorType and not flags_of(base) & HEAP_TYPE:
                plan.untold.append((labels.row(name), edge_kind(name), entry.__get__))
    if plan.untold:
        plan.kind = OTHER


def _is_harmless(base, name):
    if name in HARMLESS_GETTERS.get(id(base), ()):
        return True
    return name in FUTURE_GETTERS and type_name(base) in FUTURES


def edge_kind(name):
    """Dunder names are parts of the interpreter's, others are attributes."""
    if name == "cell_contents":
        return layout.CLOSURE
    return layout.INTERNAL if name.startswith("__") and name.endswith("__") else layout.ATTRIBUTE


def _take_items(plan, cls):
    fast = sys.modules.get("_collections")
    known = [dict, list, tuple]
    if type(fast) is types.ModuleType:
        space = fast.__dict__
        known.append(space.get("deque"))
        plan.keeps_key_twice = derives_from(cls, space.get("OrderedDict"))
    if plan.kind == OTHER:
        for base in known:
            if base is not None and derives_from(cls, base):
                plan.base_items = base
    if plan.base_items is tuple:
        fields = (entry_of(namespace_of(base), "_fields") for base in mro_of(cls))
        plan.fields = next((found for found in fields if type(found) is tuple), ())


def _take_layout(plan, cls, flags):
    plan.managed = bool(flags & MANAGED_DICT)
    plan.holds_class = bool(flags & HEAP_TYPE)
    plan.extra_bytes = GC_HEADER_BYTES if flags & HAVE_GC else 0
    if flags & (MANAGED_DICT | MANAGED_WEAKREF):
        plan.extra_bytes += GC_HEADER_BYTES
    if plan.dict_getter is None and plan.kind == OTHER and (plan.managed or has_dict(cls)):
        plan.dict_getter = memory.dict_of
    if plan.kind == FRAME:
        plan.sizeof = _size_of_frame  # the real one reads the frame's data, which may be gone


def _size_of_frame(frame):
    return _frame_bytes
