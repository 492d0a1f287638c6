"""From files to findings: every mechanism and every look-alike, in heaps of a few hundred objects."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from recorded import PER_RUNG, RUNGS, WARM_UP, Heap, record

from labkit.errors import StoreError, TooFewSnapshots
from labkit.findings.model import AllocationSite, Findings
from labkit.pipeline import analyse
from labkit.views.steps import steps_of

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "findings.schema.json"
Judge = Callable[..., Findings]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Record a capture, analyse it, and hold the answer against the published schema."""

    def run(heap_after: Callable[[int], Heap], **facts: object) -> Findings:
        findings = analyse(record(tmp_path / "capture", heap_after, **facts))  # type: ignore[arg-type]
        jsonschema.validate(json.loads(findings.model_dump_json()), json.loads(SCHEMA.read_text()))
        return findings

    return run


def shop() -> tuple[Heap, int]:
    """A process with other things in it, and the namespace of ``shop.sessions``."""
    heap = Heap()
    heap.filler()
    return heap, heap.module("shop.sessions")


def quiet(rung: int) -> Heap:
    return shop()[0]


def with_store(count: int, *, kind: str = "shop.Session", size: int = 48) -> Heap:
    """``shop.sessions.STORE``: a dict of so many objects, each with a namespace of 104 and a key of 70 bytes."""
    heap, space = shop()
    store = heap.new("dict", 64, held_by=(space, "value", "STORE"))
    for _ in range(count):
        one = heap.new(kind, size, held_by=(store, "value"))
        heap.new("dict", 104, held_by=(one, "internal", "__dict__"))
        heap.new("str", 70, held_by=(store, "key"))
    return heap


def leaking(rung: int) -> Heap:
    """30 sessions more on each rung of 100 requests."""
    return with_store(20 + 30 * rung)


# ---- suspects ----------------------------------------------------------------------------------------


def test_objects_that_gather_in_a_dict(judge: Judge) -> None:
    findings = judge(leaking)
    assert findings.verdict == "suspect"
    (suspect,) = findings.suspects
    assert (suspect.rank, suspect.kind, suspect.retainer) == (1, "python-objects", "shop.sessions.STORE")
    assert suspect.retaining_path == ["module shop.sessions", "STORE", "dict", "[*]", "shop.Session"]
    assert suspect.grows.type == "shop.Session"
    assert suspect.grows.objects_per_request == 30 / PER_RUNG
    assert suspect.grows.bytes_per_request == pytest.approx((48 + 104 + 70) * 30 / PER_RUNG)
    assert suspect.grows.interval95 == (suspect.grows.bytes_per_request, suspect.grows.bytes_per_request)
    assert suspect.retained_size_bytes == 64 + (48 + 104 + 70) * (20 + 30 * RUNGS)
    assert [point.requests for point in suspect.series] == [WARM_UP + PER_RUNG * rung for rung in range(RUNGS + 1)]
    assert [point.objects for point in suspect.series] == [20 + 30 * rung for rung in range(RUNGS + 1)]
    assert suspect.series[0].bytes == 64 + (48 + 104 + 70) * 20
    assert suspect.why == (
        "shop.sessions.STORE gains 0.30 shop.Session per request, in the last rung as in the ones before: 67 bytes per "
        "request."
    )
    assert (suspect.also_held_by, suspect.allocation_site, suspect.held_by_library) == ([], None, False)
    assert (findings.explained, findings.missing) == ([], [])


