"""Run the rules over the evidence and come to one verdict."""

from __future__ import annotations

from collections.abc import Sequence

from labkit.findings import thresholds
from labkit.findings.accumulation import accumulations
from labkit.findings.draft import Draft
from labkit.findings.evidence import Evidence
from labkit.findings.ledger import ledger
from labkit.findings.model import Findings, Perturbation, Provenance, Sample, Suspect, Unit, Verdict, Wanted
from labkit.findings.opinions import second_opinions
from labkit.findings.rules import RULES
from labkit.store import capture as store

#: The words of the rules, and what stands for them where seconds were counted.
_OF_SECONDS = (
    (" per request", " per second"),
    ("with every request", "every second"),
    ("more requests: ", "a longer series: "),
    (", in the last rung as in the ones before:", ", at the end as before:"),
)
#: What runs out first comes first: descriptors and threads end a worker at a fixed number.
URGENT_KINDS = ("descriptors", "connections", "threads")


def conclude(evidence: Evidence) -> Findings:
    """Apply every rule in order; suspects are ranked by urgency, then by bytes per request."""
    draft = Draft(evidence, accumulations(evidence))
    for rule in RULES:
        rule(draft)
    suspects = sorted(draft.suspects, key=_rank_key)
    manifest = evidence.capture.manifest
    return Findings(
        target=str(manifest["label"]),
        unit=evidence.unit,
        verdict=_verdict(draft),
        suspects=[
            suspect.model_copy(update={"rank": rank, "why": _in(evidence.unit, suspect.why)})
            for rank, suspect in enumerate(suspects, 1)
        ],
        explained=sorted(draft.explained, key=lambda one: -one.bytes),
        ledger=ledger(evidence),
        perturbation=_perturbation(evidence),
        second_opinions=second_opinions(evidence.capture, suspects),
        wanted=sorted(_wanted(draft, suspects)),
        missing=[_in(evidence.unit, line) for line in draft.missing],
        holds_values=evidence.holds_values,
        notes=_notes(manifest["statuses"]),
        provenance=Provenance(
            versions=manifest["versions"],
            command=str(manifest["command"]),
            capture_sha256=evidence.capture.sha256(),
            recorded_at=str(manifest["recorded_at"]),
            statuses=manifest["statuses"],
            requests_total=evidence.requests[-1],
        ),
        samples=one_per_rung(evidence.samples),
    )


def _in(unit: Unit, words: str) -> str:
    """What a rule says of requests, said of seconds where those were counted."""
    if unit == "request":
        return words
    for of_requests, of_seconds in _OF_SECONDS:
        words = words.replace(of_requests, of_seconds)
    return words


def one_per_rung(samples: Sequence[store.Sample]) -> list[Sample]:
    """The look before each snapshot; the one after it is in the snapshot's cost."""
    first: dict[tuple[int, int], Sample] = {}
    for sample in samples:
        first.setdefault((sample.rung, sample.pid), Sample(**vars(sample)))
    return list(first.values())


def _rank_key(suspect: Suspect) -> tuple[bool, float, str]:
    return (suspect.kind not in URGENT_KINDS, -suspect.grows.bytes_per_request, suspect.retainer)


def _notes(statuses: dict[str, int]) -> list[str]:
    """What a reader of the figures has to know: answers nobody expected count as requests, too."""
    answers = sum(statuses.values())
    unexpected = {key: count for key, count in statuses.items() if " " in key}  # these name their request
    count = sum(unexpected.values())
    if not answers or count < thresholds.NOTED_UNEXPECTED_SHARE * answers:
        return []
    most = max(unexpected, key=lambda key: unexpected[key])
    status, _, request = most.partition(" ")
    return [
        f"{count:,} of {answers:,} answers were errors nobody said to expect, most of them {status} to {request}: "
        "what such a request keeps when it succeeds was not measured with them. Correct the request; "
        f"if the answer is as it should be, give --allow-status {status}."
    ]


def _verdict(draft: Draft) -> Verdict:
    if draft.suspects:
        return "suspect"
    return "inconclusive" if draft.missing else "clean"


def _wanted(draft: Draft, suspects: list[Suspect]) -> set[Wanted]:
    """What the rules asked for; also a longer run where the first suspect's rate is hardly known."""
    low, high = suspects[0].grows.interval95 if suspects else (0.0, 0.0)
    size = suspects[0].grows.bytes_per_request if suspects else 0.0
    vague = bool(suspects) and high - low > thresholds.VAGUE_SHARE * size
    watched = draft.evidence.requests[-1] - draft.evidence.requests[0]
    may_be_bounded = bool(suspects) and suspects[0].kind != "native" and watched < thresholds.CONFIRMED_AFTER_REQUESTS
    longer: set[Wanted] = {"longer-run"} if vague else {"confirmation"} if may_be_bounded else set()
    return draft.wanted | longer


def _perturbation(evidence: Evidence) -> Perturbation:
    costs = [entry.cost for entry in evidence.capture.snapshots]
    under_load = evidence.capture.manifest.get("under_load", {})
    return Perturbation(
        pause_ms=max((round(cost["pause_ms"], 1) for cost in costs if "pause_ms" in cost), default=None),
        child_peak_bytes=max((cost["child_peak_bytes"] for cost in costs if "child_peak_bytes" in cost), default=None),
        uss_before_bytes=under_load.get("uss_before_bytes"),
        uss_after_bytes=under_load.get("uss_after_bytes"),
        requests_lost=under_load.get("lost"),
        snapshots=len(costs),
    )
