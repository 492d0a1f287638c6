"""Where a process's memory is, rung by rung: in Python objects, free inside the allocators, held by C code.

Allocators know what they handed out and what they have free; the heap says how much of what was handed out is live
Python objects; the kernel says what belongs to files and stacks. What is left of the resident set nobody accounts for:
memory mapped past the allocators, or, below zero, memory that was asked for and never touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add

from labkit.findings.evidence import Evidence
from labkit.findings.model import Ledger
from labkit.growth.trend import slope_with_interval
from labkit.store.capture import SnapshotEntry

#: What a figure of a snapshot's ``memory`` must be there for.
FROM_MALLOC = ("malloc_used_bytes", "malloc_free_bytes")
FROM_KERNEL = ("rss_bytes", "file_bytes", "stack_bytes")


@dataclass(frozen=True)
class Parts:
    """Bytes of all workers at one rung; the parts add up to ``rss_bytes``."""

    rss_bytes: int
    live_python_bytes: int
    allocator_free_bytes: int
    native_bytes: int
    files_and_stacks_bytes: int
    unexplained_bytes: int

    def __add__(self, other: Parts) -> Parts:
        return Parts(*(mine + its for mine, its in zip(vars(self).values(), vars(other).values(), strict=True)))


def parts_per_rung(evidence: Evidence) -> list[Parts]:
    """One for each rung; empty where a worker's allocators were not asked at some rung."""
    if not all(_is_complete(entry) for row in evidence.entries for entry, _ in row):
        return []
    return [reduce(add, (_parts(entry.memory, size) for entry, size in row)) for row in evidence.entries]


def _is_complete(entry: SnapshotEntry) -> bool:
    return all(name in entry.memory for name in (*FROM_MALLOC, *FROM_KERNEL))


def _parts(memory: dict[str, int], live_bytes: int) -> Parts:
    blocks, kept = memory.get("block_bytes", 0), memory.get("free_list_bytes", 0)  # none: Python asks malloc for all
    free = memory.get("arena_bytes", 0) - blocks + kept + memory["malloc_free_bytes"]
    native = blocks - kept + memory["malloc_used_bytes"] - live_bytes
    mapped = memory["file_bytes"] + memory["stack_bytes"]
    rest = memory["rss_bytes"] - live_bytes - free - native - mapped
    return Parts(memory["rss_bytes"], live_bytes, free, native, mapped, rest)


def ledger(evidence: Evidence) -> Ledger:
    """The last rung's parts, and how fast each grew; only the whole and the objects where allocators were not asked."""
    parts = parts_per_rung(evidence)
    if not parts:
        last_rung = max((sample.rung for sample in evidence.samples), default=None)
        newest = {sample.pid: sample for sample in evidence.samples if sample.rung == last_rung}
        rss = sum(sample.rss_bytes for sample in newest.values()) or None
        return Ledger(rss_bytes=rss, live_python_bytes=int(evidence.bytes[:, -1].sum()))
    growth = {
        name: round(slope_with_interval(evidence.requests, [getattr(one, name) for one in parts])[0], 1)
        for name in vars(parts[-1])
    }
    return Ledger(**vars(parts[-1]), growth_per_request=growth)