def test_the_growth_of_the_container_itself_is_counted(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap = leaking(rung)
        store = heap.types.index("dict")
        place = next(row for row, node in enumerate(heap.nodes) if node[0] == store and node[1] == 64 and row > 200)
        heap.nodes[place] = (store, 64 + 6_000 * rung, *heap.nodes[place][2:])
        return heap

    (suspect,) = judge(heap_after).suspects
    assert suspect.grows.bytes_per_request == pytest.approx((48 + 104 + 70) * 0.3 + 6_000 / PER_RUNG)


@pytest.mark.parametrize(
    ("per_rung", "said"), [(30, "0.30 shop.Entry"), (100, "one shop.Entry"), (300, "3 shop.Entry")]
)
def test_the_rate_is_said_as_people_say_it(per_rung: int, said: str, judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        return with_store(20 + per_rung * rung, kind="shop.Entry")

    assert f"gains {said} per request" in judge(heap_after).suspects[0].why


def test_two_leaks_are_ranked_by_bytes(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap = leaking(rung)
        log = heap.new("list", 56, held_by=(heap.module("shop.audit"), "value", "LOG"))
        for _ in range(10 + 50 * rung):
            heap.new("shop.Entry", 400, held_by=(log, "index"))
        return heap

    findings = judge(heap_after)
    assert [(one.rank, one.retainer, one.grows.bytes_per_request) for one in findings.suspects] == [
        (1, "shop.audit.LOG", 400 * 0.5),
        (2, "shop.sessions.STORE", pytest.approx((48 + 104 + 70) * 0.3)),
    ]


def test_a_second_holder_is_named(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap = leaking(rung)
        index = heap.new("dict", 64, held_by=(heap.module("shop.index"), "value", "BY_USER"))
        some = heap.new("dict", 64, held_by=(heap.module("shop.index"), "value", "FAVOURITES"))
        sessions = [row for row, node in enumerate(heap.nodes) if heap.types[node[0]] == "shop.Session"]
        for row in sessions:
            heap.refer(index, row, "value")
        for row in sessions[:5]:
            heap.refer(some, row, "value")
        return heap

    (suspect,) = judge(heap_after).suspects
    assert suspect.retainer == "shop.sessions.STORE"
    assert suspect.also_held_by == ["shop.index.BY_USER"]
    # Cutting STORE alone would free its keys and itself; BY_USER still has the sessions.
    assert suspect.retained_size_bytes == 64 + 70 * (20 + 30 * RUNGS)


def test_a_buffer_that_grows_in_place(judge: Judge) -> None:
    """With the sizes a real bytearray has, which is given room ahead of its need."""

    def heap_after(rung: int) -> Heap:
        heap, space = shop()
        heap.new("shop.Settings", 48, held_by=(space, "value", "SETTINGS"))
        buffer = bytearray()
        for _ in range(PER_RUNG * (rung + 2)):
            buffer += b"x" * 1_000
        heap.new("bytearray", sys.getsizeof(buffer), held_by=(space, "value", "BUFFER"))
        return heap

    (suspect,) = judge(heap_after).suspects
    assert (suspect.kind, suspect.retainer) == ("python-objects", "shop.sessions.BUFFER")
    assert suspect.retaining_path == ["module shop.sessions", "BUFFER", "bytearray"]
    assert (suspect.grows.type, suspect.grows.objects_per_request) == ("bytearray", 0.0)
    assert suspect.grows.bytes_per_request == pytest.approx(1_000, rel=0.15)
    assert suspect.why.startswith("shop.sessions.BUFFER grows by ")
    assert suspect.why.endswith(" bytes with every request and is never cut back.")


def test_two_buffers_of_one_module_are_two_suspects(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap, space = shop()
        heap.new("bytearray", 1_000 + 20_000 * rung, held_by=(space, "value", "BODIES"))
        heap.new("bytearray", 1_000 + 5_000 * rung, held_by=(space, "value", "NAMES"))
        return heap

    findings = judge(heap_after)
    assert [(one.retainer, one.grows.bytes_per_request) for one in findings.suspects] == [
        ("shop.sessions.BODIES", 200.0),
        ("shop.sessions.NAMES", 50.0),
    ]


def test_what_grows_in_place_is_named_though_it_holds_something_of_a_class(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap, space = shop()
        grid = heap.new("list", 56 + 40 * PER_RUNG * rung, held_by=(space, "value", "GRID"))
        heap.new("shop.Cell", 48, held_by=(grid, "index"))
        return heap

    (suspect,) = judge(heap_after).suspects
    assert (suspect.retainer, suspect.grows.type) == ("shop.sessions.GRID", "list")
    assert suspect.retaining_path == ["module shop.sessions", "GRID", "list"]


def test_one_buffer_more_hides_no_growth_in_place(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap, space = shop()
        pool = heap.new("list", 56, held_by=(space, "value", "POOL"))
        for _ in range(5 if rung < 4 else 6):
            heap.new("bytearray", 1_000 + 20_000 * rung, held_by=(pool, "index"))
        return heap

    (suspect,) = judge(heap_after).suspects
    assert (suspect.retainer, suspect.grows.objects_per_request) == ("shop.sessions.POOL", 0.0)
    assert suspect.grows.bytes_per_request == pytest.approx(5.5 * 20_000 / PER_RUNG, rel=0.2)


def test_a_local_variable_of_a_thread_that_gathers(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap, _ = shop()
        frame = heap.new("frame", 300, name="shop.consume")
        heap.root("thread", "main thread", frame)
        seen = heap.new("list", 56, held_by=(frame, "local", "seen"))
        for _ in range(30 * (rung + 1)):
            heap.new("shop.Message", 100, held_by=(seen, "index"))
        return heap

    (suspect,) = judge(heap_after).suspects
    assert (suspect.kind, suspect.retainer) == ("python-objects", "shop.consume.seen")
    assert suspect.retaining_path[:2] == ["main thread, running shop.consume", "local seen"]


def test_threads_that_never_end(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap, _ = shop()
        for number in range(10 * (rung + 1)):
            frame = heap.new("frame", 400, name="shop.mail.send_later")
            heap.root("thread", f"thread {number + 2}", frame)
            heap.new("shop.Mail", 1_000, held_by=(frame, "local", "mail"))
        return heap

    (suspect,) = judge(heap_after).suspects
    assert (suspect.kind, suspect.retainer, suspect.grows.type) == ("threads", "shop.mail.send_later", "thread")
    assert suspect.grows.objects_per_request == 0.1
    assert suspect.grows.bytes_per_request == pytest.approx((400 + 1_000) * 0.1)


def test_wrapping_again_and_again_is_one_growth(judge: Judge) -> None:
    """``handler = wrap(handler)`` on every request: a chain of closures, each held by the next."""

    def heap_after(rung: int) -> Heap:
        heap, space = shop()
        outer = heap.new("function", 160, name="shop.wrap.<locals>.inner", held_by=(space, "value", "handler"))
        for _ in range(20 * (rung + 1)):
            cells = heap.new("tuple", 48, held_by=(outer, "internal", "__closure__"))
            cell = heap.new("cell", 40, held_by=(cells, "index"))
            outer = heap.new("function", 160, name="shop.wrap.<locals>.inner", held_by=(cell, "closure", "call"))
        return heap

    (suspect,) = judge(heap_after).suspects
    assert suspect.grows.bytes_per_request == pytest.approx((48 + 40 + 160) * 0.2)
    assert suspect.retaining_path[:2] == ["module shop.sessions", "handler"]


def test_a_reference_that_only_c_holds(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap, _ = shop()
        for _ in range(50 * (rung + 1)):
            handle = heap.new("native.Handle", 500, unseen_holders=1)
            heap.new("list", 100, held_by=(handle, "attribute", "parts"))
        return heap

    (suspect,) = judge(heap_after).suspects
    assert suspect.kind == "c-reference"
    assert suspect.retainer == "a reference held from C (to native.Handle)"
    assert suspect.retaining_path == ["held from C", "[*]", "native.Handle"]
    assert suspect.grows.bytes_per_request == pytest.approx((500 + 100) * 0.5)
    assert suspect.retained_size_bytes is None
    assert suspect.why.endswith("No Python object refers to them: the reference is counted, but held by C code.")


def test_kept_exceptions(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap, space = shop()
        failures = heap.new("list", 64, held_by=(space, "value", "FAILURES"))
        for _ in range(20 * (rung + 1)):
            error = heap.new("shop.Refused", 80, held_by=(failures, "index"))
            trace = heap.new("traceback", 64, held_by=(error, "internal", "__traceback__"))
            frame = heap.new("frame", 400, name="shop.api.on_post", held_by=(trace, "attribute", "tb_frame"))
            heap.new("bytearray", 5_000, held_by=(frame, "local", "body"))
        return heap

    (suspect,) = judge(heap_after).suspects
    assert (suspect.kind, suspect.retainer) == ("traceback", "shop.sessions.FAILURES")
    assert suspect.grows.type == "shop.Refused"
    assert suspect.grows.bytes_per_request == pytest.approx((80 + 64 + 400 + 5_000) * 0.2)
    assert "Each kept exception holds its traceback" in suspect.why


def holding(kind: str) -> Callable[[int], Heap]:
    def heap_after(rung: int) -> Heap:
        heap, space = shop()
        opened = heap.new("list", 64, held_by=(space, "value", "OPENED"))
        for _ in range(20 * (rung + 1)):
            heap.new(kind, 200, held_by=(opened, "index"))
        return heap

    return heap_after


def growing_descriptors(rung: int) -> int:
    return 12 + 20 * rung


@pytest.mark.parametrize(
    ("kind", "called", "noun"),
    [("_io.FileIO", "descriptors", "a file"), ("socket.socket", "connections", "a connection")],
)
def test_objects_that_hold_descriptors(kind: str, called: str, noun: str, judge: Judge) -> None:
    (suspect,) = judge(holding(kind), descriptors=growing_descriptors).suspects
    assert (suspect.kind, suspect.retainer) == (called, "shop.sessions.OPENED")
    assert suspect.why.endswith(
        f"Each keeps {noun} open: the worker gains 0.20 descriptors per request and never closes them."
    )


def test_files_without_descriptors_are_only_objects(judge: Judge) -> None:
    assert [one.kind for one in judge(holding("_io.FileIO")).suspects] == ["python-objects"]


def test_descriptors_that_no_object_holds(judge: Judge) -> None:
    (suspect,) = judge(quiet, descriptors=growing_descriptors).suspects
    assert (suspect.kind, suspect.retainer) == ("descriptors", "no Python object (raw descriptors)")
    assert (suspect.grows.type, suspect.grows.objects_per_request) == ("descriptor", 0.2)
    assert suspect.why.startswith("The worker gains 0.20 open descriptors per request")


def test_descriptors_come_before_larger_leaks(judge: Judge) -> None:
    findings = judge(leaking, descriptors=growing_descriptors)
    assert [one.kind for one in findings.suspects] == ["descriptors", "python-objects"]
    assert [one.rank for one in findings.suspects] == [1, 2]


def test_the_interval_allows_for_the_leaps_in_which_a_container_grows(judge: Judge) -> None:
    """A dict whose table doubled twice: how often it did so within the run is chance."""
    table = (64, 64, 352, 352, 352, 1_168, 1_168)

    def heap_after(rung: int) -> Heap:
        heap, space = shop()
        store = heap.new("dict", table[rung], held_by=(space, "value", "STORE"))
        for _ in range(20 + 30 * rung):
            heap.new("shop.Session", 48, held_by=(store, "value"))
        return heap

    (suspect,) = judge(heap_after).suspects
    served = RUNGS * PER_RUNG
    rate, grown, leap = 48 * 30 / PER_RUNG, (1_168 - 64) / served, (1_168 - 352) / served
    assert suspect.grows.bytes_per_request == pytest.approx(rate + grown, abs=0.06)
    assert suspect.grows.interval95 == pytest.approx((rate + grown - leap, rate + grown + leap), abs=0.06)


def test_workers_are_added_up(judge: Judge) -> None:
    (suspect,) = judge(leaking, pids=(1, 2)).suspects
    assert suspect.grows.objects_per_request == 2 * 0.3
    assert suspect.series[-1].objects == 2 * (20 + 30 * RUNGS)


def test_workers_that_reach_the_holder_by_different_roots_are_added_up(judge: Judge) -> None:
    """Neither worker alone gains evenly, and each gets to the middleware by a way of its own."""

    def kept(heap: Heap, app: int, count: int) -> Heap:
        metrics = heap.new("shop.Metrics", 48, held_by=(app, "attribute", "middleware"))
        samples = heap.new("list", 56, held_by=(metrics, "attribute", "samples"))
        for _ in range(count):
            heap.new("shop.Sample", 48, held_by=(samples, "index"))
        return heap

    def by_the_module(rung: int) -> Heap:
        heap, space = shop()
        return kept(heap, heap.new("falcon.App", 48, held_by=(space, "value", "app")), (0, 9, 31, 38, 61, 66, 90)[rung])

    def by_the_stack(rung: int) -> Heap:
        heap, _ = shop()
        app = heap.new("falcon.App", 48, unseen_holders=1)
        heap.root("thread", "MainThread", app)
        return kept(heap, app, (0, 21, 29, 52, 59, 84, 90)[rung])

    (suspect,) = judge(by_the_module, pids=(1, 2), others_heap_after=by_the_stack).suspects
    assert suspect.retainer == "shop.sessions.app.middleware.samples"
    assert suspect.grows.type == "shop.Sample"
    assert [point.objects for point in suspect.series] == [30 * rung for rung in range(RUNGS + 1)]


def test_a_librarys_line_is_not_given_for_the_apps(judge: Judge) -> None:
    heap, space = shop()
    store = heap.new("dict", 64, held_by=(space, "value", "STORE"))
    for _ in range(30):
        heap.new("shop.Session", 48, held_by=(store, "value"), site=[("site-packages/web/app.py", 7, "serve")])
    (suspect,) = judge(leaking, heap_with_sites=heap).suspects
    assert suspect.allocation_site is None


def test_the_line_that_allocates(judge: Judge) -> None:
    """The heaviest line of the app itself; a library's line within it does not count."""
    heap, space = shop()
    store = heap.new("dict", 64, held_by=(space, "value", "STORE"))
    ours, theirs = ("shop/sessions.py", 41, "open_session"), ("site-packages/web/app.py", 7, "serve")
    for place in range(30):
        heap.new("shop.Session", 48, held_by=(store, "value"), site=[theirs, ours] if place else [theirs])
    (suspect,) = judge(leaking, heap_with_sites=heap).suspects
    assert suspect.allocation_site == AllocationSite(file="shop/sessions.py", line=41, function="open_session")


def test_whom_a_helper_works_for_is_told(judge: Judge) -> None:
    """The nearest line of the app in another file than the one that allocates, libraries between them left out."""
    heap, space = shop()
    store = heap.new("dict", 64, held_by=(space, "value", "STORE"))
    helper = [("helper/registry.py", 7, "Entry.make"), ("helper/registry.py", 3, "register")]
    web, lib = ("site-packages/web/app.py", 7, "serve"), ("lib/python3.11/functools.py", 9, "wrapper")
    ours, rare = ("shop/orders.py", 12, "Orders.on_post"), ("shop/admin.py", 4, "refill")
    for place in range(30):
        site = [*helper, lib, ours if place else rare, ("shop/main.py", 2, "run"), web]
        heap.new("shop.Session", 48, held_by=(store, "value"), site=site)
    (suspect,) = judge(leaking, heap_with_sites=heap).suspects
    assert suspect.allocation_site == AllocationSite(file="helper/registry.py", line=7, function="Entry.make")
    assert suspect.calling_site == AllocationSite(file="shop/orders.py", line=12, function="Orders.on_post")


def test_who_called_from_the_same_file_is_not_told(judge: Judge) -> None:
    heap, space = shop()
    store = heap.new("dict", 64, held_by=(space, "value", "STORE"))
    site = [
        ("shop/sessions.py", 41, "open_session"),
        ("shop/sessions.py", 12, "on_put"),
        ("site-packages/w.py", 7, "w"),
    ]
    for _ in range(30):
        heap.new("shop.Session", 48, held_by=(store, "value"), site=site)
    (suspect,) = judge(leaking, heap_with_sites=heap).suspects
    assert (suspect.allocation_site is not None, suspect.calling_site) == (True, None)


def test_errors_nobody_expected_are_noted(judge: Judge) -> None:
    findings = judge(quiet, statuses={"200": 700, "404 GET /items/{i}": 90, "500 GET /x": 10, "lost": 0})
    assert findings.verdict == "clean"
    assert findings.notes == [
        "100 of 800 answers were errors nobody said to expect, most of them 404 to GET /items/{i}: "
        "what such a request keeps when it succeeds was not measured with them. Correct the request; "
        "if the answer is as it should be, give --allow-status 404."
    ]


def test_a_few_errors_are_not_noted(judge: Judge) -> None:
    assert judge(quiet, statuses={"200": 780, "404 GET /items/{i}": 20}).notes == []


# ---- no suspects -------------------------------------------------------------------------------------


def test_nothing_grows(judge: Judge) -> None:
    findings = judge(quiet)
    assert (findings.verdict, findings.suspects, findings.explained, findings.missing) == ("clean", [], [], [])


def test_a_full_cache_is_explained(judge: Judge) -> None:
    findings = judge(lambda rung: with_store(min(50 + 100 * rung, 200), kind="shop.Region", size=1_000))
    assert (findings.verdict, findings.suspects, findings.missing) == ("clean", [], [])
    (one,) = findings.explained
    assert (one.kind, one.bytes) == ("plateau", 150 * (1_000 + 104 + 70))
    assert one.why == ("shop.sessions.STORE grew to 200 shop.Region and then stopped growing while the load went on.")


def test_a_number_of_a_builtin_type_is_not_said_like_an_amount(judge: Judge, tmp_path: Path) -> None:
    findings = judge(lambda rung: with_store(min(50 + 100 * rung, 200), kind="bytes", size=1_000))
    (one,) = findings.explained
    assert one.why.startswith("shop.sessions.STORE grew to 200 objects of type bytes and then stopped growing")
    growing = analyse(record(tmp_path / "other", lambda rung: with_store(20 + PER_RUNG * rung, kind="bytes")))
    assert growing.suspects[0].why.startswith("shop.sessions.STORE gains one object of type bytes per request, in")


def test_a_single_step_is_warm_up(judge: Judge) -> None:
    findings = judge(lambda rung: with_store(50 if rung < 2 else 200, size=1_000))
    assert findings.verdict == "clean"
    assert [one.kind for one in findings.explained] == ["warm-up"]


def test_a_buffer_that_found_its_size_is_explained_in_bytes(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap, space = shop()
        heap.new("bytearray", 1_000 + 100_000 * min(rung, 2), held_by=(space, "value", "BUFFER"))
        return heap

    findings = judge(heap_after)
    assert findings.verdict == "clean"
    assert [(one.kind, one.why) for one in findings.explained] == [
        ("plateau", "shop.sessions.BUFFER grew by 200,000 bytes and then stopped growing while the load went on.")
    ]


def test_growth_that_slows_down_asks_for_more_requests(judge: Judge) -> None:
    findings = judge(lambda rung: with_store(int(400 * (1 - 0.7 ** (rung + 1))), size=1_000))
    assert (findings.verdict, findings.suspects, findings.explained) == ("inconclusive", [], [])
    assert findings.missing == [
        "more requests: shop.sessions.STORE still gains objects, but fewer of late; if it is filling up, it would be "
        "full at about 400 after about 1,500 requests: --requests 320 (100 were played in each rung) "
        "shows whether it stops"
    ]


def test_a_buffer_that_slows_down_is_not_said_to_have_stopped(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap, space = shop()
        heap.new("bytearray", 1_000 + int(1e6 * (1 - 0.7**rung)), held_by=(space, "value", "BUFFER"))
        return heap

    findings = judge(heap_after)
    assert (findings.verdict, findings.explained) == ("inconclusive", [])
    assert findings.missing == [
        "more requests: shop.sessions.BUFFER still grows, but less of late; "
        "--requests 400 (100 were played in each rung) shows whether it stops"
    ]


def test_bursts_ask_for_more_requests(judge: Judge) -> None:
    findings = judge(lambda rung: with_store(20 + 100 * ((rung + 1) // 2), size=1_000))
    assert (findings.verdict, findings.explained) == ("inconclusive", [])
    assert findings.missing == [
        "more requests: shop.sessions.STORE gains objects unevenly; "
        "--requests 400 (100 were played in each rung) shows whether it stops"
    ]


def test_few_large_objects_are_not_said_to_have_stopped(judge: Judge) -> None:
    """Two objects a rung are too few to judge by their number; 200 kB a rung are not nothing."""
    findings = judge(lambda rung: with_store(5 + 2 * rung, size=100_000))
    assert (findings.verdict, findings.suspects, findings.explained) == ("inconclusive", [], [])
    assert findings.missing == [
        "more requests: shop.sessions.STORE gains few objects, but 2,003 bytes per request; "
        "--requests 300 (100 were played in each rung) shows whether it goes on"
    ]


def test_objects_too_few_for_any_run_are_left_to_judgement(judge: Judge) -> None:
    findings = judge(lambda rung: with_store(5 + rung, size=100_000))
    assert (findings.verdict, findings.suspects) == ("inconclusive", [])
    assert "too few for a longer run to count: look whether it may hold as much" in findings.missing[0]


def test_the_run_that_is_asked_for_shows_the_end_of_a_cache_and_of_a_leak_that_it_is_none(
    judge: Judge, tmp_path: Path
) -> None:
    """Random keys from a finite set: a rung that is twice as long leaves the square of the share."""

    def after(requests: int) -> int:
        return int(500 * (1 - (1 - 1 / 500) ** requests))

    findings = judge(lambda rung: with_store(after(WARM_UP + PER_RUNG * rung), size=1_000))
    asked = re.search(r"full at about 500 after about 2,[0-9]00 requests: --requests ([0-9]+) ", findings.missing[0])
    assert asked is not None, findings.missing
    longer = int(asked[1])
    assert longer < 10 * PER_RUNG
    full = analyse(record(tmp_path / "cache", lambda rung: with_store(after(WARM_UP + longer * rung), size=1_000)))
    assert (full.verdict, [one.kind for one in full.explained]) == ("clean", ["plateau"])
    leak = analyse(
        record(tmp_path / "leak", lambda rung: with_store(after(WARM_UP + longer * rung) + longer * rung // 10))
    )
    assert leak.verdict != "clean"


def test_cycles_between_collections_are_explained(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap, _ = shop()
        for _ in range(50 * (rung + 1)):
            one = heap.new("shop.Parent", 500)
            other = heap.new("shop.Child", 500, held_by=(one, "attribute", "child"))
            heap.refer(other, one, "attribute", "parent")
        return heap

    findings = judge(heap_after)
    assert (findings.verdict, findings.suspects, findings.missing) == ("clean", [], [])
    pairs = 50 * (RUNGS + 1)
    assert [(one.kind, one.bytes, one.why) for one in findings.explained] == [
        (
            "uncollected-cycles",
            pairs * (500 + 500),
            f"{2 * pairs} objects refer only to each other; the next full collection frees them.",
        )
    ]


def test_a_container_in_garbage_is_explained_once(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap, _ = shop()
        ring = heap.new("list", 100)
        heap.refer(ring, ring, "index")
        for _ in range(min(20 + 100 * rung, 220)):
            heap.new("shop.Region", 1_000, held_by=(ring, "index"))
        return heap

    assert [one.kind for one in judge(heap_after).explained] == ["uncollected-cycles"]


def test_private_memory_without_objects_asks_for_a_native_recording(judge: Judge) -> None:
    findings = judge(quiet, uss_bytes=lambda rung: 30_000_000 + 500_000 * rung)
    assert (findings.verdict, findings.suspects) == ("inconclusive", [])
    assert findings.missing == [
        "a native recording (--record memray --native): private memory grows by 5,000 bytes per request, "
        "of which Python objects explain 0"
    ]


@pytest.mark.parametrize("per_rung", [50_000, 0, -500_000])
def test_private_memory_that_hardly_grows_is_no_question(per_rung: int, judge: Judge) -> None:
    findings = judge(quiet, uss_bytes=lambda rung: 30_000_000 + per_rung * rung)
    assert (findings.verdict, findings.missing) == ("clean", [])


def test_private_memory_that_the_objects_explain_is_no_question(judge: Judge) -> None:
    findings = judge(
        lambda rung: with_store(20 + 100 * rung, size=5_000), uss_bytes=lambda rung: 30_000_000 + 600_000 * rung
    )
    assert (findings.verdict, findings.missing) == ("suspect", [])


def test_what_shrinks_is_no_leak(judge: Judge) -> None:
    findings = judge(lambda rung: with_store(700 - 100 * rung, size=1_000), descriptors=lambda rung: 100 - rung)
    assert (findings.verdict, findings.suspects, findings.explained, findings.missing) == ("clean", [], [], [])


def test_a_store_that_is_emptied_is_no_leak(judge: Judge) -> None:
    findings = judge(lambda rung: with_store(20 + 100 * (rung % 3), size=1_000))
    assert (findings.verdict, findings.suspects, findings.missing) == ("clean", [], [])


def test_a_leak_below_the_thresholds_is_not_reported(judge: Judge) -> None:
    assert judge(lambda rung: with_store(20 + 2 * rung)).verdict == "clean"


# ---- the record around them --------------------------------------------------------------------------


def test_ledger_perturbation_provenance_and_samples(judge: Judge) -> None:
    findings = judge(leaking, statuses={"200": 700, "503": 100}, uss_bytes=lambda rung: 30_000_000 + rung)
    assert findings.ledger.rss_bytes == 50_000_000 + RUNGS
    assert findings.ledger.live_python_bytes is not None
    assert (findings.perturbation.pause_ms, findings.perturbation.child_peak_bytes) == (8.0, 1_000_000 + RUNGS)
    assert (findings.perturbation.snapshots, findings.perturbation.requests_lost) == (RUNGS + 1, 0)
    assert findings.provenance.statuses == {"200": 700, "503": 100}
    assert findings.provenance.requests_total == WARM_UP + PER_RUNG * RUNGS
    assert len(findings.provenance.capture_sha256) == 64
    assert findings.target == "shop:leaky"
    assert [(one.rung, one.time_s) for one in findings.samples] == [(rung, float(rung)) for rung in range(RUNGS + 1)]


def test_the_same_capture_gives_the_same_findings(tmp_path: Path) -> None:
    capture = record(tmp_path / "capture", leaking)
    lines: list[str] = []
    assert analyse(capture) == analyse(tmp_path / "capture", lines.append)
    assert lines[0] == f"reading the heap after {WARM_UP} requests"
    assert lines[-1] == "weighing the evidence"


@pytest.mark.parametrize("rungs", [0, 1, 3])
@pytest.mark.parametrize("heap_after", [leaking, quiet])
def test_too_few_rungs_are_no_trend_whatever_they_hold(
    heap_after: Callable[[int], Heap], rungs: int, judge: Judge
) -> None:
    with pytest.raises(TooFewSnapshots, match="too few snapshots for a trend") as caught:
        judge(heap_after, rungs=rungs)
    assert (caught.value.seen, caught.value.hint) == (f"snapshots of {rungs + 1} rungs", "--rungs 4 or more")


def test_a_snapshot_that_went_missing_is_told(tmp_path: Path) -> None:
    capture = record(tmp_path / "capture", leaking)
    capture.path_of(capture.snapshots[3]).unlink()
    with pytest.raises(StoreError, match="is not a heap snapshot") as caught:
        analyse(capture)
    assert caught.value.seen == "no such file"


# ---- who else holds it, and what only follows ---------------------------------------------------------


def waiting_tasks(rung: int, *, timers: bool = True) -> Heap:
    """Tasks in a set; each is also held by a timer of the loop, over a future, and known to a weak set."""
    heap = Heap()
    heap.filler()
    tasks = heap.new("set", 200, held_by=(heap.module("chat"), "value", "TASKS"))
    loop = heap.new("chat.Loop", 48, held_by=(heap.module("server"), "value", "LOOP"))
    scheduled = heap.new("list", 56, held_by=(loop, "attribute", "scheduled"))
    weak = heap.new("_weakrefset.WeakSet", 48, held_by=(heap.module("server"), "value", "ALL"))
    known = heap.new("set", 200, held_by=(weak, "attribute", "data"))
    for _ in range(20 + 30 * rung):
        task = heap.new("chat.Task", 400, held_by=(tasks, "element"))
        heap.refer(task, loop, "attribute", "loop")
        heap.new("weakref.ReferenceType", 72, held_by=(known, "element"))
        if timers:
            timer = heap.new("server.Timer", 100, held_by=(scheduled, "index"))
            future = heap.new("server.Future", 80, held_by=(timer, "attribute", "future"))
            heap.refer(future, task, "attribute", "waiter")
    return heap


def test_a_holder_several_references_away_is_named_and_its_own_growth_is_no_second_suspect(judge: Judge) -> None:
    findings = judge(waiting_tasks)
    (suspect,) = findings.suspects
    assert (suspect.retainer, suspect.also_held_by) == ("chat.TASKS", ["server.LOOP.scheduled"])
    count = 20 + 30 * RUNGS
    assert suspect.retained_size_bytes == 200
    assert suspect.retained_together_bytes == 200 + 56 + count * (400 + 100 + 80)
    assert [(one.kind, one.bytes, one.why) for one in findings.explained] == [
        (
            "consequence",
            (100 + 80) * 30 * RUNGS,
            "server.LOOP.scheduled grows because it holds what chat.TASKS gains.",
        ),
        (
            "consequence",
            72 * 30 * RUNGS,
            "server.ALL.data holds weak references; they go when what chat.TASKS gains is let go.",
        ),
    ]


def test_weak_references_that_grow_alone_stand_for_themselves(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap = Heap()
        heap.filler()
        weak = heap.new("_weakrefset.WeakSet", 48, held_by=(heap.module("server"), "value", "ALL"))
        known = heap.new("set", 200, held_by=(weak, "attribute", "data"))
        for _ in range(20 + 30 * rung):
            heap.new("weakref.ReferenceType", 72, held_by=(known, "element"))
        return heap

    assert [one.retainer for one in judge(heap_after).suspects] == ["server.ALL.data"]


def test_without_the_timers_nobody_else_holds_the_tasks(judge: Judge) -> None:
    (suspect,) = judge(lambda rung: waiting_tasks(rung, timers=False)).suspects
    assert (suspect.also_held_by, suspect.retained_together_bytes) == ([], None)
    assert suspect.retained_size_bytes == 200 + 400 * (20 + 30 * RUNGS)


def test_three_holders_are_all_named(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap = leaking(rung)
        space = heap.module("shop.index")
        sessions = [row for row, node in enumerate(heap.nodes) if heap.types[node[0]] == "shop.Session"]
        for name in ("BY_USER", "BY_TIME"):
            index = heap.new("dict", 64, held_by=(space, "value", name))
            for row in sessions:
                heap.refer(index, row, "value")
        return heap

    (suspect,) = judge(heap_after).suspects
    assert suspect.also_held_by == ["shop.index.BY_USER", "shop.index.BY_TIME"]
    assert suspect.retained_together_bytes == 64 * 3 + (48 + 104 + 70) * (20 + 30 * RUNGS)


def test_a_holder_for_each_newcomer_has_no_name_but_is_said(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap = leaking(rung)
        space = heap.module("shop.index")
        for row, node in enumerate(list(heap.nodes)):
            if heap.types[node[0]] == "shop.Session":
                heap.refer(heap.new("shop.Slot", 48, held_by=(space, "value", f"slot_{row}")), row, "attribute", "one")
        return heap

    findings = judge(heap_after)
    (suspect,) = [one for one in findings.suspects if one.retainer == "shop.sessions.STORE"]
    assert suspect.also_held_by == []
    assert suspect.why.endswith(" Most of them have one more holder each, of its own.")


def test_a_list_linked_both_ways_is_held_at_both_ends(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap = Heap()
        heap.filler()
        space = heap.module("shop.recent")
        above = heap.new("shop.Head", 48, held_by=(space, "value", "FIRST"))
        nodes = []
        for _ in range(20 + 30 * rung):
            node = heap.new("shop.Node", 64, held_by=(above, "attribute", "next"))
            if nodes:
                heap.refer(node, above, "attribute", "before")
            nodes.append(node)
            above = node
        tail = heap.new("shop.Tail", 48, held_by=(heap.module("shop.tail"), "value", "LAST"))
        heap.refer(tail, nodes[-1], "attribute", "node")
        return heap

    findings = judge(heap_after)
    assert {one.grows.type for one in findings.suspects} == {"shop.Node"}
    assert {name for one in findings.suspects for name in one.also_held_by} == {
        "shop.recent.FIRST.next",
        "shop.tail.LAST.node",
    }


def test_the_step_of_the_path_that_holds_the_growth_is_known(judge: Judge) -> None:
    """Of two unnamed references in a row, the second is the one that leads to what grows."""

    def heap_after(rung: int) -> Heap:
        heap = Heap()
        heap.filler()
        defaults = heap.new("tuple", 48, held_by=(heap.module("shop.audit"), "value", "DEFAULTS"))
        entries = heap.new("list", 56, held_by=(defaults, "index"))
        for _ in range(20 + 30 * rung):
            heap.new("shop.Entry", 400, held_by=(entries, "index"))
        return heap

    (suspect,) = judge(heap_after).suspects
    assert suspect.retaining_path == ["module shop.audit", "DEFAULTS", "tuple", "[*]", "list", "[*]", "shop.Entry"]
    assert suspect.retainer_step == 2
    assert [step.name for step in steps_of(suspect) if step.is_guilty] == ["shop.Entry"]


def test_a_kept_builtin_exception_is_what_grows_not_what_its_frames_hold(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap, space = shop()
        kept = heap.new("list", 56, held_by=(space, "value", "KEPT"))
        for _ in range(20 + 30 * rung):
            error = heap.new("ValueError", 80, held_by=(kept, "index"))
            trace = heap.new("traceback", 64, held_by=(error, "attribute", "__traceback__"))
            frame = heap.new("frame", 120, name="shop.app", held_by=(trace, "attribute", "tb_frame"))
            heap.new("gunicorn.http.message.Request", 48, held_by=(frame, "local", "request"))
        return heap

    (suspect,) = judge(heap_after).suspects
    assert (suspect.kind, suspect.grows.type) == ("traceback", "ValueError")
    assert suspect.why.startswith("shop.sessions.KEPT gains 0.30 ValueError per request")


def test_weak_references_do_not_follow_from_a_buffer_that_grows_in_place(judge: Judge) -> None:
    """Its rate is in bytes and has nothing to do with their number."""

    def heap_after(rung: int) -> Heap:
        heap = Heap()
        heap.filler()
        weak = heap.new("_weakrefset.WeakSet", 48, held_by=(heap.module("server"), "value", "ALL"))
        known = heap.new("set", 200, held_by=(weak, "attribute", "data"))
        for _ in range(20 + 30 * rung):
            heap.new("weakref.ReferenceType", 72, held_by=(known, "element"))
        heap.new("bytearray", 100_000 * (rung + 2), held_by=(heap.module("shop"), "value", "BUFFER"))
        return heap

    assert [one.retainer for one in judge(heap_after).suspects] == ["shop.BUFFER", "server.ALL.data"]


# ---- made while serving ------------------------------------------------------------------------------


def test_modules_made_while_serving(judge: Judge) -> None:
    """Each is a root of its own; their number tells."""

    def heap_after(rung: int) -> Heap:
        heap, _ = shop()
        table = heap.new("dict", 200 + 8 * 30 * rung, held_by=(heap.module("sys"), "value", "modules"))
        for number in range(30 * rung):
            space = heap.module(f"template_{number}")
            heap.refer(table, space - 1, "value")
            heap.new("function", 160, name=f"template_{number}.render", held_by=(space, "value", "render"))
        return heap

    findings = judge(heap_after)
    (suspect,) = findings.suspects
    assert (suspect.retainer, suspect.grows.type, findings.missing) == ("sys.modules", "module", [])
    assert suspect.retaining_path == ["module sys", "modules", "dict", "[*]", "module"]
    assert (suspect.grows.objects_per_request, suspect.grows.bytes_per_request) == (0.3, (72 + 232 + 160) * 0.3)
    assert suspect.why.startswith("sys.modules gains 0.30 modules per request, in the last rung as in the ones before")


def imports(rung: int, at: int, *, leak: int = 0) -> Heap:
    """``sheet`` with two parts, imported in one rung; in it so many rows are kept on each rung from then on."""
    heap, _ = shop()
    base = heap.new("type", 400, name="object", unseen_holders=1)
    heap.root("builtin-type", "object", base)
    table = heap.new("dict", 64, held_by=(base, "internal", "__subclasses__"))
    for _ in range(40):
        heap.new("weakref.ReferenceType", 72, held_by=(table, "value"))
    if rung >= at:
        for name in ("sheet", "sheet.cells", "_sheet"):
            space = heap.module(name)
            for number in range(40):
                heap.new("type", 1_000, held_by=(space, "value", f"Kind_{number}"))
                heap.new("weakref.ReferenceType", 72, held_by=(table, "value"))
        rows = heap.new("list", 56, held_by=(space, "value", "ROWS"))
        for _ in range(leak * (rung - at)):
            heap.new("sheet.Row", 500, held_by=(rows, "index"))
    return heap


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
def test_modules_imported_while_serving_are_warm_up_with_all_that_comes_with_them(judge: Judge, at: int) -> None:
    findings = judge(lambda rung: imports(rung, at))
    assert (findings.verdict, findings.suspects, findings.missing) == ("clean", [], [])
    (one,) = findings.explained
    assert one.kind == "warm-up"
    assert one.why == (
        "3 modules were imported while serving (sheet, _sheet and 1 more), which happens once; "
        "modules and their classes stay."
    )


def test_modules_imported_in_the_last_rung_ask_for_a_longer_warm_up(judge: Judge) -> None:
    findings = judge(lambda rung: imports(rung, RUNGS))
    assert (findings.verdict, findings.suspects, findings.explained) == ("inconclusive", [], [])
    assert findings.missing == [
        "more requests: modules were imported as late as the last rung, and what came with them may go on growing "
        "(sheet, _sheet and 1 more); --warmup 800 has that done before the first snapshot"
    ]


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
def test_a_leak_that_begins_with_a_late_import_is_not_called_clean(judge: Judge, at: int) -> None:
    assert judge(lambda rung: imports(rung, at, leak=30)).verdict != "clean"


def test_modules_that_are_imported_late_are_no_suspect(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap, _ = shop()
        for number in range(60 if rung > 1 else 0):
            heap.module(f"library.part_{number}")
        return heap

    assert judge(heap_after).verdict == "clean"


def test_classes_made_while_serving_are_counted_together(judge: Judge) -> None:
    """Each has a name of its own; the list of subclasses that the base keeps is no suspect beside their holder."""

    def heap_after(rung: int) -> Heap:
        heap, space = shop()
        base = heap.new("type", 1_000, name="shop.Base", held_by=(space, "value", "Base"))
        known = heap.new("dict", 200, held_by=(base, "internal", "__subclasses__"))
        models = heap.new("dict", 200, held_by=(space, "value", "MODELS"))
        for number in range(10 + 20 * rung):
            made = heap.new("shop.Meta", 900, name=f"shop.Form_{number}", held_by=(models, "value"))
            body = heap.new("dict", 300, held_by=(made, "internal", "__dict__"))
            heap.new("function", 160, name=f"shop.Form_{number}.dump", held_by=(body, "value", "dump"))
            heap.new("int", 40, held_by=(known, "key"))
            heap.new("weakref.ReferenceType", 72, held_by=(known, "value"))
        return heap

    findings = judge(heap_after)
    (suspect,) = findings.suspects
    assert (suspect.retainer, suspect.grows.type) == ("shop.sessions.MODELS", "shop.Meta")
    assert suspect.grows.bytes_per_request == pytest.approx((900 + 300 + 160) * 0.2)
    assert [(one.kind, one.why) for one in findings.explained] == [
        (
            "consequence",
            "shop.Base.__subclasses__ lists the classes that shop.sessions.MODELS gains, without holding them.",
        )
    ]


def test_functions_of_one_name_are_called_by_it(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap, space = shop()
        hooks = heap.new("list", 64, held_by=(space, "value", "HOOKS"))
        for _ in range(10 + 20 * rung):
            heap.new("function", 160, name="shop.subscribe.<locals>.notify", held_by=(hooks, "index"))
        return heap

    (suspect,) = judge(heap_after).suspects
    assert (suspect.retainer, suspect.grows.type) == ("shop.sessions.HOOKS", "shop.subscribe.<locals>.notify")


# ---- one cause, one suspect --------------------------------------------------------------------------


def with_handlers(rung: int, *, listed: int = 1, from_c: int = 1) -> Heap:
    """Loggers' handlers: beside the list that holds them there is one of weak references, and parts held from C."""
    heap, space = shop()
    handlers = heap.new("list", 64, held_by=(space, "value", "HANDLERS"))
    weak = heap.new("list", 64, held_by=(heap.module("log"), "value", "_known"))
    for _ in range(20 + 30 * rung):
        handler = heap.new("log.Handler", 600, held_by=(handlers, "index"))
        heap.new("dict", 104, held_by=(handler, "internal", "__dict__"))
        for _ in range(listed):
            heap.new("weakref.ReferenceType", 72, held_by=(weak, "index"))
        for _ in range(from_c):
            heap.new("list", 56, unseen_holders=1)
    return heap


@pytest.mark.parametrize("from_c", [1, 2])
def test_what_comes_with_a_suspect_is_explained(judge: Judge, from_c: int) -> None:
    findings = judge(lambda rung: with_handlers(rung, from_c=from_c))
    assert [one.retainer for one in findings.suspects] == ["shop.sessions.HANDLERS"]
    assert sorted(one.why for one in findings.explained) == [
        "list held from C grows with shop.sessions.HANDLERS: what C code holds of it, a thread's stack for instance.",
        "log._known holds one weak reference for each that shop.sessions.HANDLERS gains.",
    ]


def test_a_c_reference_that_grows_at_a_rate_of_its_own_stands_for_itself(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap = with_handlers(rung, from_c=0)
        for _ in range(20 + 45 * rung):  # one and a half for each
            heap.new("native.Handle", 56, unseen_holders=1)
        return heap

    kinds = [one.kind for one in judge(heap_after).suspects]
    assert kinds == ["python-objects", "c-reference"]


def test_a_c_reference_as_large_as_the_suspect_stands_for_itself(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap = with_handlers(rung, from_c=0)
        for _ in range(20 + 30 * rung):
            heap.new("native.Handle", 500, unseen_holders=1)
        return heap

    assert [one.kind for one in judge(heap_after).suspects] == ["python-objects", "c-reference"]


def test_a_list_that_only_c_holds(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap, _ = shop()
        parts = heap.new("list", 64, unseen_holders=1)
        for _ in range(20 + 30 * rung):
            heap.new("str", 300, held_by=(parts, "index"))
        return heap

    (suspect,) = judge(heap_after).suspects
    assert (suspect.kind, suspect.retainer) == ("c-reference", "list held from C")
    assert suspect.retaining_path == ["held from C", "[*]", "list", "[*]", "str"]
    assert suspect.retainer_step is not None
    assert suspect.retaining_path[2 * suspect.retainer_step] == "list"


# ---- holders that are many ---------------------------------------------------------------------------


def test_a_tree_that_branches_is_called_by_where_it_begins(judge: Judge) -> None:
    """Each branch has a part of the newcomers; none of them is the holder."""

    def heap_after(rung: int) -> Heap:
        heap, space = shop()
        index = heap.new("dict", 64, held_by=(space, "value", "INDEX"))
        branches = [heap.new("dict", 64, held_by=(index, "value", letter)) for letter in "abcdefgh"]
        for number in range(40 + 40 * rung):
            heap.new("shop.Word", 100, held_by=(branches[number % 8], "value"))
        return heap

    (suspect,) = judge(heap_after).suspects
    assert suspect.retainer == "shop.sessions.INDEX"
    assert suspect.retained_size_bytes is not None
    assert suspect.retained_size_bytes > 100 * 40 * RUNGS


def test_stores_of_one_name_are_sized_together(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap, space = shop()
        tenants = heap.new("dict", 64, held_by=(space, "value", "TENANTS"))
        stores = [heap.new("shop.Store", 48, held_by=(tenants, "value")) for _ in range(8)]
        orders = [heap.new("list", 64, held_by=(store, "attribute", "orders")) for store in stores]
        for number in range(40 + 40 * rung):
            heap.new("shop.Order", 100, held_by=(orders[number % 8], "index"))
        return heap

    (suspect,) = judge(heap_after).suspects
    assert suspect.retainer == "shop.Store.orders"
    assert suspect.retained_size_bytes == 8 * 64 + 100 * (40 + 40 * RUNGS)


def test_a_text_that_grows_is_called_by_its_own_name(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap, space = shop()
        journal = heap.new("type", 1_000, name="shop.Journal", held_by=(space, "value", "Journal"))
        body = heap.new("dict", 200, held_by=(journal, "internal", "__dict__"))
        heap.new("str", 1_000 + 20_000 * rung, held_by=(body, "value", "text"))
        return heap

    (suspect,) = judge(heap_after).suspects
    assert (suspect.retainer, suspect.grows.objects_per_request) == ("shop.Journal.text", 0.0)
    assert suspect.retained_size_bytes == 1_000 + 20_000 * RUNGS


def test_the_value_is_named_before_its_key(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap, space = shop()
        rules = heap.new("dict", 64, held_by=(space, "value", "RULES"))
        for _ in range(20 + 30 * rung):
            heap.new("str", 70, held_by=(rules, "key"))
            heap.new("list", 100, held_by=(rules, "value"))
        return heap

    (suspect,) = judge(heap_after).suspects
    assert suspect.grows.type == "list"


# ---- uncollected cycles ------------------------------------------------------------------------------


def with_cycles(rung: int) -> Heap:
    heap, _ = shop()
    for _ in range(50 * (rung + 1)):
        one = heap.new("shop.Parent", 500)
        other = heap.new("list", 500, held_by=(one, "attribute", "children"))
        heap.refer(other, one, "index")
    return heap


def test_cycles_are_a_suspect_where_the_collector_is_off(judge: Judge) -> None:
    findings = judge(with_cycles, gc_enabled=False, uss_bytes=lambda rung: 30_000_000 + 60_000 * rung)
    (suspect,) = findings.suspects
    assert (suspect.kind, suspect.retainer) == ("uncollected-cycles", "garbage that nobody collects")
    assert (suspect.grows.type, suspect.grows.objects_per_request) == ("shop.Parent", 0.5)
    assert suspect.grows.bytes_per_request == 500.0
    assert suspect.why == (
        "The collector was switched off at every snapshot, and 500 bytes per request end up in cycles "
        "that only it could free: 700 objects at the last snapshot."
    )
    assert (findings.explained, findings.missing) == ([], [])


def test_cycles_explain_private_memory(judge: Judge) -> None:
    def heap_after(rung: int) -> Heap:
        heap, _ = shop()
        for _ in range(50 * (rung + 1)):
            ring = heap.new("list", 5_000)
            heap.refer(ring, ring, "index")
        return heap

    findings = judge(heap_after, uss_bytes=lambda rung: 30_000_000 + 300_000 * rung)
    assert (findings.verdict, findings.missing) == ("clean", [])
    assert [one.kind for one in findings.explained] == ["uncollected-cycles"]


def test_cycles_that_do_not_grow_are_not_mentioned(judge: Judge) -> None:
    assert judge(lambda rung: with_cycles(5)).explained == []
