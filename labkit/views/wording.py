"""Findings in plain words: verdicts, kinds, headlines, the answer in two sentences, the glossary."""

from __future__ import annotations

import re

from labkit.findings.model import AllocationSite, Findings, Ledger, Suspect, Unit, Verdict
from labkit.views.names import short_path, shown
from labkit.views.units import (
    bytes_range,
    bytes_rate,
    bytes_text,
    count_text,
    milliseconds_text,
    number,
    objects_rate,
    plural,
    projected_bytes,
    projected_count,
    rate_shown,
)

HEADLINE_NAME_LIMIT = 72

VERDICTS: dict[Verdict, str] = {
    "suspect": "Suspect found",
    "clean": "Clean",
    "inconclusive": "Inconclusive",
}

KINDS: dict[str, str] = {
    "python-objects": "Python objects kept alive",
    "traceback": "kept exceptions, with their frames",
    "native": "memory outside Python",
    "c-reference": "references held from C",
    "descriptors": "open files",
    "connections": "open connections",
    "threads": "threads that never end",
    "uncollected-cycles": "cycles nobody collects",
}

EXPLAINED_KINDS: dict[str, str] = {
    "warm-up": "warm-up",
    "plateau": "grew, then stopped",
    "fragmentation": "fragmentation",
    "uncollected-cycles": "cycles not collected yet",
    "noise": "noise",
    "step": "one step, then flat",
    "large": "large",
    "consequence": "follows from a suspect",
}

# What to do about it, said to whoever owns the code; {retainer} is the reference that holds the growth.
_ADVICE: dict[str, str] = {
    "python-objects": "give {retainer} a limit, or remove what is done with",
    "traceback": "let {retainer} keep the error's text instead of the exception itself",
    "native": "look where the memory of {retainer} should be given back, in an extension or through ctypes",
    "c-reference": "find what C code was given to keep: a callback of atexit.register or of an extension, "
    "or an extension's objects that are not released",
    "descriptors": "close what {retainer} opens on every path, the error paths included",
    "connections": "give connections back on every path of {retainer}, the error paths included",
    "threads": "let the threads of {retainer} end, or use one pool of them",
    "uncollected-cycles": "switch the collector on (gc.enable()), or break the cycles",
}
_ADVICE_FOR_TASKS = "let what waits in {retainer} end: cancel it, or limit how long it may wait"
_TASK_TYPES = ("_asyncio.Task", "asyncio.tasks.Task", "asyncio.events.TimerHandle", "_asyncio.Future")
_ADVICE_FOR_RAW = "look for os.open, os.pipe, os.dup, or C code that opens files and keeps numbers, and close them"
_ADVICE_FOR_MODULES = "find what sets names in the module {retainer} while serving"
_ADVICE_FOR_REGISTRIES = "undo what puts things into {retainer} when they are done with"
_ADVICE_FOR_WARNINGS = (
    "let these warnings say the same text each time, or filter them out: each new text is remembered in {retainer}"
)
_ADVICE_OTHERWISE = "look at {retainer} and at what puts things there"

#: Said by ``capture``, and first thing by whatever shows such a file.
VALUES_WARNING = (
    "This capture holds values of the service: the beginnings of its texts and numbers, with secrets and personal data "
    "as they are in memory. Do not pass it on; delete it when you are done."
)

GLOSSARY: tuple[tuple[str, str], ...] = (
    ("Rung", "One equal slice of load. After each, the worker rests and is measured; several make a trend."),
    ("Snapshot", "A record of all objects in one worker at one moment: types, sizes, references. No values."),
    ("Retainer", "The named reference that keeps growing memory alive. Cut it, and the memory is freed."),
    (
        "Retaining path",
        "The chain from something that always lives, such as a module, to the objects that grow.",
    ),
    ("Suspect", "A retainer whose memory grows with each request, beyond warm-up and beyond noise."),
)


def kind_text(kind: str) -> str:
    """A suspect's kind in plain words; an unknown one as it is."""
    return KINDS.get(kind, shown(kind))


def explained_kind_text(kind: str) -> str:
    """The kind of explained growth in plain words; an unknown one as it is."""
    return EXPLAINED_KINDS.get(kind, shown(kind))


