"""The compiled walker gives the picture the plain one gives of the same process, and gives way to it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from agent_targets import Picture, Target
from test_agent_names import ZOO

from labkit.drive.build_walker import build_walker

#: ``take_both`` has both walkers look at one process; twice, since the first look fills caches of the agent's own.
BOTH = """
import time as _time
from _labkit_agent import compiled as _compiled
_refused = _compiled.load({walker!r})
assert _refused is None, _refused
def take_both():
    _snapshot._take("c.heap", _time.perf_counter(), 60, _snapshot._start_compiled, _compiled.prepare())
    _snapshot._take("p.heap", _time.perf_counter(), 60, _snapshot._start_forked, None)
def take(*_):
    take_both()
    take_both()
"""

MORE = """
import array, asyncio, collections, contextvars, decimal, enum, functools, io, itertools, mmap, queue, re, sys
import threading, types, typing, weakref
class Deque(collections.deque): pass
class Slotless(int): __slots__ = ()
class Several: __slots__ = ("one", "two", "empty")
class Bytes(bytes): pass
class Named(typing.NamedTuple):
    first: object
    second: object
class Ordered(collections.OrderedDict): pass
class Counted(collections.Counter): pass
class Local(threading.local): pass
class Weak:
    __slots__ = ("__weakref__", "value")
class Wide:
    def __init__(self):
        for number in range(40):
            setattr(self, f"name_{number % 10}_{number // 10}", [number])
class Flag(enum.Flag):
    A = enum.auto(); B = enum.auto()
class Base:
    def __init_subclass__(cls, **keywords): cls.more = keywords
class Made(Base, key=[1]): pass
class Cached:
    @functools.cached_property
    def thing(self): return [self]
    @functools.lru_cache
    def method(self, key): return [key]
several = Several(); several.one = several; several.two = None
named, deque = Named([1], {2: 3}), Deque([[1], [2], None, None], maxlen=4)
ordered = Ordered(a=[1]); ordered[2] = [2]; ordered.note = []
counted = Counted("some letters"); counted.note = None
mixed = {1: "one", "two": 2, (3,): [3], None: None, 1.5: {}}
deleted = {name: [name] for name in ("alpha", "beta", "gamma")}; del deleted["beta"]
numbers, stream, view = array.array("d", [1.5]), io.BytesIO(b"abc"), memoryview(bytearray(9))
mapped = mmap.mmap(-1, 4096)
wide, weak = Wide(), Weak(); weak.value = [weakref.ref(weak), weakref.WeakSet([weak]), weakref.WeakValueDictionary(k=weak)]
cached = Cached(); cached.thing; cached.method(1); cached.method("x")
local = Local(); local.value = [local]
chained = [itertools.chain([1], [2]), itertools.count(), itertools.islice(iter([1, 2]), 1), iter({1: 2}), zip([1], [2])]
error = None
def fail(yes, no):
    flag, both = True, [yes]
    def inner(): return both, flag
    raise LookupError(inner)
try:
    fail(True, None)
except LookupError as caught:
    caught.__cause__ = ValueError([caught]); caught.add_note("a note"); error = caught
def generate(first):
    def inner():
        yield first
    yield from inner()
def outer():
    one, two = [1], None
    def inner(): return one, two
    return inner
inner = outer()
suspended = generate([1]); next(suspended)
fresh, finished = generate([2]), generate([3]); list(finished)
variable = contextvars.ContextVar("variable", default=[1])
contexts = []
for number in range(40):
    context = contextvars.copy_context(); context.run(variable.set, [number]); contexts.append(context)
context = contextvars.Context()
many = [contextvars.ContextVar(f"var_{number % 9}") for number in range(60)]
for each in many: context.run(each.set, [each])
async def sleep(time):
    held = [time]
    await asyncio.sleep(3600, held)
