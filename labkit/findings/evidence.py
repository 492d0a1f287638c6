"""Everything the rules may look at, gathered once from the files of a capture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from labkit.errors import TooFewSnapshots
from labkit.findings.model import Unit
from labkit.growth.trend import MIN_POINTS
from labkit.heap.graph import Graph
from labkit.heap.image import HeapImage
from labkit.heap.paths import PathTree
from labkit.heap.populations import Counts, Populations
from labkit.store.capture import Capture, Sample, SnapshotEntry
from labkit.store.snapshot import read_snapshot

Report = Callable[[str], None]


@dataclass(frozen=True)
class FoldedHeap:
    """One snapshot and each node's population number, shape (nodes,)."""

    image: HeapImage
    numbers: Counts

    @property
    def graph(self) -> Graph:
        """The snapshot's graph."""
        return self.image.graph

    @property
    def tree(self) -> PathTree:
        """Its nearest paths."""
        return self.image.tree


@dataclass(frozen=True)
class Evidence:
    """Series per rung and the last heap of each worker in full, the largest first.

    ``objects`` and ``bytes`` have shape (populations, rungs) and are summed over the workers that were there in every
    rung: across a restart a sum falls, and growth with it. ``left_out`` are the other workers' numbers.
    ``entries``: per rung, each worker's snapshot and the shallow sizes of all its objects together.
    ``collects``: per snapshot, whether the collector was switched on; True where the file does not say.
    """

    capture: Capture
    requests: list[int]
    populations: Populations
    children: list[list[int]]
    objects: Counts
    bytes: Counts
    lasts: list[FoldedHeap]
    allocations: list[FoldedHeap]
    collects: list[bool]
    samples: tuple[Sample, ...]
    entries: list[list[tuple[SnapshotEntry, int]]]
    left_out: tuple[int, ...] = ()

    @property
    def unit(self) -> Unit:
        """What ``requests`` counts: requests, or the seconds of a live worker whose requests nobody counted."""
        return _unit(self.capture)

    @property
    def holds_values(self) -> bool:
        """Whether values of the service were asked for, and are in the snapshots."""
        return any(heap.graph.snapshot.values is not None for heap in self.lasts)

    @property
    def requests_per_rung(self) -> float:
        """Mean number of requests between two snapshots."""
        return (self.requests[-1] - self.requests[0]) / (len(self.requests) - 1)

    def heap_with(self, numbers: Sequence[int]) -> int:
        """Which of ``lasts`` has most objects of these populations; workers may reach the same by other paths."""
        counts = [int(np.isin(heap.numbers, numbers).sum()) for heap in self.lasts]
        return counts.index(max(counts))

    def below(self, number: int) -> list[int]:
        """A population and all populations under it."""
        found = [number]
        for here in found:
            found.extend(self.children[here])
        return found


def gather(capture: Capture, report: Report = lambda _: None) -> Evidence:
    """Read the snapshots of ``capture``. Raises what reading raises, and TooFewSnapshots."""
    rungs, left_out = _rungs(capture)
    populations = Populations()
    columns: list[tuple[Counts, Counts]] = []
    lasts: list[FoldedHeap] = []
    collects: list[bool] = []
    entries: list[list[tuple[SnapshotEntry, int]]] = []
    for rung in sorted(rungs):
        objects, sizes = np.zeros(0, np.int64), np.zeros(0, np.int64)
        entries.append([])
        for entry in rungs[rung]:
            report(f"reading the heap after {entry.requests} requests")
            heap = fold(capture, entry, populations)
            entries[-1].append((entry, int(heap.graph.size_bytes.sum())))
            collects.append(heap.graph.snapshot.header.get("gc_enabled") is not False)
            objects = _add(objects, np.bincount(heap.numbers))
            sizes = _add(sizes, np.bincount(heap.numbers, weights=heap.graph.size_bytes).astype(np.int64))
            if rung == max(rungs):
                lasts.append(heap)
        columns.append((objects, sizes))
    lasts.sort(key=lambda heap: -heap.graph.node_count)
    report("reading allocation sites")
    allocations = [fold(capture, entry, populations) for entry in capture.site_snapshots[-1:]]
    width = len(populations.rows)
    return Evidence(
        capture=capture,
        requests=[max(entry.requests for entry in rungs[rung]) for rung in sorted(rungs)],
        populations=populations,
        children=populations.children(),
        objects=np.stack([np.pad(o, (0, width - len(o))) for o, _ in columns], axis=1),
        bytes=np.stack([np.pad(b, (0, width - len(b))) for _, b in columns], axis=1),
        lasts=lasts,
        allocations=allocations,
        collects=collects,
        entries=entries,
        samples=tuple(sample for sample in capture.samples if sample.pid not in left_out),
        left_out=left_out,
    )


def _unit(capture: Capture) -> Unit:
    load = capture.manifest.get("load")
    return "second" if isinstance(load, dict) and load.get("unit") == "second" else "request"


def _rungs(capture: Capture) -> tuple[dict[int, list[SnapshotEntry]], tuple[int, ...]]:
    """The snapshots by rung, of the workers that are in every rung; and the numbers of the others."""
    pids: dict[int, set[int]] = defaultdict(set)
    for entry in capture.snapshots:
        pids[entry.rung].add(entry.pid)
    more = "--rungs 4 or more" if _unit(capture) == "request" else "a series of five or more: --snapshots 5"
    if len(pids) < MIN_POINTS:
        raise TooFewSnapshots(
            "There are too few snapshots for a trend.", seen=f"snapshots of {len(pids)} rungs", hint=more
        )
    stayed, all_seen = set.intersection(*pids.values()), set.union(*pids.values())
    if not stayed:
        raise TooFewSnapshots(
            "No worker was there from the first snapshot to the last: there is no trend across restarts.",
            seen=f"{len(pids)} rungs of processes {', '.join(map(str, sorted(all_seen)))}",
            hint="more snapshots in less time, or a higher bound where the server recycles its workers",
        )
    rungs: dict[int, list[SnapshotEntry]] = defaultdict(list)
    for entry in capture.snapshots:
        if entry.pid in stayed:
            rungs[entry.rung].append(entry)
    return rungs, tuple(sorted(all_seen - stayed))


def fold(capture: Capture, entry: SnapshotEntry, populations: Populations) -> FoldedHeap:
    """Read one snapshot and assign its nodes to populations."""
    image = HeapImage(read_snapshot(capture.path_of(entry)))
    return FoldedHeap(image, populations.fold(image.tree))


def _add(left: Counts, right: Counts) -> Counts:
    width = max(len(left), len(right))
    total: Counts = np.pad(left, (0, width - len(left))) + np.pad(right, (0, width - len(right)))
    return total
