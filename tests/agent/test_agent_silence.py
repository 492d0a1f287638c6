"""Taking a picture runs none of the program's code, in the worker or in the child, and changes nothing."""

from __future__ import annotations

import json

from agent_targets import Target

MARK = r"""
import os, sys
def mark(who):
    fd = os.open("mark", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(fd, (who + "\n").encode())
    os.close(fd)
def forget_marks():
    if os.path.exists("mark"):
        os.unlink("mark")
"""

ZOO = (
    MARK
    + r"""
import builtins, functools, gc, threading, types, warnings

def tell(name, result=None):
    def method(self, *args, **kwargs):
        mark(name)
        if isinstance(result, BaseException):
            raise result
        return result
    return method

NAMES = ("__repr__", "__str__", "__eq__", "__ne__", "__hash__", "__len__", "__iter__", "__bool__", "__contains__",
         "__sizeof__", "__getattr__", "__getattribute__", "__dir__", "__call__", "__getitem__", "__format__",
         "__reduce_ex__", "__index__", "__int__", "__instancecheck__", "__subclasscheck__", "__lt__", "__get__",
         "__set__", "__set_name__", "__missing__", "keys", "items", "values", "get", "mro", "__subclasses__",
         "__prepare__", "copy", "update", "__class_getitem__", "__del__")

def hostile(base, name, *but):
    body = {each: tell(name + "." + each, RuntimeError(each)) for each in NAMES if each not in but}
    body["__class__"] = property(tell(name + ".__class__", int))
    if base in (object,):
        body["__dict__"] = property(tell(name + ".__dict__", {}))
    body["some_property"] = property(tell(name + ".some_property"))
    return body

MetaBody = hostile(type, "Meta", "mro", "__call__", "__getattribute__", "__set_name__", "__prepare__")
MetaBody["__getattribute__"] = tell("Meta.__getattribute__", AttributeError("no"))
Meta = type("Meta", (type,), MetaBody)

class Descriptor:
    __get__ = tell("Descriptor.__get__", AttributeError("no"))
    __set__ = tell("Descriptor.__set__")
    __delete__ = tell("Descriptor.__delete__")
    __getattribute__ = tell("Descriptor.__getattribute__", AttributeError("no"))

class Str(str):
    __hash__ = str.__hash__
    __eq__ = str.__eq__
    armed = False
class ArmedStr(str):
    def __hash__(self):
        if ArmedStr.armed: mark("ArmedStr.__hash__")
        return str.__hash__(self)
    def __eq__(self, other):
        if ArmedStr.armed: mark("ArmedStr.__eq__")
        return str.__eq__(self, other)
    isidentifier = tell("ArmedStr.isidentifier")
    armed = False

Everything = type.__new__(Meta, "Everything", (), {**hostile(object, "Everything"), "descriptor": Descriptor()})
Plain = type.__new__(Meta, "Plain", (), {"descriptor": Descriptor(), "__module__": Descriptor()})
Slotted = type.__new__(Meta, "Slotted", (), {"__slots__": ("slot",)})
DictSub = type("DictSub", (dict,), hostile(dict, "DictSub"))
ListSub = type("ListSub", (list,), hostile(list, "ListSub"))
TupleSub = type("TupleSub", (tuple,), hostile(tuple, "TupleSub"))
SetSub = type("SetSub", (set,), hostile(set, "SetSub"))
IntSub = type("IntSub", (int,), hostile(int, "IntSub"))
ErrorSub = type("ErrorSub", (Exception,), hostile(Exception, "ErrorSub"))

kept = [object.__new__(Everything), object.__new__(Plain), object.__new__(Slotted),
        dict.__new__(DictSub), list.__new__(ListSub),
        tuple.__new__(TupleSub, (1, 2)), set.__new__(SetSub), int.__new__(IntSub, 7), Exception.__new__(ErrorSub)]
dict.update(kept[3], {"a": 1, ArmedStr("b"): 2})
list.append(kept[4], kept[0])
set.add(kept[6], 3)
object.__setattr__(kept[1], "attribute", kept[0])
in_dict = {ArmedStr("key"): kept[0], ArmedStr("__name__"): 1, "x": kept[1]}
class Armed:
    pass
armed = Armed(); armed.__dict__[ArmedStr("attribute")] = 1; armed.__dict__[ArmedStr("__class__")] = 2
globals()[ArmedStr("__name__")] = globals().pop("__name__")      # an equal key that is no str
odd_module = type("OddModule", (), {"__module__": 7})
odd_named = type("Odd", (), {}); odd_named.__module__ = Everything
def odd_function(): ...
odd_function.__module__ = kept[0]
odd_function.__dict__[ArmedStr("__wrapped__")] = kept[0]
class SlotTaker:
    taken = types.FunctionType.__dict__["__globals__"]     # a C descriptor of another type
    __sizeof__ = list.__sizeof__

class LazyModule(types.ModuleType):
    __getattr__ = tell("LazyModule.__getattr__", RuntimeError("no"))
    __getattribute__ = tell("LazyModule.__getattribute__", RuntimeError("no"))
    __dict__ = property(tell("LazyModule.__dict__", {}))
class NoModule:
    __getattr__ = tell("NoModule.__getattr__", RuntimeError("no"))
    __getattribute__ = tell("NoModule.__getattribute__", RuntimeError("no"))
sys.modules["lazy"] = types.ModuleType.__new__(LazyModule, "lazy")
sys.modules["no_module"] = object.__new__(NoModule)
sys.modules["__main__x"] = sys.modules["__main__"]
sys.modules["__main__"] = object.__new__(NoModule)
sys.modules["__config__"] = object.__new__(NoModule)
sys.modules["threading_saved"] = sys.modules["threading"]
sys.modules["threading"] = object.__new__(NoModule)
sys.modules[ArmedStr("armed_name")] = 3

class Globals(dict):
    get = tell("Globals.get")
    __getitem__ = dict.__getitem__
    __iter__ = tell("Globals.__iter__")
    items = tell("Globals.items")
parked = _thread_event = sys.modules["threading_saved"].Event()
running = sys.modules["threading_saved"].Event()
space = Globals(running=running, parked=parked, kept=kept, ArmedStr=ArmedStr)
code = "def wait_in_odd_globals(local=kept):\n    held = kept\n    running.set()\n    parked.wait()\n"
exec(compile(code, "odd", "exec"), space)
thread = sys.modules["threading_saved"].Thread(target=dict.__getitem__(space, "wait_in_odd_globals"))
thread.start(); running.wait()

def generate():
    local = kept
    yield
suspended = generate(); next(suspended)

for name in ("before", "after_in_child", "after_in_parent"):
    os.register_at_fork(**{name: functools.partial(mark, "fork hook " + name)})
ARMED_AUDIT = False
def audit(event, arguments):
    if ARMED_AUDIT and event.startswith("os.fork"):
        mark("audit " + event)
sys.addaudithook(audit)
class Finder:
    find_spec = staticmethod(lambda *a, **k: mark("meta_path") if ARMED_AUDIT else None)
sys.meta_path.insert(0, Finder())
original_import = builtins.__import__
def importing(*a, **k):
    if ARMED_AUDIT: mark("__import__")
    return original_import(*a, **k)
builtins.__import__ = importing
original_showwarning = warnings.showwarning
def showing(*a, **k):
    mark("showwarning")
warnings.showwarning = showing
def collected(phase, info):
    if ARMED_AUDIT: mark("gc callback " + phase)
gc.callbacks.append(collected)
gc.collect()

ArmedStr.armed = True
ARMED_AUDIT = True
take_now = take
forget_marks()
"""
)