def target_text(findings: Findings) -> str:
    """What was investigated, without its folder when that is absolute."""
    return shown(short_path(findings.target, keep=1), HEADLINE_NAME_LIMIT) if findings.target else "the app"


def counts_things(suspect: Suspect) -> bool:
    """True when the number, not the bytes, is the harm: descriptors, connections, threads."""
    return suspect.kind in {"descriptors", "connections", "threads"}


def thing(suspect: Suspect) -> str:
    """What is counted when the number is the harm, as a plural noun."""
    return {"descriptors": "open files", "connections": "open connections"}.get(suspect.kind, suspect.kind)


def rate_headline(suspect: Suspect) -> str:
    """One suspect as a clause: ``shop.STORE keeps 1.83 kB per request``."""
    retainer = shown(suspect.retainer, HEADLINE_NAME_LIMIT) or "an unnamed reference"
    grows = suspect.grows
    times, per = rate_shown(grows.per)
    objects = grows.objects_per_request * times
    if suspect.kind == "descriptors" and not suspect.retaining_path:
        return f"{number(objects)} descriptors are left open {per}, held by no Python object"
    if counts_things(suspect):
        return f"{retainer} leaves {number(objects)} {thing(suspect)} behind {per}"
    what = "exceptions worth " if suspect.kind == "traceback" else ""
    return f"{retainer} keeps {what}{bytes_rate(grows.bytes_per_request, grows.per)}"


def verdict_text(findings: Findings) -> str:
    """The verdict in a word or two: ``Clean``, ``Suspect found``, ``3 suspects found``."""
    if findings.verdict == "suspect" and len(findings.suspects) > 1:
        return f"{count_text(len(findings.suspects))} suspects found"
    return VERDICTS[findings.verdict]


def headline(findings: Findings) -> str:
    """The verdict as one line a reader can act on."""
    if findings.verdict == "clean":
        with_what = "in the time it was watched" if findings.unit == "second" else "with the number of requests"
        return f"Nothing keeps growing {with_what}"
    if findings.basis == "snapshot":
        return "One snapshot shows what is large, not what grows"
    if findings.verdict == "inconclusive" or not findings.suspects:
        return "The measurement does not settle it"
    return rate_headline(findings.suspects[0])


def projection(suspect: Suspect) -> str:
    """The growth of a thousand requests: bytes, or a count where the count is the harm."""
    grows = suspect.grows
    if grows.per == "second":
        text = objects_rate(grows.objects_per_request, grows.per)
        return f"about {text if counts_things(suspect) else bytes_rate(grows.bytes_per_request, grows.per)}"
    if counts_things(suspect):
        return projected_count(grows.objects_per_request)
    return projected_bytes(grows.bytes_per_request)


def interval_text(suspect: Suspect) -> str:
    """The interval of the bytes per request: ``95 % interval 1.81 to 1.86 kB``."""
    times, _ = rate_shown(suspect.grows.per)
    low, high = suspect.grows.interval95
    span = bytes_range(low * times, high * times)
    return f"95 % interval {span}" if " to " in span or span == "unknown" else "95 % interval within rounding"


def site_text(site: AllocationSite | None) -> str:
    """``shop/sessions.py line 41, in remember``; without a site, that none was recorded."""
    if site is None:
        return "not recorded"
    function = f", in {shown(site.function)}" if site.function else ""
    return f"{short_path(site.file)} line {site.line}{function}"


def sites_text(suspect: Suspect) -> str:
    """The line that allocates what grows, who called it from elsewhere, and the line that most bytes are from."""
    text = site_text(suspect.allocation_site)
    if suspect.allocation_site is None:
        return text
    if suspect.calling_site is not None:
        text += f"; called at {site_text(suspect.calling_site)}"
    return text if suspect.heaviest_site is None else f"{text}; most bytes at {site_text(suspect.heaviest_site)}"


def _start_text(suspect: Suspect) -> str:
    """Where to begin to read; empty when no line is known."""
    if suspect.allocation_site is None:
        return ""
    called = f", called at {site_text(suspect.calling_site)}" if suspect.calling_site else ""
    return f"; start at {site_text(suspect.allocation_site)}{called}"


