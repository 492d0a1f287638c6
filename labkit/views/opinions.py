"""Second opinions in words: what each tool saw, whether it is the suspect, why it may not be, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass

from labkit.findings.model import Findings, SecondOpinion, SeenGrowth
from labkit.views.names import prose, shown
from labkit.views.units import bytes_rate, bytes_text, count_text, milliseconds_text, number, plural

MEASURABLE = 1.1  # two windows without any tool differ by so much
MOST_SEEN = 3
NAME_LIMIT = 60
GRAPH = "heap graph"
_SLOWER = 1.5  # a lesson's window is short: below it the same app differs from itself
_MOST_PLACES = 2
_WHERE = {"objgraph": "a child", "guppy3": "a child", "py-spy": "outside"}

#: What a tool counts, one and many.
_COUNTED = {"tracemalloc": ("block", "blocks"), "memray": ("allocation", "allocations")}
_QUESTIONS = {True: "It saw it too", False: "It did not see it", None: ""}


@dataclass(frozen=True)
class OpinionText:
    """One tool's row; each part may be empty."""

    tool: str
    version: str
    window: str
    saw: str
    verdict: str
    cost: str
    files: str


def opinion_rows(findings: Findings) -> list[OpinionText]:
    """A row for each recording, in the order they were made."""
    several = len({opinion.pid for opinion in findings.second_opinions}) > 1
    return [_row(opinion, several) for opinion in findings.second_opinions]


def saw_most(opinion: SecondOpinion) -> str:
    """What it says grew most, in one line; of places the first two."""
    if opinion.why_not:
        return f"not recorded: {prose(opinion.why_not)}"
    most = opinion.saw if opinion.tool in _WHERE else opinion.saw[:_MOST_PLACES]
    return _saw(opinion.model_copy(update={"saw": most})).replace("site-packages/", "")


def heap_graph_saw(findings: Findings) -> str:
    """The same of the snapshots, without what memray adds."""
    held = [one for one in findings.suspects if one.kind != "native"]
    if held:
        grows = held[0].grows
        return f"{shown(held[0].retainer, NAME_LIMIT)} {shown(grows.type)} +{bytes_rate(grows.bytes_per_request)}"
    return "no Python object that grows"


def price(opinion: SecondOpinion) -> tuple[str, str, str, str]:
    """Where it looks from, how long the worker stood still, memory it took and where, how much slower requests were."""
    cost = opinion.cost
    still = milliseconds_text(cost["pause_ms"]) if "pause_ms" in cost else "-"
    more = f"{bytes_text(cost['child_peak_bytes'])} in the child" if "child_peak_bytes" in cost else "-"
    if opinion.tool == "memray":
        more = f"{bytes_text(cost.get('uss_bytes', 0))} in the worker"
    times = cost.get("requests_per_s_without", 0) / (cost.get("requests_per_s") or 1)
    slower = f"{number(times, 2)} times" if times >= _SLOWER else f"less than {_SLOWER} times"
    if opinion.tool in ("objgraph", "guppy3"):
        slower = "nothing but the fork"
    return _WHERE.get(opinion.tool, "the worker itself"), still, more, slower


def _row(opinion: SecondOpinion, several: bool) -> OpinionText:
    tool, version = shown(opinion.tool), shown(opinion.version)
    window = f"process {opinion.pid}" if several else ""
    if opinion.why_not:
        return OpinionText(tool, version, window, f"not recorded: {prose(opinion.why_not)}", "", "", "")
    window = ", ".join(part for part in (window, _window(opinion)) if part)
    parts = (_saw(opinion), _verdict(opinion), _cost(opinion), _files(opinion))
    return OpinionText(tool, version, window, *parts)


def _window(opinion: SecondOpinion) -> str:
    if opinion.requests:
        return f"{plural(opinion.requests, 'request')} in {number(opinion.window_s)} s"
    return f"{number(opinion.window_s)} s"


def _saw(opinion: SecondOpinion) -> str:
    """What grew most, the first few."""
    if not opinion.saw:
        return "nothing that grew"
    if opinion.tool == "py-spy":
        whole = sum(seen.objects or 0 for seen in opinion.saw)
        most = opinion.saw[0]
        return f"most often at {_name(most)}, {count_text(most.objects)} of {count_text(whole)} looks"
    return "; ".join(_amount(opinion, seen) for seen in opinion.saw[:MOST_SEEN])


def _name(seen: SeenGrowth) -> str:
    return shown(seen.what, NAME_LIMIT)


def _amount(opinion: SecondOpinion, seen: SeenGrowth) -> str:
    counted = plural(seen.objects or 0, *_COUNTED.get(opinion.tool, ("object", "objects")))
    if seen.bytes is None:
        return f"{_name(seen)} +{counted}"
    return f"{_name(seen)} +{bytes_text(seen.bytes)} in {counted}"


def _verdict(opinion: SecondOpinion) -> str:
    start = _QUESTIONS[opinion.agrees]
    if opinion.agrees and opinion.match is not None:
        start += f" ({_amount(opinion, opinion.match)})"
    return f"{start}. {prose(opinion.why)}" if start else prose(opinion.why)


def _cost(opinion: SecondOpinion) -> str:
    cost = opinion.cost
    parts = []
    if "pause_ms" in cost:
        parts.append(f"{milliseconds_text(cost['pause_ms'])} pause")
    if "took_ms" in cost:
        parts.append(f"{milliseconds_text(cost['took_ms'])} to switch it")
    if "child_peak_bytes" in cost:
        parts.append(f"{bytes_text(cost['child_peak_bytes'])} in a child")
    if cost.get("uss_bytes", 0) > 0:
        parts.append(f"{bytes_text(cost['uss_bytes'])} in the worker")
    if cost.get("requests_per_s") and cost.get("requests_per_s_without") and opinion.tool not in ("objgraph", "guppy3"):
        times = cost["requests_per_s_without"] / cost["requests_per_s"]
        longer = f"{number(times, 2)} times as long" if times >= MEASURABLE else "no longer than noise"
        parts.append(f"{longer} for the same requests")
    return ", ".join(parts)


def _files(opinion: SecondOpinion) -> str:
    return ", ".join(shown(name) for name in opinion.files)