def test_no_code_of_the_program_runs(target: Target) -> None:
    target.run(
        ZOO
        + r"""
take_now("x.heap")
marks = open("mark").read() if os.path.exists("mark") else ""
parked.set()
os.write(1, marks.encode())
os._exit(0)
""",
        "-W",
        "always",
    )
    picture = target.picture()
    assert not (target.folder / "mark").exists(), (target.folder / "mark").read_text()
    assert picture.nodes_of("__main__.IntSub") or "?" in picture.snapshot.types  # it was all there to be seen


def test_the_hostile_zoo_does_leave_marks_when_it_is_touched(target: Target) -> None:
    """The test above can fail: each kind of touching is noticed."""
    done = target.run(
        ZOO
        + r"""
touched = 0
for touch in (lambda: kept[0].anything, lambda: kept[0] == 1, lambda: Plain == Slotted, lambda: hash(Plain),
              lambda: list(kept[3].items()), lambda: sys.modules["lazy"].x, lambda: sys.modules["no_module"].x,
              lambda: in_dict.get("key"), lambda: isinstance(kept[0], int), lambda: Plain.descriptor,
              lambda: kept[1].descriptor, lambda: space.get("x"), lambda: len(kept[6]), gc.collect,
              lambda: __import__("this_is_not_there"),
              lambda: "armed_name" in sys.modules, lambda: (type in (Plain,))):
    forget_marks()
    try:
        touch()
    except Exception:
        pass
    touched += os.path.exists("mark")
    if not os.path.exists("mark"):
        import inspect
        os.write(2, b"unnoticed: %d\n" % touched)
pid = os.fork()
if pid == 0:
    os._exit(0)
parked.set()
os.write(1, b"%d" % touched)
os._exit(0)
""",
        "-W",
        "ignore",
    )
    assert done.stdout == "17", done.stderr
    assert "fork hook after_in_child" in (target.folder / "mark").read_text()
    assert "audit os.fork" in (target.folder / "mark").read_text()