def next_step(suspect: Suspect) -> str:
    """What to do next, as one sentence."""
    retainer = shown(suspect.retainer, HEADLINE_NAME_LIMIT) or "the retainer"
    advice = _ADVICE.get(suspect.kind, _ADVICE_OTHERWISE)
    if suspect.kind == "descriptors" and not suspect.retaining_path:
        advice = _ADVICE_FOR_RAW
    if suspect.kind == "python-objects":
        if suspect.grows.type in _TASK_TYPES:
            advice = _ADVICE_FOR_TASKS
        elif suspect.retainer.endswith(".__warningregistry__"):
            advice = _ADVICE_FOR_WARNINGS
        elif suspect.retaining_path[:1] == [f"module {suspect.retainer}"]:
            advice = _ADVICE_FOR_MODULES
        elif suspect.held_by_library:
            advice = _ADVICE_FOR_REGISTRIES
    return f"Next: {advice.format(retainer=retainer)}{_start_text(suspect)}.{_not_alone(suspect, retainer)}"


def _not_alone(suspect: Suspect, retainer: str) -> str:
    """A sentence of warning where others hold the same, with what emptying the retainer alone would free."""
    if not suspect.also_held_by:
        return ""
    others = ", ".join(shown(name, HEADLINE_NAME_LIMIT) for name in suspect.also_held_by[:2])
    more = f" and {len(suspect.also_held_by) - 2} more" if len(suspect.also_held_by) > 2 else ""
    hold = "hold" if len(suspect.also_held_by) > 1 else "holds"
    alone, together = suspect.retained_size_bytes, suspect.retained_together_bytes
    if alone is None or together is None:
        return f" But {others}{more} {hold} the same."
    return (
        f" But {others}{more} {hold} the same: emptying {retainer} alone frees"
        f" {bytes_text(alone)} of {bytes_text(together)}."
    )


def retained_text(suspect: Suspect, workers: int = 1) -> str:
    """What the retainer keeps alive: alone, with those that hold the same, and of how many workers that is."""
    if suspect.retained_size_bytes is None:
        return "not measured"
    alone = bytes_text(suspect.retained_size_bytes)
    where = f" (in one of {workers} workers)" if workers > 1 else ""
    if suspect.retained_together_bytes is None:
        return f"{alone}{where}"
    return f"{alone} alone, {bytes_text(suspect.retained_together_bytes)} with what also holds it{where}"


def worker_count(findings: Findings) -> int:
    """How many workers were looked at at once; 1 when that was not recorded."""
    by_rung: dict[int, set[int]] = {}
    for sample in findings.samples:
        by_rung.setdefault(sample.rung, set()).add(sample.pid)
    return max((len(pids) for pids in by_rung.values()), default=1)


def explained_heading(findings: Findings) -> tuple[str, str]:
    """What stands above the list of what is no suspect, and above its reasons."""
    if findings.basis == "snapshot":
        return "What is large", "What it keeps alive"
    return "Growth that is explained", "Why it is no suspect"


def _watched(findings: Findings) -> str:
    """How much was looked at: ``1,400 requests, 6 snapshots``."""
    parts = []
    if findings.provenance.requests_total:
        parts.append(plural(findings.provenance.requests_total, findings.unit))
    if findings.perturbation.snapshots:
        parts.append(plural(findings.perturbation.snapshots, "snapshot"))
    return " and ".join(parts) or "the whole run"


