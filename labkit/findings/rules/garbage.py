"""Cycles nobody refers to: memory that comes back at the next collection, seen between two of them."""

from __future__ import annotations

import numpy as np

from labkit.findings import thresholds
from labkit.findings.draft import Draft
from labkit.findings.model import Explained
from labkit.heap.roots import GARBAGE


def find(draft: Draft) -> None:
    """Explain what hangs from no root at all in the last snapshots."""
    count = size = 0
    for heap in draft.evidence.lasts:
        garbage = np.array([kind == GARBAGE for kind in heap.tree.roots.kind], dtype=bool)[heap.tree.root_of]
        count += int(garbage.sum())
        size += int(heap.graph.size_bytes[garbage].sum())
    if size >= thresholds.MIN_GARBAGE_BYTES:
        draft.explained.append(
            Explained(
                kind="uncollected-cycles",
                bytes=size,
                why=f"{count:,} objects refer only to each other; the next full collection frees them.",
            )
        )
