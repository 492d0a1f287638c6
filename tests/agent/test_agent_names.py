"""Each kind of object: its references carry the names a person would write, and are counted exactly."""

from __future__ import annotations

import pytest
from agent_targets import Picture, Target

ZOO = '''
import asyncio, collections, contextvars, ctypes, dataclasses, enum, functools, threading, types, weakref

def treasure(name):
    """An object of a class of its own, so that it can be told at the end of a path."""
    return type(name, (), {})()

class Plain:
    def __init__(self, thing):
        self.colour = thing
class Slotted:
    __slots__ = ("first",)
    def __init__(self, thing):
        self.first = thing
class SlottedMore(Slotted):
    __slots__ = ("second", "empty")
    def __init__(self, thing, other):
        super().__init__(thing)
        self.second = other
class SlottedWithDict(Slotted):
    def __init__(self, thing, other):
        super().__init__(thing)
        self.third = other
class DictSub(dict):
    def __init__(self, **more):
        super().__init__(**more)
        self.note = treasure("InDictSubNote")
class ListSub(list):
    note = None
class TupleSub(tuple):
    pass
class SetSub(set):
    pass
class Meta(type):
    shared = treasure("InMeta")
class WithMeta(metaclass=Meta):
    own = treasure("InClass")
class Derived(Plain):
    pass
class Colour(enum.Enum):
    RED = ("red", 1)
@dataclasses.dataclass
class Record:
    payload: object
def read_names(thing, mapping):
    """Names in the program's text: these, and no others, may be shown."""
    return thing.own, thing.shared, mapping["entry"], mapping["other_entry"], thing.custom, Colour.RED

plain = Plain(treasure("InPlain"))
materialised = Plain(treasure("InMaterialised")); materialised.__dict__
replaced = Plain(None); replaced.__dict__ = DictSub(entry=treasure("InReplacedDict"))
slotted = SlottedMore(treasure("InSlot"), treasure("InSecondSlot"))
slotted_with_dict = SlottedWithDict(treasure("InSlotBeside"), treasure("BesideSlot"))
both = SlottedWithDict(None, None); both.first = both.third = treasure("InBoth"); both.__dict__
dict_sub = DictSub(entry=treasure("InDictSub"))
list_sub = ListSub([treasure("InListSub")]); list_sub.note = treasure("InListSubNote")
tuple_sub = TupleSub((treasure("InTupleSub"),))
set_sub = SetSub([treasure("InSetSub")])
ordered = collections.OrderedDict(entry=treasure("InOrdered")); ordered[treasure("OrderedKey")] = None
default = collections.defaultdict(list, entry=treasure("InDefault"))
queue = collections.deque([None, treasure("InDeque")])
plain_dict = {"entry": treasure("InDict"), treasure("DictKey"): treasure("UnderObjectKey")}
plain_list = [None, treasure("InList")]
plain_tuple = (None, treasure("InTuple"))
plain_set = {treasure("InSet")}

def make_closure(captured):
    def inner():
        return captured
    return inner
closure = make_closure(treasure("InClosure"))
def with_defaults(a=treasure("InDefaults"), *, b=treasure("InKwDefaults")):
    return 12345.678
with_defaults.custom = treasure("OnFunction")
bound = Plain(treasure("InBound")).__init__
part = functools.partial(with_defaults, treasure("InPartial"), b=treasure("InPartialKeyword"))

def generate(captured):
    waiting = treasure("InGenerator")
    yield lambda: captured
    yield waiting
suspended = generate(treasure("InGeneratorCell")); next(suspended)
class Pause:
    def __await__(self):
        yield
async def inner_coroutine():
    inside = treasure("InInnerCoroutine")
    await Pause()
    return inside
async def outer_coroutine():
    outside = treasure("InCoroutine")
    await inner_coroutine()
    return outside
coroutine = outer_coroutine(); coroutine.send(None)
async def generate_async():
    kept = treasure("InAsyncGenerator")
    yield 1
    yield kept
async_generator = generate_async()
step = async_generator.__anext__()
try:
    step.send(None)
except StopIteration:
    pass

def fail():
    at_fault = treasure("InTraceback")
    raise LookupError("no value of this may be seen")
try:
    fail()
except LookupError as error:
    failure = error

watched = Plain(None)
def on_death(_): ...
watcher = weakref.ref(watched, on_death)
@functools.lru_cache(maxsize=8)
def bounded(key):
    return treasure("InBoundedCache")
bounded("k"); bounded("l")
@functools.lru_cache(maxsize=None)
def unbounded(key):
    return treasure("InUnboundedCache")
unbounded("k")
request = contextvars.ContextVar("request")
local = threading.local()
local.own = treasure("InOwnLocal")
started = threading.Barrier(2)
ending = threading.Event()

def wait_inside(argument):
    in_frame = treasure("InFrame")
    captured_here = treasure("InFrameCell")
    again = lambda: captured_here
    local.custom = treasure("InOtherLocal")
    request.set(treasure("InContext"))
    try:
        raise LookupError
    except LookupError as error:
        error.custom = treasure("OnHandledException")
        del error
        started.wait()
        ending.wait()
    return in_frame, again
def run_thread():
    wait_inside(treasure("InArgument"))
other = threading.Thread(target=run_thread)
other.start()
started.wait()

module = types.ModuleType("made_up"); module.custom = treasure("InModule")
prop = property(lambda self: None)
method = classmethod(with_defaults)
static = staticmethod(with_defaults)
proxy = types.MappingProxyType({"entry": treasure("InProxy")})
record = Record(treasure("InDataclass"))
held_from_c = treasure("HeldFromC")
ctypes.pythonapi.Py_IncRef(ctypes.py_object(held_from_c))
cycle = [treasure("InCycle")]; cycle.append(cycle); del cycle

def call_from_here():
    in_calling_frame = treasure("InCallingFrame")
    take("x.heap")
    return in_calling_frame
call_from_here()
ending.set()
coroutine.close()
'''