loop = asyncio.new_event_loop()
task = loop.create_task(sleep(5)); loop.call_soon(loop.stop); loop.run_forever()
future = loop.create_future(); future.set_result([1])
namespace = types.SimpleNamespace(a=[1]); proxy = types.MappingProxyType(mixed)
generic, union, pattern = list[int], int | str, re.compile("a(b)")
simple = queue.SimpleQueue(); simple.put([1])
number, text, text_ = decimal.Decimal("1.5"), "\\u00e9t\\u00e9", "\\U0001f600"
globals()["clé_name"] = [1]
builtins_of = [str.maketrans, [].append, "".join, dict.fromkeys, object().__init__, int.__add__]
bound, partial = cached.method, functools.partial(fail, 1, no=[2])
frozen, empty = frozenset([("a", 1)]), [set(), frozenset(), (), [], {}]
emptied = set(range(20)); [emptied.discard(each) for each in range(15)]
cycle = [[]]; cycle.append(cycle); del cycle
take()
task.cancel(); loop.run_until_complete(asyncio.gather(task, return_exceptions=True)); loop.close()
"""

#: Two classes with the same subclasses: which table is whose only the compiled walker can tell.
TABLES = "__subclasses__"


@pytest.fixture(scope="session")
def walker(python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled walker for this interpreter."""
    built, reason = build_walker(python, tmp_path_factory.mktemp("walker"))
    if built is None:
        pytest.skip(reason)
    return built


def _edges(picture: Picture) -> Counter[tuple[int, int | None, int, str | int | None]]:
    columns, labels = picture.columns, picture.snapshot.labels
    addresses = columns["node_address"].tolist()
    starts, targets = columns["edge_start"].tolist(), columns["edge_target"].tolist()
    kinds, rows = columns["edge_kind"].tolist(), columns["edge_label"].tolist()
    found: Counter[tuple[int, int | None, int, str | int | None]] = Counter()
    for node, address in enumerate(addresses):
        for edge in range(starts[node], starts[node + 1]):
            label = rows[edge] if kinds[edge] == 4 else labels[rows[edge]] if rows[edge] >= 0 else None
            target = None if label == TABLES else addresses[targets[edge]]
            found[address, target, kinds[edge], label] += 1
    return found


def _facts(picture: Picture) -> dict[int, tuple[str, int, str | None]]:
    columns = picture.columns
    return {
        int(address): (picture.type_of(node), int(columns["node_size"][node]), picture.name_of(node))
        for node, address in enumerate(columns["node_address"])
    }


def _roots(picture: Picture) -> list[tuple[int, int, str]]:
    columns = picture.columns
    return [
        (int(columns["node_address"][node]), int(kind), picture.snapshot.labels[label])
        for node, kind, label in zip(columns["root_node"], columns["root_kind"], columns["root_label"], strict=True)
    ]


@pytest.mark.parametrize("program", [ZOO, MORE], ids=["zoo", "more"])
def test_both_walkers_see_the_same_process_alike(target: Target, walker: Path, program: str) -> None:
    target.run(BOTH.format(walker=str(walker)) + program)
    compiled, plain = target.picture("c.heap"), target.picture("p.heap")
    assert compiled.snapshot.header["walker"] == "c"
    assert plain.snapshot.header["walker"] == "python"
    assert _facts(compiled) == _facts(plain)
    assert _roots(compiled) == _roots(plain)
    ours, theirs = _edges(compiled), _edges(plain)
    types = {address: facts[0] for address, facts in _facts(plain).items()}
    more = [(types[e[0]], e[1] and types[e[1]], *e[2:]) for e in (ours - theirs).elements()]
    less = [(types[e[0]], e[1] and types[e[1]], *e[2:]) for e in (theirs - ours).elements()]
    assert (more, less) == ([], [])


@pytest.mark.parametrize("program", [ZOO, MORE], ids=["zoo", "more"])
def test_no_object_has_more_references_than_it_counts(target: Target, walker: Path, program: str) -> None:
    target.run(BOTH.format(walker=str(walker)) + program)
    shares = []
    for name in ("c.heap", "p.heap"):
        picture = target.picture(name)
        nodes, gaps = picture.mortal_gaps()
        uncounted = {"bool", "NoneType", "ellipsis"} if picture.snapshot.header["python"].startswith("3.11") else set()
        assert {picture.type_of(int(node)) for node in nodes[gaps < 0]} <= uncounted, name
        shares.append(float((gaps == 0).mean()))
    assert shares[0] >= shares[1] - 0.001
