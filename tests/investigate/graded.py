"""Every case, both twins, by the command a user types: the verdict, the reference, the size, the line.

The tests are in three files, for files are what is shared out among processors.
"""

from __future__ import annotations

import pytest

from labkit.cases import Case, list_cases

from .conftest import Labkit

CASES = list_cases()
EXPECTED_STATUS = {"clean": 0, "suspect": 1, "inconclusive": 3}


#: Kinds whose growth hangs from a reference; of the others nobody knows which one holds it.
HELD = ("python-objects", "traceback", "c-reference", "connections")


#: Cases that are named rightly with a wrong rate, and why; once it is right, the test says so.
RATE_MISSED = {
    "executor_per_request": "what the interpreter keeps for each thread is no Python object, and not in the rate"
}
PARTS = 3


def variants(part: int) -> list[object]:
    """Every third variant, as parameters of a test."""
    every = [
        pytest.param(case, variant, marks=_marks(case, variant), id=f"{case.name}:{variant}")
        for case in CASES
        for variant in case.variants
    ]
    return every[part::PARTS]


def _with_sites() -> set[str]:
    """The first case of each kind: the pass that finds the line takes as long as all the rest."""
    first: dict[str, str] = {}
    for case in CASES:
        if "suspect" in case.truth.verdict.values():
            first.setdefault(case.truth.kind, case.name)
    return {"session_cache", *first.values()}


WITH_SITES = _with_sites()


def _marks(case: Case, variant: str) -> list[pytest.MarkDecorator]:
    is_missed = case.truth.known_miss and case.truth.verdict[variant] == "suspect"  # type: ignore[index]
    return [pytest.mark.xfail(strict=True, reason=case.truth.known_miss)] if is_missed else []


def check_variant(case: Case, variant: str, labkit: Labkit) -> None:
    """Investigate one variant, and compare what is said with the truth."""
    expected = case.truth.verdict[variant]  # type: ignore[index]
    sites = () if expected == "suspect" and case.name in WITH_SITES else ("--no-sites",)
    outcome = labkit("investigate", f"{case.name}:{variant}", "--json", *sites)
    found = outcome.findings
    assert found["verdict"] == expected, found
    assert outcome.status == EXPECTED_STATUS[expected]
    assert outcome.left_behind() == []
    assert found["perturbation"]["requests_lost"] == 0
    assert found["perturbation"]["pause_ms"] > 0
    assert found["perturbation"]["child_peak_bytes"] > 0
    assert found["perturbation"]["uss_before_bytes"] > 0
    assert found["perturbation"]["uss_after_bytes"] > 0
    if expected == "suspect":
        _check_first_suspect(case, found)
    else:
        assert found["suspects"] == []
    if case.truth.explained and variant == case.variants[0]:  # explained, not only passed over
        named = [one["kind"] for one in found["explained"] if case.truth.retainer in one["why"]]
        assert case.truth.explained in named, found["explained"]


def _check_first_suspect(case: Case, found: dict) -> None:  # type: ignore[type-arg]
    truth, suspect = case.truth, found["suspects"][0]
    requests = case.load.rungs * case.load.requests_per_rung
    follows = sum(one["bytes"] for one in found["explained"] if one["kind"] == "consequence") / requests
    assert suspect["rank"] == 1
    assert suspect["kind"] == truth.kind
    assert suspect["retainer"] in (truth.retainer, *truth.also_accept)
    assert suspect["grows"]["type"] == truth.grows_type
    assert suspect["grows"]["objects_per_request"] == pytest.approx(truth.objects_per_request, rel=0.05)
    is_near = suspect["grows"]["bytes_per_request"] + follows == pytest.approx(truth.bytes_per_request, rel=0.25)
    assert is_near == (case.name not in RATE_MISSED), (suspect["grows"], follows)
    low, high = suspect["grows"]["interval95"]
    assert low <= suspect["grows"]["bytes_per_request"] <= high
    assert {one["retainer"] for one in found["suspects"]} <= {
        truth.retainer,
        *truth.also_accept,
    }  # nothing is accused besides
    path = suspect["retaining_path"]
    may_have_a_line = "leaky." in truth.grows_type or truth.kind == "descriptors"  # else a library makes it
    if may_have_a_line and case.name in WITH_SITES:
        assert suspect["allocation_site"]["file"] == "leaky.py"
    if suspect["retainer"].startswith("leaky."):
        assert path[0] == "module leaky"
        assert suspect["why"].startswith(suspect["retainer"])
    if truth.kind in HELD:
        assert path[-1] == truth.grows_type
        assert (suspect["retainer_step"] is None) == (path[0] == "held from C")