_PICTURES: dict[str, Picture] = {}


@pytest.fixture
def zoo(python: str, target: Target) -> Picture:
    """One picture of the zoo per interpreter."""
    if python not in _PICTURES:
        target.run(ZOO)
        _PICTURES[python] = target.picture()
    return _PICTURES[python]


PATHS: dict[str, tuple[str | int, ...]] = {
    "InPlain": ("plain", "colour"),
    "InMaterialised": ("materialised", "__dict__", "colour"),
    "InReplacedDict": ("replaced", "__dict__", "entry"),
    "InSlot": ("slotted", "first"),
    "InSecondSlot": ("slotted", "second"),
    "InSlotBeside": ("slotted_with_dict", "first"),
    "BesideSlot": ("slotted_with_dict", "third"),
    "InBoth": ("both", "third"),
    "InDictSub": ("dict_sub", "entry"),
    "InDictSubNote": ("dict_sub", "note"),
    "InListSub": ("list_sub", 0),
    "InListSubNote": ("list_sub", "note"),
    "InTupleSub": ("tuple_sub", 0),
    "InOrdered": ("ordered", "entry"),
    "InDefault": ("default", "entry"),
    "InDeque": ("queue", 1),
    "InDict": ("plain_dict", "entry"),
    "InList": ("plain_list", 1),
    "InTuple": ("plain_tuple", 1),
    "InClosure": ("closure", "__closure__", 0, "captured"),
    "InDefaults": ("with_defaults", "__defaults__", 0),
    "InKwDefaults": ("with_defaults", "__kwdefaults__", "b"),
    "OnFunction": ("with_defaults", "custom"),
    "InBound": ("bound", "__self__", "colour"),
    "InPartial": ("part", "args", 0),
    "InPartialKeyword": ("part", "keywords", "b"),
    "InGenerator": ("suspended", "waiting"),
    "InGeneratorCell": ("suspended", "captured", "captured"),
    "InCoroutine": ("coroutine", "outside"),
    "InInnerCoroutine": ("coroutine", "cr_await", "inside"),
    "InAsyncGenerator": ("async_generator", "kept"),
    "InTraceback": ("failure", "__traceback__", "tb_next", "tb_frame", "at_fault"),
    "InMeta": ("Meta", "shared"),
    "InClass": ("WithMeta", "own"),
    "InModule": ("module", "custom"),
    "InProxy": ("proxy", "entry"),
    "InDataclass": ("record", "payload"),
    "HeldFromC": ("held_from_c",),
}


