"""What an investigation found: one frozen record, and the JSON contract ``labkit.findings/1``.

``docs/findings.schema.json`` is generated from these classes; a test keeps the two equal.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Unit = Literal["request", "second"]
Verdict = Literal["suspect", "clean", "inconclusive"]
Wanted = Literal["longer-run", "confirmation", "native-recording"]


class Record(BaseModel):
    """A frozen record whose JSON names are its field names."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class SeriesPoint(Record):
    """One rung's end: requests served so far, and what the population amounted to."""

    requests: int
    objects: int
    bytes: int


class Growth(Record):
    """What grows and how fast; ``interval95`` is the 95 % interval of ``bytes_per_request``.

    ``per`` is ``second`` where a live worker was looked at over time and nobody counted its requests; then
    the fields that say ``per_request`` are per second, and ``requests`` are seconds.
    """

    type: str
    objects_per_request: float
    bytes_per_request: float
    interval95: tuple[float, float]
    per: Unit = "request"


class AllocationSite(Record):
    """A line of the application."""

    file: str
    line: int
    function: str


class Suspect(Record):
    """A reference that keeps growing memory alive.

    ``retaining_path[2 * retainer_step]`` is the object that holds the growth, null where the path has none.
    ``allocation_site`` allocates the objects of type ``grows.type``; ``heaviest_site`` allocates most bytes of
    all that grows with them, null where it is the same line. ``calling_site`` called ``allocation_site`` from
    another file of the app, null where none did.
    ``held_by_library``: ``retainer`` is a library's own name, so that the app can only undo what it put there.
    ``retained_size_bytes`` is what would be freed if it alone were cut; ``retained_together_bytes`` if it and
    all of ``also_held_by`` were, null where nothing else holds the growth.
    """

    rank: int
    kind: str
    retainer: str
    retaining_path: list[str]
    retainer_step: int | None = None
    held_by_library: bool = False
    grows: Growth
    allocation_site: AllocationSite | None = None
    heaviest_site: AllocationSite | None = None
    calling_site: AllocationSite | None = None
    why: str
    also_held_by: list[str] = Field(default_factory=list)
    retained_size_bytes: int | None = None
    retained_together_bytes: int | None = None
    series: list[SeriesPoint] = Field(default_factory=list)


class Explained(Record):
    """Growth that is no suspect, and the reason; of kind ``large``, a large object of a single snapshot."""

    kind: str
    bytes: int
    why: str


class Ledger(Record):
    """Where the last snapshots' memory is; null means not measured. The other parts add up to ``rss_bytes``.

    ``unexplained_bytes`` is memory mapped past the allocators; below zero, memory asked for and never touched.
    ``growth_per_request`` has the slope of each part over all rungs; empty where they were not measured.
    """

    rss_bytes: int | None = None
    live_python_bytes: int | None = None
    allocator_free_bytes: int | None = None
    native_bytes: int | None = None
    files_and_stacks_bytes: int | None = None
    unexplained_bytes: int | None = None
    growth_per_request: dict[str, float] = Field(default_factory=dict)


class Perturbation(Record):
    """What the capture cost the worker; the worst of all snapshots."""

    pause_ms: float | None = None
    child_peak_bytes: int | None = None
    uss_before_bytes: int | None = None
    uss_after_bytes: int | None = None
    requests_lost: int | None = None
    snapshots: int = 0


class SeenGrowth(Record):
    """One line of what another tool saw grow: ``what`` is a type or a place ``file:line``; null is not measured."""

    what: str
    objects: int | None = None
    bytes: int | None = None


class SecondOpinion(Record):
    """What another tool recorded of one worker, beside the heap, in a window of its own.

    ``saw``: what grew most in it, or with py-spy where most samples were. ``agrees``: whether the first suspect is
    among what grew (null: nothing to compare), ``match`` its line there, ``why`` the reason in terms of what the tool
    can see. ``cost`` as in the capture's manifest. ``files``: the tool's own, in the capture's folder.
    ``why_not``: why there is no recording.
    """

    tool: str
    version: str = ""
    pid: int
    window_s: float = 0.0
    requests: int | None = None
    saw: list[SeenGrowth] = Field(default_factory=list)
    agrees: bool | None = None
    match: SeenGrowth | None = None
    why: str = ""
    why_not: str = ""
    cost: dict[str, float] = Field(default_factory=dict)
    files: list[str] = Field(default_factory=list)


class Provenance(Record):
    """Who made the capture, with what, and its hash."""

    versions: dict[str, str] = Field(default_factory=dict)
    command: str = ""
    capture_sha256: str = ""
    recorded_at: str = ""
    statuses: dict[str, int] = Field(default_factory=dict)
    requests_total: int = 0


class Sample(Record):
    """One look at one worker from outside, at the end of a rung; ``retained`` series live in suspects."""

    time_s: float
    rung: int
    pid: int
    requests: int
    rss_bytes: int
    uss_bytes: int
    descriptors: int
    sockets: int
    threads: int


class Findings(Record):
    """The whole answer; ``basis`` is ``snapshot`` where no series was looked at, which knows no growth.

    ``missing`` says in words which measurements would settle what is open; ``wanted`` names the kinds of them that an
    investigation can take by itself; ``confirmation`` is a longer run to see whether a suspect's growth has a bound.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    schema_: Literal["labkit.findings/1"] = Field(default="labkit.findings/1", alias="schema")
    target: str = ""
    basis: Literal["series", "snapshot"] = "series"
    unit: Unit = "request"
    verdict: Verdict
    suspects: list[Suspect] = Field(default_factory=list)
    explained: list[Explained] = Field(default_factory=list)
    ledger: Ledger = Field(default_factory=Ledger)
    perturbation: Perturbation = Field(default_factory=Perturbation)
    second_opinions: list[SecondOpinion] = Field(default_factory=list)
    missing: list[str] = Field(default_factory=list)
    wanted: list[Wanted] = Field(default_factory=list)
    holds_values: bool = False
    notes: list[str] = Field(default_factory=list)
    provenance: Provenance = Field(default_factory=Provenance)
    samples: list[Sample] = Field(default_factory=list)
