"""Open descriptors that keep growing, and the objects that hold them."""

from __future__ import annotations

from collections import defaultdict

from labkit.findings import thresholds
from labkit.findings.draft import Draft
from labkit.findings.model import Suspect
from labkit.findings.told import growth
from labkit.growth.trend import MIN_POINTS, Trend, trend_of

FILE_TYPES = ("_io.FileIO", "_io.BufferedReader", "_io.BufferedWriter", "_io.BufferedRandom", "_io.TextIOWrapper")
CONNECTION_TYPES = ("socket.socket", "_socket.socket", "ssl.SSLSocket", "sqlite3.Connection")


def find(draft: Draft) -> None:
    """Re-label the suspect that holds the files or sockets; without one, suspect raw descriptors."""
    trend = _descriptor_trend(draft)
    if trend is None or trend.shape != "linear":
        return
    for place, found in draft.suspected.items():
        rows = draft.evidence.populations.rows
        for kind, types in (("descriptors", FILE_TYPES), ("connections", CONNECTION_TYPES)):
            holding = [
                n
                for n in found.members
                if rows[n].type in types and _gain(draft, n) >= thresholds.SAME_GROWTH_SHARE * trend.total
            ]
            if holding:
                suspect = draft.suspects[place]
                draft.suspects[place] = suspect.model_copy(
                    update={
                        "kind": kind,
                        "why": f"{suspect.why} Each keeps {_noun(kind)} open: the worker gains "
                        f"{trend.slope:.2f} descriptors per request and never closes them.",
                    }
                )
                return
    draft.suspects.append(
        Suspect(
            rank=0,
            kind="descriptors",
            retainer="no Python object (raw descriptors)",
            retaining_path=[],
            grows=growth(draft.evidence, "descriptor", trend.slope, 0.0, (0.0, 0.0)),
            why=f"The worker gains {trend.slope:.2f} open descriptors per request, and no growing number of "
            "Python objects holds them: they were opened as plain numbers, or by C code.",
        )
    )


def _descriptor_trend(draft: Draft) -> Trend | None:
    by_rung: dict[int, dict[int, int]] = defaultdict(dict)
    requests: dict[int, int] = {}
    for sample in draft.evidence.samples:
        by_rung[sample.rung][sample.pid] = sample.descriptors
        requests[sample.rung] = sample.requests
    if len(by_rung) < MIN_POINTS:
        return None
    rungs = sorted(by_rung)
    return trend_of(
        [requests[rung] for rung in rungs],
        [float(sum(by_rung[rung].values())) for rung in rungs],
        smallest=thresholds.MIN_DESCRIPTORS_PER_RUNG,
    )


def _gain(draft: Draft, number: int) -> int:
    series = draft.evidence.objects[number]
    return int(series[-1] - series[0])


def _noun(kind: str) -> str:
    return "a file" if kind == "descriptors" else "a connection"
