"""The object zoo, first part: what the language itself makes; how to read a row is in ``object_zoo.py``."""

LANGUAGE = r"""
class Slotted: __slots__ = ("first",)
slots = Slotted(); slots.first = T()
>> slots: attribute first > Treasure
class SlottedMore(Slotted): __slots__ = ("second", "empty")
slots_inherited = SlottedMore(); slots_inherited.first = T(); slots_inherited.second = Plain()
>> slots_inherited: attribute second > Plain, attribute first > Treasure
class Mangled:
    __slots__ = ("__private",)
    def __init__(self): self.__private = T()
slots_mangled = Mangled()
>> slots_mangled: attribute _Mangled__private > Treasure
class SlottedDict(Slotted): pass
slots_with_dict = SlottedDict(); slots_with_dict.first = T(); slots_with_dict.third = T()
>> slots_with_dict: attribute first > Treasure, attribute third > Treasure (3.12-), internal __dict__ > dict (3.13+)
class Shadowed(Slotted): __slots__ = ("first",)
slots_shadowed = Shadowed(); slots_shadowed.first = T(); Slotted.first.__set__(slots_shadowed, Plain())
>> slots_shadowed: attribute first > Treasure, attribute first > Plain
class SlotDict: __slots__ = ("__dict__", "first")
slot_dict = SlotDict(); slot_dict.first = T(); slot_dict.second = T()
>> slot_dict: attribute first > Treasure, attribute second > Treasure (3.12-), internal __dict__ > dict (3.13+)
inline = Plain(); inline.colour = T()
>> inline: attribute colour > Treasure
class PlainMangled:
    def __init__(self): self.__private = T()
inline_mangled = PlainMangled()
>> inline_mangled: attribute _PlainMangled__private > Treasure
materialised = Plain(); materialised.colour = T(); materialised.__dict__
>> materialised: internal __dict__ > dict
>> materialised.__dict__: value colour > Treasure
class ListSub(list): pass
list_sub = ListSub([T()]); list_sub.note = Plain()
>> list_sub: index 0 > Treasure, internal __dict__ > dict
class DictSub(dict): pass
dict_sub = DictSub(entry=T()); dict_sub.note = Plain()
>> dict_sub: value entry > Treasure, key > str, internal __dict__ > dict
class StrSub(str): pass
str_sub = StrSub("x"); str_sub.note = T()
>> str_sub: internal __dict__ > dict
class IntSub(int): pass
int_sub = IntSub(5); int_sub.note = T()
>> int_sub: internal __dict__ > dict
class TupleSub(tuple): pass
tuple_sub = TupleSub((T(),)); tuple_sub.note = Plain()
>> tuple_sub: index 0 > Treasure, internal __dict__ > dict
class SetSub(set): pass
set_sub = SetSub([T()]); set_sub.note = Plain()
>> set_sub: element > Treasure, internal __dict__ > dict
class FrozenSub(frozenset): pass
frozenset_sub = FrozenSub([T()]); frozenset_sub.note = Plain()
>> frozenset_sub: element > Treasure, internal __dict__ > dict
class DequeSub(collections.deque): pass
deque_sub = DequeSub([T()]); deque_sub.note = Plain()
>> deque_sub: index 0 > Treasure, internal __dict__ > dict
class Fault(Exception): pass
exception_sub = Fault(T()); exception_sub.note = Plain()
exception_sub.__cause__ = ValueError(1); exception_sub.__context__ = KeyError(2)
>> exception_sub: internal __dict__ > dict, attribute args > tuple, internal __cause__ > ValueError, internal
   __context__ > KeyError
exception_group = ExceptionGroup("m", [ValueError(T())])
>> exception_group: attribute message > str, attribute exceptions > tuple, attribute args > tuple
os_error = FileNotFoundError(2, "no", "file")
>> os_error: attribute errno > int, attribute strerror > str, attribute filename > str, attribute args > tuple, ...
stop_iteration = StopIteration(T())
>> stop_iteration: attribute value > Treasure, attribute args > tuple
import_error = ImportError("x", name="n", path="p")
>> import_error: attribute msg > str, attribute name > str, attribute path > str, attribute args > tuple
try: T().missing
except AttributeError as e: attribute_error = e
>> attribute_error: attribute obj > Treasure, attribute name > str, attribute args > tuple, internal __traceback__ >
   traceback
try: missing_name
except NameError as e: name_error = e
>> name_error: attribute name > str, attribute args > tuple, internal __traceback__ > traceback
try: "\xe9".encode("ascii")
except UnicodeError as e: unicode_error = e
>> unicode_error: attribute encoding > str, attribute object > str, attribute reason > str, attribute args > tuple,
   internal __traceback__ > traceback, ...
try: compile("(", "f", "exec")
except SyntaxError as e: syntax_error = e
>> syntax_error: attribute msg > str, attribute filename > str, attribute lineno > int, attribute offset > int,
   attribute end_lineno > int, attribute end_offset > int, attribute text > str, attribute args > tuple, internal
   __traceback__ > traceback, ...
system_exit = SystemExit(T())
>> system_exit: attribute code > Treasure, attribute args > tuple
key_error = KeyError(T()); key_error.add_note("n")
>> key_error: internal __dict__ > dict, attribute args > tuple
def fail(a):
    raise LookupError
try: fail(T())
except LookupError as e: traceback_ = e.__traceback__
>> traceback_: attribute tb_next > traceback, attribute tb_frame > frame
frame_done = traceback_.tb_next.tb_frame
>> frame_done: internal f_back > frame, internal f_func > function, internal f_code > code, local a > Treasure
def make(captured):
    def inner(): return captured
    return inner
closure = make(T())
>> closure: internal __code__ > code, internal __globals__ > dict, internal __builtins__ > dict, internal __module__
   > str, internal __doc__ > NoneType, internal __name__ > str, internal __closure__ > tuple, internal __qualname__
   > str
cell = make(T()).__closure__[0]
>> cell: closure > Treasure
>> closure.__closure__.0: closure captured > Treasure
closure_tuple = make(T()).__closure__
>> closure_tuple: index 0 > cell
def function(a=T(), *, b=Plain()) -> Treasure: ...
function.custom = T()
>> function: internal __code__ > code, internal __globals__ > dict, internal __builtins__ > dict, internal
   __module__ > str, internal __defaults__ > tuple, internal __kwdefaults__ > dict, internal __doc__ > NoneType,
   internal __name__ > str, internal __dict__ > dict, internal __annotations__ > dict, internal __qualname__ > str
def function_doc():
    "what it does"
>> function_doc: internal __code__ > code, internal __globals__ > dict, internal __builtins__ > dict, internal
   __module__ > str, internal __doc__ > str, internal __name__ > str, internal __qualname__ > str
lambda_ = lambda a=T(): a
>> lambda_: internal __code__ > code, internal __globals__ > dict, internal __builtins__ > dict, internal __module__
   > str, internal __defaults__ > tuple, internal __doc__ > NoneType, internal __name__ > str, internal __qualname__
   > str
def generate(first):
    second = T()
    yield lambda: first
    yield
generator = generate(T()); next(generator)
>> generator: attribute gi_code > code, internal __name__ > str, internal __qualname__ > str, internal f_func >
   function, internal f_code > code (3.11), local first > cell, local second > Treasure
generator_fresh = generate(T())
>> generator_fresh: attribute gi_code > code, internal __name__ > str, internal __qualname__ > str, internal f_func
   > function, internal f_code > code (3.11), local first > cell
def once(first):
    if 0: yield
generator_done = once(T()); list(generator_done)
def gen_temp(first):
    for second in iter([T()]):
        with contextlib.nullcontext(T()) as third:
            yield
generator_temporaries = gen_temp(T()); next(generator_temporaries)
>> generator_temporaries: attribute gi_code > code, internal __name__ > str, internal __qualname__ > str, internal
   f_func > function, internal f_code > code (3.11), local first > Treasure, local second > Treasure, local third >
   Treasure, unknown > list_iterator, unknown > method
def gen_from(first):
    yield from gen_temp(first)
generator_from = gen_from(T()); next(generator_from)
>> generator_from: attribute gi_code > code, internal __name__ > str, internal __qualname__ > str, internal f_func >
   function, internal f_code > code (3.11), local first > Treasure, attribute gi_yieldfrom > generator
genexpr = (x for x in [T()]); next(genexpr)
>> genexpr: attribute gi_code > code, internal __name__ > str, internal __qualname__ > str, internal f_func >
   function, internal f_code > code (3.11), local .0 > tuple_iterator, local x > Treasure, unknown > tuple_iterator
class Pause:
    def __await__(self): yield
async def co_inner():
    second = T()
    await Pause()
async def co_outer():
    first = T()
    await co_inner()
coroutine = co_outer(); coroutine.send(None)
>> coroutine: attribute cr_code > code, internal __name__ > str, internal __qualname__ > str, internal f_func >
   function, internal f_code > code (3.11), local first > Treasure, attribute cr_await > coroutine
async def agen():
    first = T()
    yield 1
async_generator = agen()
agen_step = async_generator.__anext__()
try: agen_step.send(None)
except StopIteration: pass
>> async_generator: attribute ag_code > code, internal __name__ > str, internal __qualname__ > str, internal f_func
   > function, internal f_code > code (3.11), local first > Treasure
async_generator2 = agen()
agen_asend = async_generator2.asend(None)
>> agen_asend: attribute generator > async_generator, attribute value > NoneType
agen_athrow = async_generator2.athrow(ValueError)
>> agen_athrow: attribute generator > async_generator, attribute arguments > tuple
co_fresh = co_outer()
coroutine_wrapper = co_fresh.__await__()
>> coroutine_wrapper: attribute coroutine > coroutine
partial = functools.partial(function, T(), entry=Plain())
>> partial: attribute func > function, attribute args > tuple, attribute keywords > dict
partial_attr = functools.partial(function); partial_attr.note = T()
>> partial_attr: attribute func > function, attribute args > tuple, attribute keywords > dict, internal __dict__ >
   dict
partialmethod = functools.partialmethod(function, T())
>> partialmethod: attribute func > function, attribute args > tuple, attribute keywords > dict
watched = Weak()
def on_death(r): ...
weakref_cb = weakref.ref(watched, on_death)
>> weakref_cb: internal __callback__ > function
weakref_proxy = weakref.proxy(watched, on_death)
>> weakref_proxy: internal __callback__ > function
class RefSub(weakref.ref): pass
weakref_sub = RefSub(watched, on_death); weakref_sub.note = T()
>> weakref_sub: internal __callback__ > function, internal __dict__ > dict
weak_method = None
class HasMethod:
    def meth(self): ...
has_method = HasMethod()
weak_method = weakref.WeakMethod(has_method.meth)
>> weak_method: attribute _alive > bool, attribute _func_ref > weakref.ReferenceType, attribute _meth_type > type,
   internal __callback__ > function
finalize = weakref.finalize(watched, on_death, T()); finalize.atexit = False
>> finalize:
finalize_registry = weakref.finalize._registry
finalize_info = weakref.finalize._registry[finalize]
>> finalize_info: attribute args > tuple, attribute atexit > bool, attribute func > function, attribute index > int,
   attribute kwargs > NoneType, attribute weakref > weakref.ReferenceType, ...
bound_method = has_method.meth
>> bound_method: internal __func__ > function, internal __self__ > HasMethod
builtin_method = [T()].append
>> builtin_method: internal __self__ > list
method_wrapper = T().__init__
>> method_wrapper: unknown > wrapper_descriptor, internal __self__ > Treasure
method_descriptor = list.append
>> method_descriptor: internal __objclass__ > type
wrapper_descriptor = object.__init__
>> wrapper_descriptor: internal __objclass__ > type
member_descriptor = Slotted.first
>> member_descriptor: internal __objclass__ > type
getset_descriptor = Plain.__dict__["__dict__"]
>> getset_descriptor: internal __objclass__ > type
classmethod_descriptor = dict.__dict__["fromkeys"]
>> classmethod_descriptor: internal __objclass__ > type
@functools.lru_cache(maxsize=8)
def lru_bounded(a): return T()
lru_bounded("k")
>> lru_bounded: element > functools._lru_list_elem, element > str, element > Treasure, element > dict, internal
   __wrapped__ > function, element > object, element > type, element > type, internal __dict__ > dict
@functools.lru_cache(maxsize=None)
def lru_unbounded(a): return T()
lru_unbounded("k")
>> lru_unbounded: element > dict, internal __wrapped__ > function, element > object, element > type, element > type,
   internal __dict__ > dict
@functools.singledispatch
def singledispatch(a): return T()
>> singledispatch: internal __code__ > code, internal __globals__ > dict, internal __builtins__ > dict, internal
   __module__ > str, internal __doc__ > NoneType, internal __name__ > str, internal __dict__ > dict, internal
   __closure__ > tuple, internal __annotations__ > dict, internal __qualname__ > str, internal __type_params__ >
   tuple (3.12+), ...
cmp_to_key = functools.cmp_to_key(function)
>> cmp_to_key: attribute cmp > function
cmp_key_object = cmp_to_key(T())
>> cmp_key_object: attribute cmp > function, attribute obj > Treasure
class HasCached:
    @functools.cached_property
    def thing(self): return T()
cached_property = HasCached.__dict__["thing"]
>> cached_property: attribute func > function, attribute attrname > str, attribute __doc__ > NoneType, attribute
   lock > _thread.RLock (3.11), attribute __module__ > str (3.13+), ...
cached_instance = HasCached(); cached_instance.thing
>> cached_instance: internal __dict__ > dict
contextvar = contextvars.ContextVar("contextvar", default=T())
>> contextvar: attribute name > str, attribute default > Treasure
context_token = contextvar.set(Plain())
>> context_token: attribute context > _contextvars.Context, attribute var > _contextvars.ContextVar
context_token2 = contextvar.set(T())
>> context_token2: attribute context > _contextvars.Context, attribute var > _contextvars.ContextVar, attribute
   old_value > Plain
context = contextvars.copy_context()
>> context: element > hamt
>> context.<hamt>: element > hamt_bitmap_node
>> context.<hamt>.<hamt_bitmap_node>: element > _contextvars.ContextVar, value contextvar > Treasure
thread_local = threading.local(); thread_local.custom = T()
>> thread_local: internal > tuple, internal > dict, internal > set (3.13+)
class LocalSub(threading.local):
    def __init__(self, a): self.custom = a
thread_local_sub = LocalSub(T())
>> thread_local_sub: internal > tuple, internal > dict, internal > set (3.13+)
deque = collections.deque([None, T()])
>> deque: index 0 > NoneType, index 1 > Treasure
deque_iterator = iter(deque)
>> deque_iterator: attribute iterable > collections.deque
mmap_ = mmap.mmap(-1, 4096)
>> mmap_:
class Colour(enum.Enum):
    RED = ("red", 1)
    BLUE = ("blue", 2)
enum_member = Colour.RED
>> enum_member: attribute _value_ > tuple, attribute _name_ > str, attribute __objclass__ > enum.EnumType, attribute
   _sort_order_ > int, ...
class Flags(enum.Flag):
    A = enum.auto(); B = enum.auto()
flag = Flags.A | Flags.B
class Num(enum.IntEnum):
    ONE = 1
int_enum = Num.ONE
>> int_enum: internal __dict__ > dict, ...
@dataclasses.dataclass
class Record:
    payload: object
dataclass = Record(T())
>> dataclass: attribute payload > Treasure
@dataclasses.dataclass(slots=True)
class SlotRecord:
    payload: object
dataclass_slots = SlotRecord(T())
>> dataclass_slots: attribute payload > Treasure
dataclass_field = Record.__dataclass_fields__["payload"]
>> dataclass_field: attribute _field_type > dataclasses._FIELD_BASE, attribute compare > bool, attribute default >
   dataclasses._MISSING_TYPE, attribute default_factory > dataclasses._MISSING_TYPE, attribute hash > NoneType,
   attribute init > bool, attribute kw_only > bool, attribute metadata > mappingproxy, attribute name > str,
   attribute repr > bool, attribute type > type, ...
class Meta(type): shared = T()
class WithMeta(metaclass=Meta): own = T()
metaclass = WithMeta
>> metaclass: internal __dict__ > dict, internal __mro__ > tuple, internal __bases__ > tuple, internal __base__ >
   type, internal __name__ > str, internal __qualname__ > str
class AbstractOne(abc.ABC):
    @abc.abstractmethod
    def meth(self): ...
metaclass_slots = AbstractOne
>> metaclass_slots: internal __dict__ > dict, internal __mro__ > tuple, internal __bases__ > tuple, internal
   __base__ > abc.ABCMeta, internal __name__ > str, internal __qualname__ > str
class_slots = Slotted
>> class_slots: internal __dict__ > dict, internal __mro__ > tuple, internal __bases__ > tuple, internal __base__ >
   type, internal __subclasses__ > dict, internal __name__ > str, internal __qualname__ > str
X = typing.TypeVar("X")
class Gen(typing.Generic[X]): ...
class_generic = Gen
>> class_generic: internal __dict__ > dict, internal __mro__ > tuple, internal __bases__ > tuple, internal __base__
   > type, internal __name__ > str, internal __qualname__ > str
def fget(self): ...
def fset(self, value): ...
def fdel(self): ...
property_ = property(fget, fset, fdel, "the doc")
>> property_: attribute fget > function, attribute fset > function, attribute fdel > function, internal __doc__ >
   str
staticmethod_ = staticmethod(function)
>> staticmethod_: internal __func__ > function, internal __dict__ > dict
staticmethod_attr = staticmethod(function); staticmethod_attr.note = T()
>> staticmethod_attr: internal __func__ > function, internal __dict__ > dict
classmethod_ = classmethod(function)
>> classmethod_: internal __func__ > function, internal __dict__ > dict
class Child(Plain): pass
super_ = super(Child, Child())
>> super_: internal __self__ > Child, internal __thisclass__ > type, internal __self_class__ > type
module = types.ModuleType("made_up"); module.custom = T()
>> module: internal __dict__ > dict
class ModuleSub(types.ModuleType): pass
module_sub = ModuleSub("made"); module_sub.custom = T()
>> module_sub: internal __dict__ > dict
module_extension = sys.modules["_functools"]
>> module_extension: unknown > object, unknown > type, unknown > type, unknown > type, internal __dict__ > dict, ...
Point = collections.namedtuple("Point", "left right")
namedtuple = Point(T(), Plain())
>> namedtuple: attribute left > Treasure, attribute right > Plain
class Pair(typing.NamedTuple):
    left: object
    right: object = None
named_typing = Pair(T(), Plain())
>> named_typing: attribute left > Treasure, attribute right > Plain
tuplegetter = Point.left
>> tuplegetter: internal __doc__ > str
mappingproxy = types.MappingProxyType({"entry": T()})
>> mappingproxy: internal mapping > dict
"""
