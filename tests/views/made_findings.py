"""Findings made by hand: one for each thing a view must cope with."""

from __future__ import annotations

from labkit.findings.model import (
    AllocationSite,
    Explained,
    Findings,
    Growth,
    Ledger,
    Perturbation,
    Provenance,
    Sample,
    SeriesPoint,
    Suspect,
)

WARMUP = 200
PER_RUNG = 200
RUNGS = 6
_WOBBLE = (0.0, 0.012, -0.008, 0.01, -0.006, 0.004, 0.0)

HOSTILE = "<script>alert('x')</script>&\x1b[31m\u202egnp.exe\ud800\x07"
BIDI = "\u202e"


def series(objects_per_request: float, bytes_per_request: float) -> list[SeriesPoint]:
    """Seven points: after warm-up and after each of six rungs, with a wobble of about one percent."""
    points = []
    for rung in range(RUNGS + 1):
        requests = WARMUP + rung * PER_RUNG
        kept = requests * (1 + _WOBBLE[rung])
        points.append(
            SeriesPoint(
                requests=requests, objects=round(requests * objects_per_request), bytes=round(kept * bytes_per_request)
            )
        )
    return points


def samples(uss_per_request: float, descriptors_per_request: float = 0.0, pid: int = 4711) -> list[Sample]:
    """One look after warm-up and after each rung."""
    rows = []
    for rung in range(RUNGS + 1):
        requests = WARMUP + rung * PER_RUNG
        uss = round(19_200_000 + uss_per_request * requests + 90_000 * (rung % 2))
        rows.append(
            Sample(
                time_s=2.5 + 1.75 * rung,
                rung=rung,
                pid=pid,
                requests=requests,
                rss_bytes=uss + 11_400_000,
                uss_bytes=uss,
                descriptors=9 + round(descriptors_per_request * requests),
                sockets=3,
                threads=5,
            )
        )
    return rows


def provenance(statuses: dict[str, int] | None = None) -> Provenance:
    return Provenance(
        versions={"labkit": "0.1.0", "python": "3.11.7", "falcon": "4.4.0", "gunicorn": "27.0.1"},
        command="labkit investigate --app /home/anna/shop/app.py:app --request 'POST /sessions/{i}'"
        " --header 'Authorization: Bearer 0123456789abcdef'",
        capture_sha256="9f2c41d07a7be1f5a1c0de55b0a3bd3c9a8d33c11ffb1d9f1e0a5f4c5a7e6b21",
        recorded_at="2026-11-22T23:58:00Z",
        statuses=statuses or {"200": 933, "201": 467},
        requests_total=1400,
    )


COST = Perturbation(
    pause_ms=3.4,
    child_peak_bytes=41_800_000,
    uss_before_bytes=19_240_000,
    uss_after_bytes=19_260_000,
    requests_lost=0,
    snapshots=7,
)
LEDGER = Ledger(
    rss_bytes=33_200_000,
    live_python_bytes=18_900_000,
    allocator_free_bytes=2_300_000,
    native_bytes=3_900_000,
    files_and_stacks_bytes=6_900_000,
    unexplained_bytes=1_200_000,
    growth_per_request={"rss_bytes": 830.0, "live_python_bytes": 812.0, "allocator_free_bytes": -4.0},
)
WARM_UP = Explained(
    kind="warm-up", bytes=412_000, why="Regular expressions and routes are compiled once, at first use."
)
PLATEAU = Explained(
    kind="plateau",
    bytes=1_240_000,
    why="shop.catalog.REGIONS grew until 400 requests, then stayed at 256 entries: it has a limit.",
)
FOLLOWS = Explained(
    kind="consequence",
    bytes=319_000,
    why="_asyncio._all_tasks.data holds weak references; they go when what chat.rooms.WAITING gains is let go.",
)

