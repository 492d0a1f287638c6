"""How to name the references of an object, decided once per type.

Only C code of the interpreter is called: descriptors found in the raw class dictionaries, never
``getattr``, so that properties, ``__getattr__`` and metaclasses of the app stay asleep.
"""

import types

from . import layout
from .labels import dotted_name

HAVE_GC = 1 << 14
HEAP_TYPE = 1 << 9
MANAGED_DICT = 1 << 4
MANAGED_WEAKREF = 1 << 3
GC_HEADER_BYTES = 16

_raw_dict = type.__dict__["__dict__"].__get__
_mro = type.__dict__["__mro__"].__get__
_flags = type.__dict__["__flags__"].__get__
_module = type.__dict__["__module__"].__get__
_qualname = type.__dict__["__qualname__"].__get__
_bases = type.__dict__["__bases__"].__get__
_gi_frame = {
    id(types.GeneratorType): types.GeneratorType.__dict__["gi_frame"].__get__,
    id(types.CoroutineType): types.CoroutineType.__dict__["cr_frame"].__get__,
    id(types.AsyncGeneratorType): types.AsyncGeneratorType.__dict__["ag_frame"].__get__,
}
_f_locals = types.FrameType.__dict__["f_locals"].__get__

#: C attributes that are computed, but only hand out what the object holds.
HARMLESS_GETTERS = {
    id(types.FunctionType): {"__code__", "__defaults__", "__kwdefaults__", "__name__", "__qualname__"},
    id(types.BuiltinFunctionType): {"__self__"},
    id(BaseException): {"__traceback__", "__context__", "__cause__", "args"},
    id(types.TracebackType): {"tb_next"},
    id(types.FrameType): {"f_code", "f_globals", "f_builtins", "f_back"},
    id(types.CellType): {"cell_contents"},
}
HARMLESS_NAMES = {"_coro", "_loop", "_fut_waiter", "_result", "_exception"}  # of _asyncio.Task and Future
#: C containers whose content has neither names nor positions a person could use.
CONTAINERS = {
    "collections.deque",
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
CODE_PARTS = ("co_consts", "co_names", "co_filename", "co_name", "co_qualname", "co_linetable", "co_exceptiontable")

LEAF, DICT, SEQUENCE, SET, CODE, FUNCTION, TYPE, FRAME, GENERATOR, OTHER = range(10)
_EXACT = {
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

    __slots__ = ("base_items", "dict_getter", "extra_bytes", "kind", "members", "row", "sizeof", "unnamed")

    def __init__(self, kind, row):
        self.kind = kind
        self.row = row
        self.members = []  # (label, edge kind, getter)
        self.dict_getter = None
        self.base_items = None  # dict, list or tuple, when the type derives from it
        self.sizeof = object.__sizeof__
        self.extra_bytes = 0
        self.unnamed = layout.UNKNOWN  # the edge kind of a reference no descriptor explains


def is_heap_type(cls):
    """Whether a class was made at run time; static ones are C structures the collector skips."""
    return bool(_flags(cls) & HEAP_TYPE)


def type_name(cls):
    """``module.qualname``, without the module for builtins; '?' for what is no proper name."""
    try:
        module = _module(cls)
    except AttributeError:
        module = "?"
    qualname = _qualname(cls)
    return dotted_name(qualname) if module == "builtins" else dotted_name(module, qualname)


def namespace_of(cls):
    """The class's own dictionary; the proxy in between is made and dropped here."""
    import gc

    return gc.get_referents(_raw_dict(cls))[0]


def make_plan(cls, row, labels):
    """Look at a type's raw class dictionaries once and decide how its instances are read."""
    mro = _mro(cls)
    flags = _flags(cls)
    plan = Plan(_kind(cls, flags), row)
    found_sizeof = False
    for base in mro:
        for name, entry in dict.items(namespace_of(base)):
            if type(name) is not str:
                continue
            found_sizeof = found_sizeof or _take_sizeof(plan, name, entry)
            if plan.kind not in (LEAF, DICT, SEQUENCE, SET, CODE):
                _take_member(plan, base, name, entry, labels)
    for base in (dict, list, tuple):
        if cls is not base and base in mro:
            plan.base_items = base
    plan.extra_bytes = _header_bytes(cls, flags)
    if plan.kind is FUNCTION:
        plan.unnamed = layout.INTERNAL
    if any(type_name(base) in CONTAINERS for base in mro):
        plan.unnamed = layout.ELEMENT
    return plan


def _kind(cls, flags):
    exact = _EXACT.get(id(cls))
    if exact is not None:
        return exact
    if type in _mro(cls):
        return TYPE
    return OTHER if flags & HAVE_GC else LEAF


def _take_sizeof(plan, name, entry):
    if name == "__sizeof__" and type(entry) is types.MethodDescriptorType:
        plan.sizeof = entry
        return True
    return False


def _take_member(plan, base, name, entry, labels):
    if type(entry) is types.MemberDescriptorType:
        plan.members.append((labels.row(name), _edge_kind(name), entry.__get__))
    elif type(entry) is types.GetSetDescriptorType:
        if name == "__dict__":
            if plan.dict_getter is None and plan.kind is not TYPE:
                plan.dict_getter = entry.__get__
        elif name in HARMLESS_GETTERS.get(id(base), ()) or name in HARMLESS_NAMES:
            plan.members.append((labels.row(name), _edge_kind(name), entry.__get__))


def _edge_kind(name):
    if name == "cell_contents":
        return layout.CLOSURE
    return layout.INTERNAL if name.startswith("__") and name.endswith("__") else layout.ATTRIBUTE


def _header_bytes(cls, flags):
    extra = GC_HEADER_BYTES if flags & HAVE_GC else 0
    if flags & (MANAGED_DICT | MANAGED_WEAKREF):
        extra += GC_HEADER_BYTES
    return extra


def frame_locals(frame):
    """``[(name, value)]`` of a frame that is not running."""
    return list(_f_locals(frame).items())


def generator_locals(generator):
    """``[(name, value)]`` of a suspended generator or coroutine; empty for a finished one."""
    frame = _gi_frame[id(type(generator))](generator)
    return [] if frame is None else frame_locals(frame)


def class_parts(cls):
    """What a class refers to, with names: its dictionary, bases and resolution order."""
    return [("__dict__", namespace_of(cls)), ("__bases__", _bases(cls)), ("__mro__", _mro(cls))]
