"""With tracemalloc on, objects carry the line and function that allocated them."""

from __future__ import annotations

import pytest
from agent_targets import SMALL_APP, Target

PROGRAM = """
import gc, tracemalloc
class Inline:
    def __init__(self):
        self.a = 1
class Slots:
    __slots__ = ("a", "__weakref__")
class Bare:
    __slots__ = ()
class Holder:
    kept = None
hoard = []
gc.disable()
def make():
    # the free lists hold memory from before
    hoard.append([(n,) * k for k in (1, 2, 3) for n in range(3000)])
    hoard.append([[{}, []] for n in range(300)])
    inline = Inline()  # line: inline
    slots = Slots()  # line: slots
    bare = Bare()  # line: bare
    mapping = {"k": 1}  # line: mapping
    items = [inline]  # line: items
    pair = (inline, slots)  # line: pair
    text = "".join(["te", str(id(inline))])  # line: text
    atoms = {"name": text + "!"}  # line: atoms
    nested = [{"deep": (text + "?",)}]  # line: nested
    if atoms["name"] == nested[0]["deep"]:
        return None
    return [inline, slots, bare, mapping, items, pair, text, atoms, nested]  # line: result
before = [object()]
KEPT = []
tracemalloc.start(3)
def call():
    KEPT.append(make())  # line: call
call()
take("x.heap")
print(tracemalloc.is_tracing(), tracemalloc.get_object_traceback(KEPT[0])[-1].lineno > 0)
"""


def _line(text: str, mark: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.endswith(f"# line: {mark}"))


def test_objects_know_the_line_and_function_that_made_them(target: Target) -> None:
    done = target.run(PROGRAM)
    assert done.stdout.split() == ["True", "True"]
    text = (target.folder / "target.py").read_text()
    picture = target.picture()
    result = picture.glob("KEPT", 0)
    names = ["inline", "slots", "bare", "mapping", "items", "pair", "text", "atoms", "nested"]
    for position, name in enumerate(names):
        site = picture.site(picture.follow(result, position))
        assert site[0] == ("target.py", _line(text, name), "make"), name
        assert site[1] == ("target.py", _line(text, "call"), "call"), name
    assert picture.site(result)[0][1:] == (_line(text, "result"), "make")


@pytest.mark.parametrize(("path", "mark"), [((7, "name"), "atoms"), ((8, 0, "deep", 0), "nested")])
def test_what_lies_in_containers_the_collector_gave_up_has_its_site_too(
    target: Target, path: tuple[str | int, ...], mark: str
) -> None:
    target.run(PROGRAM.replace("call()\ntake(", "call()\ngc.collect()\ntake("))
    text = (target.folder / "target.py").read_text()
    picture = target.picture()
    assert picture.site(picture.glob("KEPT", 0, *path))[0][1] == _line(text, mark)


def test_sites_are_absent_when_nobody_traces_and_for_what_was_there_before(target: Target) -> None:
    target.run(PROGRAM)
    picture = target.picture()
    assert picture.site(picture.glob("before", 0)) == []
    target.run(PROGRAM.replace("tracemalloc.start(3)", ""), check=False)
    assert target.picture().snapshot.sites == []


def test_tracing_begun_by_an_option_of_the_interpreter_is_used(target: Target) -> None:
    target.run('kept = [[object()]]\ntake("x.heap")', "-X", "tracemalloc")
    picture = target.picture()
    assert picture.site(picture.glob("kept", 0))[0][0] == "target.py"


def test_an_agent_can_start_tracing_and_its_own_frames_stay_out(target: Target) -> None:
    with target.serve(SMALL_APP) as served:
        assert served.agent.trace_start(50) == {"ok": True}
        served.get("/traced")
        served.agent.snapshot(str(target.folder / "x.heap"))
    picture = target.picture()
    site = picture.site(picture.follow(picture.root("app"), "kept", 0))
    files = {file for file, _, _ in site}
    assert len(site) > 3
    assert not any("agent" in file or "launch" in file for file in files), files
    assert all(not file.startswith("/") for file in files), files


NESTED = """
import tracemalloc
KEPT = []
class Thing:
    pass
def subscribe(item):
    seen = [item]
    def on_change(event):  # line: def
        seen.append(event)
    KEPT.append(on_change)
    KEPT.append((lambda: Thing())())  # line: lambda
async def wait():  # line: async
    pass
tracemalloc.start(2)
subscribe(1)
KEPT.append(wait())  # line: made
take("x.heap")
KEPT[2].close()
"""


def test_a_function_is_made_by_the_one_around_it(target: Target) -> None:
    """The line of a ``def`` belongs to two functions; only the outer one allocates on it."""
    target.run(NESTED)
    text = (target.folder / "target.py").read_text()
    picture = target.picture()
    assert picture.site(picture.glob("KEPT", 0))[0] == ("target.py", _line(text, "def"), "subscribe")
    made = picture.site(picture.glob("KEPT", 1))
    assert made[0] == ("target.py", _line(text, "lambda"), "subscribe.<locals>.<lambda>")
    assert ("target.py", _line(text, "made"), "<module>") in picture.site(picture.glob("KEPT", 2))