SESSIONS = Suspect(
    rank=1,
    kind="python-objects",
    retainer="shop.sessions.STORE",
    retaining_path=["module shop.sessions", "STORE", "dict", "[*]", "shop.sessions.Session"],
    grows=Growth(
        type="shop.sessions.Session", objects_per_request=0.333, bytes_per_request=1834.2, interval95=(1808.5, 1861.0)
    ),
    allocation_site=AllocationSite(file="shop/sessions.py", line=41, function="SessionResource.on_post"),
    why="shop.sessions.STORE gained 400 sessions in six equal rungs and never lost one; removing this one"
    " reference would free 98 % of what grew.",
    retained_size_bytes=2_567_000,
    series=series(0.333, 1834.2),
)
TASKS = Suspect(
    rank=1,
    kind="python-objects",
    retainer="chat.rooms.WAITING",
    retaining_path=["module chat.rooms", "WAITING", "set", "[*]", "_asyncio.Task"],
    grows=Growth(type="_asyncio.Task", objects_per_request=1.0, bytes_per_request=4659.0, interval95=(4580.0, 4740.0)),
    allocation_site=AllocationSite(file="chat/rooms.py", line=16, function="Join.on_post"),
    heaviest_site=AllocationSite(file="chat/rooms.py", line=9, function="history"),
    why="chat.rooms.WAITING gains one _asyncio.Task per request, and lets none go: 4,659 bytes per request.",
    also_held_by=["asyncio.unix_events._UnixSelectorEventLoop._scheduled"],
    retained_size_bytes=131_000,
    retained_together_bytes=6_370_000,
    series=series(1.0, 4659.0),
)
METRICS = Suspect(
    rank=2,
    kind="python-objects",
    retainer="shop.metrics.Recorder._timings",
    retaining_path=[
        "module shop.metrics",
        "RECORDER",
        "shop.metrics.Recorder",
        "_timings",
        "list",
        "[*]",
        "tuple",
    ],
    grows=Growth(type="tuple", objects_per_request=1.0, bytes_per_request=112.4, interval95=(108.9, 115.8)),
    why="One tuple stays for each request, in a list that nothing shortens.",
    retained_size_bytes=157_000,
    series=series(1.0, 112.4),
)
REFUSALS = Suspect(
    rank=1,
    kind="traceback",
    retainer="orders.errors.REFUSALS",
    retaining_path=[
        "module orders.errors",
        "REFUSALS",
        "list",
        "[*]",
        "orders.errors.OrderRefused",
        "__traceback__",
        "traceback",
        "tb_frame",
        "frame on_post",
        "req",
        "falcon.request.Request",
    ],
    grows=Growth(
        type="orders.errors.OrderRefused",
        objects_per_request=0.5,
        bytes_per_request=4012.0,
        interval95=(3940.0, 4081.0),
    ),
    allocation_site=AllocationSite(file="/srv/build/orders/errors.py", line=18, function="check"),
    why="Kept exceptions hold their traceback, and with it the frames, the request and the response.",
    retained_size_bytes=5_616_800,
    series=series(0.5, 4012.0),
)
UPLOADS = Suspect(
    rank=1,
    kind="descriptors",
    retainer="prices.PriceListResource._open_files",
    retaining_path=[
        "module prices",
        "RESOURCE",
        "prices.PriceListResource",
        "_open_files",
        "list",
        "[*]",
        "_io.BufferedReader",
    ],
    grows=Growth(
        type="_io.BufferedReader", objects_per_request=0.25, bytes_per_request=1204.0, interval95=(1190.0, 1219.0)
    ),
    allocation_site=AllocationSite(file="prices.py", line=57, function="PriceListResource.on_put"),
    why="A refused upload stays open: each one is a descriptor the worker does not get back.",
    series=series(0.25, 1204.0),
)


def session_store() -> Findings:
    """The usual answer: one suspect of Python objects, and a small second one."""
    return Findings(
        target="session_cache",
        verdict="suspect",
        suspects=[SESSIONS, METRICS],
        explained=[WARM_UP, PLATEAU],
        ledger=LEDGER,
        perturbation=COST,
        provenance=provenance(),
        samples=samples(1950.0),
    )


def held_twice() -> Findings:
    """A suspect whose objects something else holds as well, in one of two workers."""
    return Findings(
        target="chat.py:app",
        verdict="suspect",
        suspects=[TASKS],
        explained=[FOLLOWS],
        perturbation=COST,
        provenance=provenance(),
        samples=samples(2300.0) + samples(2300.0, pid=4712),
    )


def kept_tracebacks() -> Findings:
    return Findings(
        target="/srv/build/orders/app.py:create_app()",
        verdict="suspect",
        suspects=[REFUSALS],
        perturbation=COST,
        provenance=provenance({"201": 700, "422": 700}),
        samples=samples(4200.0),
    )


