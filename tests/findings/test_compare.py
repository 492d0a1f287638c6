"""Before and after a change: fixed, better, same, worse, new, or nobody can say."""

from __future__ import annotations

import pytest

from labkit.findings.compare import Comparison, compare
from labkit.findings.differences import differences
from labkit.findings.limits import Limits, check
from labkit.findings.model import Findings, Growth, Suspect
from labkit.views.gate import check_text, comparison_text


def suspect(
    name: str, rate: float = 1000.0, *, width: float = 10.0, type_: str = "shop.Session", kind: str = "python-objects"
) -> Suspect:
    grows = Growth(type=type_, objects_per_request=1, bytes_per_request=rate, interval95=(rate - width, rate + width))
    path = ["module shop", "STORE", "dict", "[*]", type_]
    return Suspect(
        rank=1, kind=kind, retainer=name, retaining_path=path, retainer_step=1, grows=grows, why=f"{name} grows."
    )


def findings(*suspects: Suspect, verdict: str = "", target: str = "shop", missing: tuple[str, ...] = ()) -> Findings:
    said = verdict or ("suspect" if suspects else "clean")
    return Findings(verdict=said, target=target, suspects=list(suspects), missing=list(missing))


def outcomes(found: Comparison) -> list[tuple[str, str]]:
    return [(change.retainer, change.outcome) for change in found.changes]


OLD = suspect("shop.STORE")


@pytest.mark.parametrize(
    ("after", "outcome", "verdict"),
    [
        (findings(), "fixed", "fixed"),
        (findings(suspect("shop.STORE", 400)), "better", "better"),
        (findings(suspect("shop.STORE", 1015)), "same", "same"),
        (findings(suspect("shop.STORE", 400, width=700)), "same", "same"),
        (findings(suspect("shop.STORE", 2000)), "worse", "worse"),
        (findings(verdict="inconclusive", missing=("more requests",)), "unknown", "unknown"),
    ],
)
def test_one_suspect_and_what_became_of_it(after: Findings, outcome: str, verdict: str) -> None:
    found = compare(findings(OLD), after)
    assert (outcomes(found), found.verdict) == ([("shop.STORE", outcome)], verdict)


def test_what_is_new_makes_it_worse_and_what_is_left_makes_it_no_fix() -> None:
    other = suspect("shop.OTHER")
    assert compare(findings(OLD), findings(other)).verdict == "worse"
    assert outcomes(compare(findings(), findings(other))) == [("shop.OTHER", "new")]
    assert compare(findings(OLD, other), findings(OLD)).verdict == "better"
    assert compare(findings(), findings()).verdict == "clean"
    assert compare(findings(), findings(verdict="inconclusive")).verdict == "unknown"
    said = compare(findings(verdict="inconclusive", missing=("a longer run",)), findings(other))
    assert outcomes(said) == [("shop.OTHER", "unknown")]
    assert said.changes[0].why == "before is inconclusive: a longer run"


def test_two_versions_of_an_app_in_modules_of_different_names() -> None:
    old, new = suspect("leaky.STORE", type_="leaky.Session"), suspect("fixed.STORE", 300, type_="fixed.Session")
    before, after = findings(old, target="shop:leaky"), findings(new, target="shop:fixed")
    assert outcomes(compare(before, after)) == [("fixed.STORE", "better")]
    elsewhere = suspect("other.STORE", type_="thing.Session")
    assert {outcome for _, outcome in outcomes(compare(findings(old), findings(elsewhere)))} == {"fixed", "new"}


def test_how_the_two_were_measured_is_compared() -> None:
    one = {"load": {"requests_per_rung": 60, "seed": 1}, "server": {"workers": 1}, "versions": {"python": "3.11.7"}}
    other = {"load": {"requests_per_rung": 200, "seed": 1}, "server": {"workers": 2}, "versions": {"python": "3.13.0"}}
    said = [
        "requests_per_rung: 60 before, 200 after",
        "workers: 1 before, 2 after",
        "python: 3.11.7 before, 3.13.0 after",
    ]
    found = differences(one, other)
    assert found.lines == said
    assert differences(one, one).lines == []
    text = comparison_text(compare(findings(OLD), findings(), found))
    assert text.startswith("The two were not measured alike:\n  - requests_per_rung: 60 before, 200 after")
    assert "fixed: shop.STORE\n  it no longer grows" in text


def test_limits_sort_suspects() -> None:
    pool = suspect("shop.POOL", kind="connections")
    found = findings(OLD, pool)
    assert [one.retainer for one in check(found, Limits()).over] == ["shop.STORE", "shop.POOL"]
    assert [one.retainer for one in check(found, Limits(bytes_per_request=1500)).over] == ["shop.POOL"]
    assert [one.retainer for one in check(findings(OLD), Limits(bytes_per_request=1000)).between] == ["shop.STORE"]
    allowed = check(found, Limits(bytes_per_request=1500, descriptors_per_request=1))
    assert (allowed.over, len(allowed.within), allowed.is_open) == ((), 2, False)
    assert "shop: nothing else keeps growing" in check_text(allowed)
    assert "within the limit: shop.STORE keeps 1.00 kB per request" in check_text(allowed)


def test_the_words_of_a_failure_name_the_path() -> None:
    text = check_text(check(findings(OLD), Limits()))
    assert text.startswith("shop.STORE keeps 1.00 kB per request (95 % interval 0.99 to 1.01 kB)\n")
    assert "  module shop\n    STORE -> dict\n      [*] -> shop.Session   <- grows here" in text


def test_what_is_open_says_what_is_missing() -> None:
    checked = check(findings(verdict="inconclusive", missing=("more requests: x",)), Limits())
    assert checked.is_open
    assert check_text(checked) == "shop: inconclusive, in 0 requests; missing is\n  - more requests: x"