@pytest.mark.parametrize("name", PATHS)
def test_the_path_to_an_object_reads_as_a_person_would_write_it(zoo: Picture, name: str) -> None:
    steps = PATHS[name]
    if name == "InProxy":  # the proxy's own reference to the dictionary has no name
        proxy = zoo.glob("proxy")
        (inside,) = [node for _, _, node in zoo.edges(proxy) if zoo.type_of(node) == "dict"]
        found = zoo.follow(inside, "entry")
    else:
        found = zoo.glob(str(steps[0]), *steps[1:])
    assert zoo.type_of(found) == f"__main__.{name}"


@pytest.mark.parametrize(
    ("name", "holder", "kind"),
    [
        ("InSetSub", "__main__.SetSub", "element"),
        ("InSet", "set", "element"),
        ("InBoundedCache", "functools._lru_cache_wrapper", "element"),
        ("InUnboundedCache", "dict", "value"),
        ("UnderObjectKey", "dict", "value"),
        ("DictKey", "dict", "key"),
        ("OrderedKey", "collections.OrderedDict", "key"),
    ],
)
def test_what_has_no_name_is_an_element_or_an_entry(zoo: Picture, name: str, holder: str, kind: str) -> None:
    for node in zoo.nodes_of(f"__main__.{name}"):
        assert (holder, kind) in [(zoo.type_of(source), how) for source, how, _ in zoo.referrers(node)]


@pytest.mark.parametrize(
    ("name", "frame", "steps"),
    [
        ("InFrame", "__main__.wait_inside", ("in_frame",)),
        ("InFrameCell", "__main__.wait_inside", ("captured_here", "captured_here")),
        ("InArgument", "__main__.wait_inside", ("argument",)),
        ("InCallingFrame", "__main__.call_from_here", ("in_calling_frame",)),
    ],
)
def test_locals_of_running_frames_are_named(zoo: Picture, name: str, frame: str, steps: tuple[str, ...]) -> None:
    (node,) = [node for node in zoo.nodes_of("frame") if zoo.name_of(node) == frame]
    assert zoo.type_of(zoo.follow(node, *steps)) == f"__main__.{name}"


def test_frames_of_each_thread_are_roots_under_the_threads_name(zoo: Picture) -> None:
    columns = zoo.columns
    roots = {
        (zoo.name_of(int(node)), zoo.snapshot.labels[label])
        for node, kind, label in zip(columns["root_node"], columns["root_kind"], columns["root_label"], strict=True)
        if kind == 1 and zoo.type_of(int(node)) == "frame"
    }
    threads = {name: thread for name, thread in roots if name is not None}
    assert threads["__main__.call_from_here"] == "main thread"
    assert threads["__main__.wait_inside"] == threads["threading.Thread.run"] != "main thread"


def test_thread_local_storage_of_every_thread_hangs_on_its_local(zoo: Picture) -> None:
    local = zoo.glob("local")
    within = {node for _, _, part in zoo.edges(local) if zoo.type_of(part) == "dict" for _, _, node in zoo.edges(part)}
    spaces = [node for node in within if zoo.type_of(node) == "dict"]
    found = {zoo.type_of(target) for space in spaces for kind, _, target in zoo.edges(space) if kind == "value"}
    assert {"__main__.InOwnLocal", "__main__.InOtherLocal"} <= found
    labels = {label for space in spaces for kind, label, _ in zoo.edges(space) if kind == "value"}
    assert {"own", "custom"} <= labels


def test_a_context_variable_of_another_thread_is_held_by_that_thread(zoo: Picture) -> None:
    node = zoo.one("__main__.InContext")
    holders = [(zoo.type_of(source), kind, label) for source, kind, label in zoo.referrers(node)]
    assert ("hamt_bitmap_node", "value", "request") in holders
    kinds = {
        zoo.type_of(int(root))
        for root, kind in zip(zoo.columns["root_node"], zoo.columns["root_kind"], strict=True)
        if kind == 1
    }
    assert any(name.endswith("Context") for name in kinds)