def open_descriptors() -> Findings:
    return Findings(
        target="open_files",
        verdict="suspect",
        suspects=[UPLOADS],
        explained=[WARM_UP],
        perturbation=COST,
        provenance=provenance(),
        samples=samples(1300.0, descriptors_per_request=0.25),
    )


def plateau() -> Findings:
    return Findings(
        target="bounded_cache",
        verdict="clean",
        explained=[WARM_UP, PLATEAU],
        ledger=LEDGER,
        perturbation=COST,
        provenance=provenance({"200": 1400}),
        samples=samples(0.0) + samples(3.0, pid=4712),
    )


def undecided() -> Findings:
    return Findings(
        target="checkout",
        verdict="inconclusive",
        ledger=Ledger(rss_bytes=44_000_000, live_python_bytes=18_000_000, unexplained_bytes=26_000_000),
        perturbation=Perturbation(pause_ms=1240.0, requests_lost=3, snapshots=4),
        missing=[
            "Only four snapshots were taken while memory moved by steps: run again with --rungs 10.",
            "USS grows by 2.1 kB per request outside Python's objects: record native allocations with memray.",
        ],
        provenance=provenance({"200": 797, "lost": 3}).model_copy(update={"requests_total": 800}),
        samples=samples(2100.0)[:4],
    )


def hostile() -> Findings:
    """Names from a process that wants to be noticed."""
    suspect = Suspect(
        rank=1,
        kind=HOSTILE,
        retainer=HOSTILE,
        retaining_path=["module " + HOSTILE, HOSTILE, "$\\frac{" + BIDI, "[*]", HOSTILE],
        grows=Growth(type=HOSTILE, objects_per_request=1.0, bytes_per_request=100.0, interval95=(90.0, 110.0)),
        allocation_site=AllocationSite(file="../" + HOSTILE, line=1, function=HOSTILE),
        why=HOSTILE,
        also_held_by=[HOSTILE, '" onmouseover="alert(1)'],
        series=series(1.0, 100.0),
    )
    return Findings(
        target=HOSTILE,
        verdict="suspect",
        suspects=[suspect, suspect.model_copy(update={"rank": 2})],
        explained=[Explained(kind=HOSTILE, bytes=5, why=HOSTILE)],
        missing=[HOSTILE],
        provenance=Provenance(versions={HOSTILE: HOSTILE}, command=HOSTILE, recorded_at=HOSTILE, statuses={HOSTILE: 1}),
        samples=samples(100.0),
    )


def endless_names() -> Findings:
    """A type name of 100 kB, and a path of sixty steps."""
    name = "enterprise.platform." + "Abstract" * 12_500
    path = ["module " + "enterprise.platform.services.notification.dispatching.registry_of_handlers"]
    for depth in range(30):
        path += [f"_delegate_of_the_delegate_number_{depth}", f"enterprise.platform.services.Delegate{depth}"]
    suspect = SESSIONS.model_copy(
        update={
            "retainer": "enterprise.platform.services.notification.dispatching.registry_of_handlers._delegate",
            "retaining_path": [*path, "[*]", name],
            "grows": SESSIONS.grows.model_copy(update={"type": name}),
            "also_held_by": [name],
            "why": "It grows. " * 400,
        }
    )
    return Findings(
        target="long" * 60, verdict="suspect", suspects=[suspect], provenance=provenance(), samples=samples(9.0)
    )


def without_series() -> Findings:
    """A suspect nobody measured over time, and nothing else recorded."""
    bare = METRICS.model_copy(
        update={
            "rank": 1,
            "series": [],
            "retaining_path": [],
            "grows": Growth(
                type="tuple", objects_per_request=0.0, bytes_per_request=0.0, interval95=(float("nan"), float("nan"))
            ),
        }
    )
    return Findings(verdict="suspect", suspects=[bare])


ALL = {
    "session_store": session_store,
    "held_twice": held_twice,
    "kept_tracebacks": kept_tracebacks,
    "open_descriptors": open_descriptors,
    "plateau": plateau,
    "undecided": undecided,
    "hostile": hostile,
    "endless_names": endless_names,
    "without_series": without_series,
}
