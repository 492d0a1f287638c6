"""Facts about classes, read past whatever a metaclass or a class body overrides."""

from gc import get_referents
from weakref import ReferenceType

from .labels import dotted_name, entry_of

HEAP_TYPE = 1 << 9
READY = 1 << 12  # not so: ``_socket.socket`` of 3.11 while only ``_socket`` is imported, whose bases crash who asks
TYPE_SUBCLASS = 1 << 31

_raw_dict = type.__dict__["__dict__"].__get__
_module = type.__dict__["__module__"].__get__
_qualname = type.__dict__["__qualname__"].__get__
_bases = type.__dict__["__bases__"].__get__
name_of = type.__dict__["__name__"].__get__
base_of = type.__dict__["__base__"].__get__  # the base that gives instances their layout
_mro = type.__dict__["__mro__"].__get__
flags_of = type.__dict__["__flags__"].__get__
has_dict = type.__dict__["__dictoffset__"].__get__  # zero where instances keep no pointer to a dictionary
_NOTHING: dict[str, object] = {}


def mro_of(cls):
    """The classes whose attributes it has, itself first; empty for a type that nobody has used yet."""
    return _mro(cls) or ()


def is_heap_type(cls):
    """Whether a class was made at run time; static ones are C structures the collector skips."""
    return bool(flags_of(cls) & HEAP_TYPE)


def annotations_among(tracked):
    """The annotation dictionaries of all classes in ``tracked``."""
    found = []
    for thing in tracked:
        if flags_of(type(thing)) & TYPE_SUBCLASS:
            part = entry_of(namespace_of(thing), "__annotations__")
            if type(part) is dict:
                found.append(part)
    return found


def derives_from(cls, base):
    """``issubclass`` that asks nobody; comparing classes with ``==`` would ask a metaclass."""
    return any(one is base for one in mro_of(cls))


def type_name(cls):
    """``module.qualname``, without the module for builtins; '?' for what is no proper name."""
    module = entry_of(namespace_of(cls), "__module__") if is_heap_type(cls) else _module(cls)
    qualname = _qualname(cls)
    return dotted_name(qualname) if type(module) is str and module == "builtins" else dotted_name(module, qualname)


def namespace_of(cls):
    """The class's own dictionary, empty where it has none yet; the proxy in between is made and dropped here."""
    return next(iter(get_referents(_raw_dict(cls))), _NOTHING)


def class_parts(cls):
    """What a class refers to, with names, if it is told to the collector."""
    if not flags_of(cls) & READY:
        return []
    return [("__dict__", namespace_of(cls)), ("__bases__", _bases(cls)), ("__mro__", mro_of(cls))]


def class_names(cls):
    """The name and the qualified name, which the collector is not told of."""
    return [("__name__", name_of(cls)), ("__qualname__", _qualname(cls))]


class SubclassTables:
    """The table of subclasses that a class keeps out of the collector's sight: ``{address: weakref}``."""

    def __init__(self, tracked):
        self.table_with = {}
        for thing in tracked:
            if type(thing) is dict and thing:
                key, value = next(iter(thing.items()))
                if type(key) is int and type(value) is ReferenceType and id(value()) == key:
                    for address in thing:
                        if type(address) is int:
                            self.table_with.setdefault(address, []).append(thing)

    def of(self, cls):
        """The table of ``cls``, or None. Two classes with the same subclasses get one each."""
        subclasses = {id(derived) for derived in type.__subclasses__(cls)}
        candidates = self.table_with.get(next(iter(subclasses), 0), [])
        for position, table in enumerate(candidates):
            if table.keys() == subclasses:
                return candidates.pop(position)
        return None
