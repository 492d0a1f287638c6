"""Captures made by hand: heaps of a few hundred objects, written by the agent's own writer.

shop = Heap()
space = shop.module("shop.sessions")
store = shop.new("dict", 64, held_by=(space, "value", "STORE"))
for _ in range(count):
    shop.new("shop.Session", 48, held_by=(store, "value"))
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from labkit.agent import layout
from labkit.agent.write import write
from labkit.store.capture import Capture, CaptureWriter, Sample

RUNGS = 6
PER_RUNG = 100
WARM_UP = 200
PID = 4711

Link = tuple[int, str] | tuple[int, str, str]
Site = list[tuple[str, int, str]]


@dataclass
class Heap:
    """Objects in the order they were made, references in the order they were drawn."""

    types: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    nodes: list[tuple[int, int, int, int, int]] = field(default_factory=list)  # type, size, name, unseen holders, site
    edges: list[list[tuple[int, int, int]]] = field(default_factory=list)  # per node: target, kind, label
    roots: list[tuple[int, int, int]] = field(default_factory=list)
    gc_enabled: bool = True
    copies: dict[int, int] = field(default_factory=dict)  # a text's row: the first row that says the same

    def new(
        self,
        kind: str,
        size: int = 56,
        *,
        name: str = "",
        held_by: Link | None = None,
        unseen_holders: int = 0,
        site: Site | None = None,
    ) -> int:
        """Add an object; return its row."""
        row = len(self.nodes)
        place = -1 if site is None else _row(self.sites, site)
        own_name = _row(self.labels, name) if name else -1
        self.nodes.append((_row(self.types, kind), size, own_name, unseen_holders, place))
        self.edges.append([])
        if held_by is not None:
            self.refer(held_by[0], row, *held_by[1:])
        return row

    def refer(self, source: int, target: int, kind: str, label: str = "") -> None:
        """Add a reference; an ``index`` has its position for a label."""
        named = _row(self.labels, label) if label else -1
        number = len(self.edges[source]) if kind == "index" else named
        self.edges[source].append((target, layout.EDGE_KINDS.index(kind), number))

    def root(self, kind: str, label: str, node: int) -> None:
        """Declare a root as the walker does."""
        self.roots.append((node, layout.ROOT_KINDS.index(kind), _row(self.labels, label)))

    def module(self, name: str) -> int:
        """Add a module with its namespace; return the namespace."""
        module = self.new("module", 72, name=name, unseen_holders=1)
        self.root("module", name, module)
        return self.new("dict", 232, held_by=(module, "internal", "__dict__"))

    def filler(self, count: int = 200) -> None:
        """What any process holds and does not change."""
        space = self.module("stdlib")
        table = self.new("list", 56 + 8 * count, held_by=(space, "value", "TABLE"))
        for place in range(count):
            self.new(("tuple", "function", "dict")[place % 3], 64, held_by=(table, "index"))

    def write(self, path: Path) -> None:
        """Write it as the agent writes a walk."""
        into = [0] * len(self.nodes)
        for references in self.edges:
            for target, _, _ in references:
                into[target] += 1
        starts = [0]
        for references in self.edges:
            starts.append(starts[-1] + len(references))
        flat = [edge for references in self.edges for edge in references]
        rows = {
            "node_address": [0x7F0000000000 + 64 * place for place in range(len(self.nodes))],
            "node_type": [node[0] for node in self.nodes],
            "node_size": [node[1] for node in self.nodes],
            "node_refcount": [into[place] + node[3] for place, node in enumerate(self.nodes)],
            "node_name": [node[2] for node in self.nodes],
            "node_site": [node[4] for node in self.nodes],
            "edge_start": starts,
            "edge_target": [edge[0] for edge in flat],
            "edge_kind": [edge[1] for edge in flat],
            "edge_label": [edge[2] for edge in flat],
            "root_node": [root[0] for root in self.roots],
            "root_kind": [root[1] for root in self.roots],
            "root_label": [root[2] for root in self.roots],
            "copy_node": sorted(self.copies),
            "copy_of": [self.copies[row] for row in sorted(self.copies)],
        }
        columns = {name: array(code, rows[name]) for name, (_, code) in layout.COLUMNS.items()}
        tables = {"types": self.types, "labels": self.labels, "sites": self.sites}
        facts = {"nodes": len(self.nodes), "gc_enabled": self.gc_enabled}
        write(str(path), SimpleNamespace(columns=columns, tables=tables, facts=facts, value_text=None))


def _row(table: list, entry: object) -> int:  # type: ignore[type-arg]
    if entry not in table:
        table.append(entry)
    return table.index(entry)


def store_of(count: int) -> Heap:
    """A dict of the app with so many sessions of 1,000 bytes."""
    heap = Heap()
    store = heap.new("dict", 64, held_by=(heap.module("shop"), "value", "STORE"))
    for _ in range(count):
        heap.new("shop.Session", 1000, held_by=(store, "value"))
    return heap


def twelve(rung: int) -> int:
    return 12


def thirty_megabytes(rung: int) -> int:
    return 30_000_000


def record(
    folder: Path,
    heap_after: Callable[[int], Heap],
    *,
    rungs: int = RUNGS,
    descriptors: Callable[[int], int] = twelve,
    uss_bytes: Callable[[int], int] = thirty_megabytes,
    heap_with_sites: Heap | None = None,
    pids: Sequence[int] = (PID,),
    others_heap_after: Callable[[int], Heap] | None = None,
    statuses: dict[str, int] | None = None,
    gc_enabled: bool = True,
) -> Capture:
    """Write a capture of ``rungs`` rungs after the warm-up; ``heap_after(rung)`` is each worker's heap.

    With ``others_heap_after``, workers other than the first have that one.
    """
    with CaptureWriter(folder) as writer:
        for rung in range(rungs + 1):
            requests = WARM_UP + PER_RUNG * rung
            for pid in pids:
                path = writer.heap_path(rung, pid)
                heap = (heap_after if pid == pids[0] else others_heap_after or heap_after)(rung)
                heap.gc_enabled = gc_enabled
                heap.write(path)
                cost = {"pause_ms": 2.04 + rung, "child_peak_bytes": 1_000_000 + rung, "duration_s": 0.5}
                writer.add_snapshot(rung, pid, requests, path, cost)
                for late in (0.0, 0.5):  # a look before the snapshot and one after it
                    uss = uss_bytes(rung)
                    looks = (requests, uss + 20_000_000, uss, descriptors(rung), 2, 4)
                    writer.add_sample(Sample(rung + late, rung, pid, *looks))
        if heap_with_sites is not None:
            path = writer.heap_path(rungs, PID, sites=True)
            heap_with_sites.write(path)
            writer.add_snapshot(rungs, PID, WARM_UP, path, {}, sites=True)
        writer.add_statuses(statuses or {"200": WARM_UP + PER_RUNG * rungs})
        writer.add_under_load({"uss_before_bytes": 1, "uss_after_bytes": 2, "lost": 0})
        return writer.publish(
            label="shop:leaky", command="labkit investigate shop", versions={"python": "3.11.7"}, load={}, server={}
        )