def test_an_exception_another_thread_is_handling_is_a_root_of_that_thread(zoo: Picture) -> None:
    node = zoo.one("__main__.OnHandledException")
    (error,) = {
        zoo.referrers(source)[0][0] if zoo.type_of(source) == "dict" else source for source, _, _ in zoo.referrers(node)
    }
    assert zoo.type_of(error) == "LookupError"
    assert error in zoo.columns["root_node"][zoo.columns["root_kind"] == 1]


def test_a_weak_reference_holds_its_callback_and_not_its_object(zoo: Picture) -> None:
    watcher = zoo.glob("watcher")
    assert zoo.name_of(zoo.follow(watcher, "__callback__")) == "__main__.on_death"
    assert zoo.glob("watched") not in [target for _, _, target in zoo.edges(watcher)]


def test_classes_name_their_parts(zoo: Picture) -> None:
    derived = zoo.glob("Derived")
    assert zoo.follow(derived, "__bases__", 0) == zoo.follow(derived, "__base__") == zoo.glob("Plain")
    assert zoo.follow(derived, "__mro__", 0) == derived
    with_meta = zoo.glob("WithMeta")
    assert ("class", None, zoo.glob("Meta")) in zoo.edges(with_meta)
    assert zoo.type_of(zoo.follow(zoo.glob("Plain"), "__subclasses__")) == "dict"


def test_functions_and_descriptors_name_their_parts(zoo: Picture) -> None:
    function = zoo.glob("with_defaults")
    assert zoo.name_of(function) == "__main__.with_defaults"
    assert zoo.follow(function, "__globals__") == zoo.follow(zoo.root("__main__"), "__dict__")
    constants = zoo.follow(function, "__code__", "co_consts")
    assert "float" in [zoo.type_of(target) for _, _, target in zoo.edges(constants)]
    assert zoo.type_of(zoo.glob("prop", "fget")) == "function"
    assert zoo.glob("method", "__func__") == zoo.glob("static", "__func__") == function
    assert zoo.glob("part", "func") == function
    assert zoo.type_of(zoo.glob("Colour", "RED")) == "__main__.Colour"


def test_string_keys_are_part_of_the_picture(zoo: Picture) -> None:
    keys = [zoo.type_of(node) for kind, _, node in zoo.edges(zoo.glob("plain_dict")) if kind == "key"]
    assert sorted(keys) == ["__main__.DictKey", "str"]


def test_a_reference_held_in_c_shows_as_a_gap_of_the_count(zoo: Picture) -> None:
    assert zoo.gap(zoo.glob("held_from_c")) == 1


@pytest.mark.parametrize("name", [name for name in PATHS if name != "HeldFromC"])
def test_every_named_object_has_all_its_references_explained(zoo: Picture, name: str) -> None:
    assert zoo.gap(zoo.one(f"__main__.{name}")) == 0


@pytest.mark.parametrize(
    "name",
    ["InSet", "InContext", "OrderedKey", "InFrame", "InFrameCell", "InOwnLocal", "InOtherLocal", "UnderObjectKey"],
)
def test_unnamed_objects_have_all_their_references_explained(zoo: Picture, name: str) -> None:
    assert zoo.gap(zoo.one(f"__main__.{name}")) == 0


def test_uncollected_garbage_is_part_of_the_picture(zoo: Picture) -> None:
    node = zoo.one("__main__.InCycle")
    (holder,) = [source for source, _, _ in zoo.referrers(node)]
    assert zoo.type_of(holder) == "list"
    assert (holder, "index", 1) in zoo.referrers(holder)
    assert zoo.gap(holder) == 0


def test_no_object_has_more_references_than_it_counts(zoo: Picture) -> None:
    nodes, gaps = zoo.mortal_gaps()
    # 3.11 lets the constants of its frozen modules refer to these without counting
    uncounted = {"bool", "NoneType", "ellipsis"} if zoo.snapshot.header["python"].startswith("3.11") else set()
    wrong = {zoo.type_of(int(node)) for node in nodes[gaps < 0]}
    assert wrong <= uncounted
