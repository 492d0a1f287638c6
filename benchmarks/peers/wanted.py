"""The ratios labkit is meant to reach, beside what was seen: ``wanted / seen / yes or no``, and what bounds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from peers.live import CAPTURE, FRESH
from peers.results import Results

MILLION = 1_000_000
GUPPY = ["heap()", "its table", "domisize of one object", "shpaths of one object"]
PYHEAP = ["dump", "analyser: top 20"]
SOLVED = "dominators and retained sizes"


@dataclass(frozen=True)
class Wanted:
    """One ratio at one size; ``reached`` is None when it could not be measured."""

    wanted: str
    seen: str
    reached: bool | None
    bound: str = ""

    def __str__(self) -> str:
        word = {True: "yes", False: "no", None: "not measured"}[self.reached]
        bound = f"\n    bounded by: {self.bound}" if self.reached is False and self.bound else ""
        return f"  wanted: {self.wanted}\n    seen: {self.seen or '-'} / {word}{bound}"


def wanted(every: Sequence[Results], real: Results) -> Iterator[tuple[str, list[Wanted]]]:
    """For each size its heading and ratios; then those of the real heap."""
    for each in every:
        found = [*_capture(each), *_pause(each), *_graph(each), *_end_to_end(each)]
        yield f"{each.nodes / MILLION:.2f} million objects", found
    yield "A process with many libraries imported", [_disk(real)]


def _times(theirs: float | None, ours: float | None) -> float | None:
    return None if theirs is None or ours is None else theirs / ours


def _faster(what: str, least: float, theirs: float | None, ours: float | None, bound: str = "") -> Wanted:
    ratio = _times(theirs, ours)
    if ratio is None:
        return Wanted(f"{what}: at least {least:g} times faster", "", None)
    seen = f"{ratio:.1f} times ({ours:.2f} s against {theirs:.2f} s)"
    return Wanted(f"{what}: at least {least:g} times faster", seen, ratio >= least, bound)


def _capture(each: Results) -> Iterator[Wanted]:
    ours, guppy = each.median("labkit", CAPTURE, "wall_s"), each.median("guppy3", "heap()", "wall_s")
    plain = each.median("labkit-plain", CAPTURE, "wall_s")
    file_bytes = each.median("labkit", CAPTURE, "file_bytes") or 0
    yield _faster(
        "capture with references, names and file, than guppy3's heap()",
        4,
        guppy,
        ours,
        f"heap() keeps a set of objects only; a capture also names its references and writes {file_bytes / 1e6:.0f} MB",
    )
    yield _faster("capture, than PyHeap's dump", 100, each.median("pyheap", "dump", "wall_s"), ours)
    ratio = _times(plain, guppy)
    yield Wanted(
        "capture without a compiler: at most 1.5 times guppy3's heap()",
        "" if ratio is None else f"{ratio:.1f} times ({plain:.2f} s against {guppy:.2f} s)",
        None if ratio is None else ratio <= 1.5,
        "Python bytecode for every reference; the worker goes on meanwhile, which with heap() it does not",
    )


def _pause(each: Results) -> Iterator[Wanted]:
    ratio, rss, bare, ours, copied = (
        each.median("pause", "pause", name)
        for name in ("ratio", "rss_bytes", "bare_fork_s", "labkit_s", "copied_bytes")
    )
    known = None not in (ratio, rss, bare, ours, copied)
    per_100_mb = 1e3 * (ours or 0) / ((rss or 1) / 1e8)
    share = (copied or 0) / (rss or 1)
    yield Wanted(
        "pause: at most 1.5 times a bare fork",
        f"{ratio:.2f} times ({1e3 * (ours or 0):.1f} ms against {1e3 * (bare or 0):.1f} ms)" if known else "",
        (ratio or 0) <= 1.5 if known else None,
        "a fixed part, for the frames that run: the smaller the heap, the more it counts",
    )
    yield Wanted(
        "pause: at most 6 ms per 100 MB resident",
        f"{per_100_mb:.1f} ms per 100 MB, of {(rss or 0) / 1e6:.0f} MB" if known else "",
        per_100_mb <= 6 if known else None,
        f"a bare fork alone takes {1e3 * (bare or 0) / ((rss or 1) / 1e8):.1f} ms per 100 MB here",
    )
    yield Wanted(
        "pages the child copies of an idle parent: at most 2 % of its resident memory",
        f"{100 * share:.2f} % ({(copied or 0) / 1e6:.2f} MB of {(rss or 0) / 1e6:.0f} MB)" if known else "",
        share <= 0.02 if known else None,
        "a fixed part, the interpreter's own state and this process's, whatever the size of the heap",
    )


def _graph(each: Results) -> Iterator[Wanted]:
    if each.objects < 10 * MILLION and "igraph" not in each.runs:
        return
    ours = each.median("labkit-graph", SOLVED, "wall_s")
    yield _faster(
        "dominators and retained sizes, than igraph's build and dominators" + _meant_for(each, 10 * MILLION),
        8,
        each.total("igraph", ["build", "dominators"]),
        ours,
    )
    mine = each.median("labkit-graph", SOLVED, "above_start_bytes")
    peaks = [each.median("igraph", step, "above_start_bytes") for step in ("build", "dominators")]
    known = mine is not None and None not in peaks
    theirs = max(one or 1 for one in peaks)
    yield Wanted(
        "... in at most a third of its memory" + _meant_for(each, 10 * MILLION),
        f"{(mine or 0) / theirs:.2f} ({(mine or 0) / 1e6:.0f} MB against {theirs / 1e6:.0f} MB)" if known else "",
        3 * (mine or 0) <= theirs if known else None,
    )


def _end_to_end(each: Results) -> Iterator[Wanted]:
    ours = each.total("labkit", [CAPTURE, FRESH])
    peak = each.median("labkit", FRESH, "child_bytes")
    parts = each.said("labkit", FRESH).partition(";")[0]
    if each.objects in (MILLION, 10 * MILLION):
        limit_s, limit_bytes = (1, 0) if each.objects == MILLION else (10, 1.3e9)
        limit = f"{limit_s} s" + (f" and {limit_bytes / 1e9:g} GB" if limit_bytes else "")
        fits = ours is not None and ours <= limit_s and (not limit_bytes or (peak or 0) <= limit_bytes)
        yield Wanted(
            f"request to file to fresh process to the 20 largest with named paths: at most {limit}",
            "" if ours is None else f"{ours:.2f} s, {(peak or 0) / 1e6:.0f} MB in the fresh process",
            None if ours is None else fits,
            f"capture {each.median('labkit', CAPTURE, 'wall_s') or 0:.2f} s, fresh process "
            f"{each.median('labkit', FRESH, 'wall_s') or 0:.2f} s: {parts}",
        )
    split = f"the fresh process: {parts}"
    yield _faster("end to end, than PyHeap's dump and analyser", 100, each.total("pyheap", PYHEAP), ours, split)
    yield _faster(
        "end to end, than guppy3's answer about one known object", 4, each.total("guppy3", GUPPY), ours, split
    )
    yield _faster(
        "... and with its reference pattern", 4, each.total("guppy3", [*GUPPY, "rp of one object"]), ours, split
    )


def _meant_for(each: Results, objects: int) -> str:
    return "" if each.objects == objects else " (meant for 10 million)"


def _disk(real: Results) -> Wanted:
    nodes, size = (real.median("real-heap", "real heap", name) for name in ("nodes", "file_bytes"))
    plain = real.median("real-heap", "real heap", "plain_file_bytes")
    if nodes is None or size is None or plain is None:
        return Wanted("at most 15 bytes an object on disk", real.problems.get("real-heap", ""), None)
    seen = f"{size / nodes:.1f} bytes of {nodes:,.0f} objects, packed; {plain / nodes:.1f} as the child writes it"
    return Wanted(
        "at most 15 bytes an object on disk", seen, size / nodes <= 15, "columns deflated at the fastest level"
    )