def test_a_warning_about_forks_never_reaches_the_program(target: Target) -> None:
    done = target.run(
        """
        import threading, time
        stop = threading.Event()
        thread = threading.Thread(target=stop.wait)
        thread.start()
        try:
            take("x.heap")
        finally:
            stop.set()
        print("done")
        """,
        "-W",
        "error",
    )
    assert done.stdout.strip() == "done"
    assert done.stderr == ""
    assert target.picture().root("threading")


def test_the_worker_is_left_as_it_was(target: Target) -> None:
    done = target.run(
        """
        import gc, json, os, threading, time, weakref
        class Inline:
            def __init__(self):
                self.first, self.second = object(), [1]
        inline = [Inline() for _ in range(50)]
        class Watched: pass
        went_on, stop, dropped = threading.Event(), threading.Event(), threading.Event()
        seen = []
        def work():
            watched = Watched()
            seen.append(weakref.ref(watched))
            went_on.set()
            stop.wait()
            del watched
            dropped.set()
            threading.Event().wait(5)
        threading.Thread(target=work, daemon=True).start()
        went_on.wait()
        def private():
            with open("/proc/self/smaps_rollup") as lines:
                return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
        def descriptors():
            return sorted(os.listdir("/proc/self/fd"))
        def children():
            return open(f"/proc/self/task/{os.getpid()}/children").read()
        gc.collect()
        def collections():
            return [stat["collections"] for stat in gc.get_stats()]
        def facts():
            return [descriptors(), threading.active_count(), len(os.listdir("/proc/self/task")), os.nice(0)]
        before, before_collections = facts(), collections()
        memory = []
        for number in range(21):
            take("x.heap")
            memory.append(private())
        after_collections, after = collections(), facts()
        stop.set(); dropped.wait()
        print(json.dumps({
            "facts": [before, after],
            "children": children(),
            "collections": [before_collections, after_collections],
            "growth_bytes": max(memory[1:]) - memory[0],
            "still_inline": all(dict not in map(type, gc.get_referents(each)) for each in inline),
            "pinned": seen[0]() is not None,
            "enabled": gc.isenabled(),
            "left": [name for name in os.listdir(".") if "partial" in name],
        }))
        os._exit(0)
        """
    )
    facts = json.loads(done.stdout)
    assert facts["facts"][0] == facts["facts"][1]
    assert facts["children"] == ""
    assert facts["growth_bytes"] < 1 << 20
    assert facts["still_inline"]
    assert not facts["pinned"]
    assert facts["enabled"]
    assert facts["left"] == []
    assert facts["collections"][0] == facts["collections"][1]


def test_a_disabled_collector_stays_disabled_and_frozen_objects_are_seen(target: Target) -> None:
    done = target.run(
        """
        import gc
        class Frozen: pass
        frozen = [Frozen()]
        gc.collect(); gc.freeze(); gc.disable()
        count = gc.get_freeze_count()
        take("x.heap")
        print(gc.isenabled(), gc.get_freeze_count() == count)
        """
    )
    assert done.stdout.split() == ["False", "True"]
    picture = target.picture()
    assert picture.type_of(picture.glob("frozen", 0)) == "__main__.Frozen"
    assert picture.snapshot.header["gc_frozen"] > 1000


def test_a_dictionary_the_program_got_from_locals_keeps_what_it_put_there(target: Target) -> None:
    done = target.run(
        """
        import threading, sys
        ready, go = threading.Event(), threading.Event()
        result = []
        def render():
            title = "t"
            names = locals()
            names["added"] = 1
            later = 2
            ready.set(); go.wait()
            result.append(sorted(name for name in names if name not in ("names",)))
        def from_outside():
            value = 1
            ready2.set(); go.wait()
            return value
        thread = threading.Thread(target=render); thread.start(); ready.wait()
        ready2 = threading.Event()
        other = threading.Thread(target=from_outside); other.start(); ready2.wait()
        frame = sys._current_frames()[other.ident]
        while frame.f_code is not from_outside.__code__:
            frame = frame.f_back
        kept = frame.f_locals        # as a debugger does
        take("x.heap")
        print("value" in kept)
        go.set(); thread.join(); other.join()
        print(result[0])
        """
    )
    assert done.stdout.split("\n")[:2] == ["True", "['added', 'title']"]
