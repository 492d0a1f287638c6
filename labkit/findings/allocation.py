"""The application's own line that allocates what grows, from the separate pass with tracemalloc."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import PurePath

import numpy as np

from labkit.findings.evidence import Evidence
from labkit.findings.model import AllocationSite

Frame = tuple[str, int, str]
Choice = Callable[[list[Frame]], Frame | None]
NOT_THE_APP = ("site-packages", "dist-packages", "lib/python3.", "<frozen", "<string>")


def allocation_site(evidence: Evidence, leads: tuple[int, ...], members: tuple[int, ...]) -> AllocationSite | None:
    """The line that allocated most bytes of the populations ``leads``; of ``members`` where they have none.

    None when no line of the application is on any of their tracebacks.
    """
    return _heaviest(evidence, leads) or _heaviest(evidence, members)


def heaviest_site(evidence: Evidence, members: tuple[int, ...], known: AllocationSite | None) -> AllocationSite | None:
    """The line that allocated most bytes of all that grows; None where that is the line ``known`` already."""
    site = _heaviest(evidence, members)
    return None if site == known else site


def calling_site(evidence: Evidence, numbers: tuple[int, ...], known: AllocationSite | None) -> AllocationSite | None:
    """The line in another file of the application that called ``known`` for most bytes of ``numbers``, if any did.

    What allocates may be a helper that works for the app: then this is whom it works for.
    """
    if known is None:
        return None
    return _heaviest(evidence, numbers, lambda trace: _caller(trace, known))


def _heaviest(evidence: Evidence, numbers: tuple[int, ...], choose: Choice | None = None) -> AllocationSite | None:
    for heap in evidence.allocations:
        frames = _weigh(
            heap.graph.snapshot.sites,
            heap.graph.snapshot.columns["node_site"],
            heap.graph.size_bytes,
            np.isin(heap.numbers, numbers),
            choose or _own_frame,
        )
        if frames:
            return _site(max(frames.items(), key=lambda item: (item[1], item[0]))[0])
    return None


def _site(frame: Frame) -> AllocationSite:
    file, line, function = frame
    return AllocationSite(file=_short(file), line=line, function=function)


def _weigh(
    sites: list[list[Frame]], column: np.ndarray, sizes: np.ndarray, chosen: np.ndarray, choose: Choice
) -> Counter[Frame]:
    weights: Counter[Frame] = Counter()
    for node in np.flatnonzero(chosen & (column >= 0)).tolist():
        frame = choose(sites[int(column[node])])
        if frame is not None:
            weights[frame] += int(sizes[node])
    return weights


def _own_frame(trace: list[Frame]) -> Frame | None:
    """The innermost frame in the application's code; None when a library did it on its own."""
    return next(_own_frames(trace), None)


def _own_frames(trace: list[Frame]) -> Iterator[Frame]:
    return (frame for frame in trace if not any(part in frame[0] for part in NOT_THE_APP))


def _caller(trace: list[Frame], known: AllocationSite) -> Frame | None:
    """Of a traceback that begins with the line ``known``, the nearest own frame of another file."""
    frames = _own_frames(trace)
    first = next(frames, None)
    if first is None or _site(first) != known:
        return None
    return next((frame for frame in frames if frame[0] != first[0]), None)


def _short(file: str) -> str:
    """A path without what it tells about a machine: from the package on, in the app's folder, or the bare name."""
    for mark in ("site-packages/", "dist-packages/"):
        if mark in file:
            return file.split(mark, 1)[1]
    path = PurePath(file)
    return path.name if path.is_absolute() or ".." in path.parts else str(path)