def answer(findings: Findings) -> tuple[str, str]:
    """The answer for whoever decides: what holds the memory, how fast, and how long it was watched; then what to do."""
    target = target_text(findings)
    if findings.basis == "snapshot":
        return (
            f"In {target}, the containers that keep most memory alive are listed below; whether any of them grows, "
            "a single moment cannot say.",
            "Next: take the measurements listed as missing; until then, count it neither as leaking nor as clean.",
        )
    if findings.verdict == "clean":
        growth = " Growth that stopped is explained below." if findings.explained else ""
        return (
            f"Across {_watched(findings)}, no reference in {target} kept more memory the "
            f"{'longer it ran' if findings.unit == 'second' else 'more requests it served'}.",
            f"Nothing needs to be done.{growth}",
        )
    if findings.verdict == "inconclusive" or not findings.suspects:
        listed = "take the measurements listed as missing" if findings.missing else "measure again, with --rungs 12"
        return (
            f"Across {_watched(findings)}, the evidence is not enough to say whether {target} leaks.",
            f"Next: {listed}; until then, count it neither as leaking nor as clean.",
        )
    suspect = findings.suspects[0]
    retainer = shown(suspect.retainer, HEADLINE_NAME_LIMIT) or "an unnamed reference"
    grows = suspect.grows
    amount = projection(suspect)
    if suspect.kind == "descriptors" and not suspect.retaining_path:
        held = f"descriptors are left open that no Python object holds, {amount}"
    elif counts_things(suspect):
        held = f"{retainer} leaves {thing(suspect)} behind, {amount}"
    else:
        kept = (
            f"keeps {shown(grows.type, 48)} objects alive and grows"
            if grows.objects_per_request or not grows.bytes_per_request
            else "keeps memory of its own and grows"
            if suspect.kind == "native"
            else "grows in place"
        )
        held = f"{retainer} {kept} by {amount}"
    return f"In {target}, {held}. {_caution(findings)}", next_step(suspect)


def _caution(findings: Findings) -> str:
    """For how long it was watched, and what would look the same."""
    watched = f"It was watched for {_watched(findings)}"
    if "confirmation" not in findings.wanted:
        return f"{watched}."
    return f"{watched}: a cache whose bound lies beyond that, or a store that lets go by age, would look the same."


def statuses_text(statuses: dict[str, int]) -> str:
    """``200: 1,397, 500: 3``; lost requests say so."""
    if not statuses:
        return "not recorded"
    return ", ".join(f"{shown(status)}: {count_text(count)}" for status, count in statuses.items())


#: Parts of the ledger in words, the whole first.
_PARTS = {
    "rss_bytes": "resident in all (RSS)",
    "live_python_bytes": "live Python objects",
    "native_bytes": "held by C code, the interpreter's own too",
    "allocator_free_bytes": "free inside allocators",
    "files_and_stacks_bytes": "files and stacks",
    "unexplained_bytes": "not explained",
}
_NEVER_TOUCHED = "asked for and never touched"
_LEAST_GROWTH = 1.0


def ledger_rows(ledger: Ledger, unit: Unit = "request") -> tuple[tuple[str, int, str], ...]:
    """The ledger as rows of words, bytes and growth in words; what was not measured has no row."""
    rows = []
    for field, words in _PARTS.items():
        amount, rate = getattr(ledger, field), ledger.growth_per_request.get(field, 0.0)
        if amount is None:
            continue
        if field == "unexplained_bytes" and amount < 0:
            words = _NEVER_TOUCHED
        grows = f"{'+' if rate > 0 else ''}{bytes_text(rate)} per {unit}" if abs(rate) >= _LEAST_GROWTH else ""
        rows.append((words, amount, grows))
    return tuple(rows)


def cost_rows(findings: Findings) -> tuple[tuple[str, str], ...]:
    """What the capture cost the worker, as rows of words; what was not measured is not listed."""
    cost = findings.perturbation
    rows: list[tuple[str, str]] = []
    if cost.pause_ms is not None:
        longest = f", the longest of {plural(cost.snapshots, 'snapshot')}" if cost.snapshots > 1 else ""
        rows.append(("pause", milliseconds_text(cost.pause_ms) + longest))
    if cost.child_peak_bytes is not None:
        rows.append(("child's peak", f"{bytes_text(cost.child_peak_bytes)}, in a copy of the worker that ends at once"))
    if cost.uss_before_bytes is not None or cost.uss_after_bytes is not None:
        before, after = bytes_text(cost.uss_before_bytes), bytes_text(cost.uss_after_bytes)
        one = f" (one of {workers} workers)" if (workers := worker_count(findings)) > 1 else ""
        rows.append(("worker's USS", f"{before} before, {after} after{one}"))
    if cost.requests_lost is not None:
        rows.append(("requests lost", count_text(cost.requests_lost)))
    return tuple(rows)


def moment_text(recorded_at: str) -> str:
    """An ISO moment as people write it, ``2026-11-22 23:58 UTC``; anything else as it is."""
    parts = re.fullmatch(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::[\d.]+)?(Z|\+00:00)", recorded_at)
    return f"{parts[1]} {parts[2]} UTC" if parts else shown(recorded_at, 40)
