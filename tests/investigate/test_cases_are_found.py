"""Every case, both twins, by the command a user types: the verdict, the reference, the size, the line."""

from __future__ import annotations

import pytest

from labkit.cases import Case, list_cases

from .conftest import Labkit

CASES = list_cases()
EXPECTED_STATUS = {"clean": 0, "suspect": 1, "inconclusive": 3}


def _variants() -> list[object]:
    return [pytest.param(case, variant, id=f"{case.name}:{variant}") for case in CASES for variant in case.variants]


@pytest.mark.parametrize(("case", "variant"), _variants())
def test_verdict_is_the_truth(case: Case, variant: str, labkit: Labkit) -> None:
    outcome = labkit("investigate", f"{case.name}:{variant}", "--json")
    expected = case.truth.verdict[variant]  # type: ignore[index]
    found = outcome.findings
    assert found["verdict"] == expected, found
    assert outcome.status == EXPECTED_STATUS[expected]
    assert outcome.left_behind() == []
    if expected == "suspect":
        _check_first_suspect(case, found["suspects"][0])
    else:
        assert found["suspects"] == []
    assert found["perturbation"]["requests_lost"] == 0
    assert found["perturbation"]["pause_ms"] > 0
    assert found["perturbation"]["child_peak_bytes"] > 0
    assert found["perturbation"]["uss_before_bytes"] > 0
    assert found["perturbation"]["uss_after_bytes"] > 0


def _check_first_suspect(case: Case, suspect: dict) -> None:  # type: ignore[type-arg]
    truth = case.truth
    assert suspect["rank"] == 1
    assert suspect["kind"] == truth.kind
    assert suspect["retainer"] in (truth.retainer, *truth.also_accept)
    assert suspect["grows"]["type"] == truth.grows_type
    assert suspect["grows"]["objects_per_request"] == pytest.approx(truth.objects_per_request, rel=0.05)
    assert suspect["grows"]["bytes_per_request"] == pytest.approx(truth.bytes_per_request, rel=0.25)
    low, high = suspect["grows"]["interval95"]
    assert low <= suspect["grows"]["bytes_per_request"] <= high
    assert suspect["allocation_site"]["file"] == "leaky.py"
    assert suspect["retaining_path"][0] == "module leaky"
    assert suspect["retaining_path"][-1] == truth.grows_type
    assert suspect["why"].startswith(suspect["retainer"])


@pytest.mark.parametrize("case", [case for case in CASES if "suspect" not in case.truth.verdict.values()])
def test_decoy_is_explained_not_only_passed_over(case: Case, labkit: Labkit) -> None:
    found = labkit("investigate", case.name, "--json", "--no-sites").findings
    assert case.truth.retainer in found["explained"][0]["why"]
    assert found["explained"][0]["kind"] == "plateau"
