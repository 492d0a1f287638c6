"""Before and after a change: fixed, better, same, worse, new, or nobody can say."""

from __future__ import annotations

import pytest

from labkit.findings.compare import Comparison, compare
from labkit.findings.differences import Differences, differences
from labkit.findings.limits import Limits, check
from labkit.findings.model import AllocationSite, Findings, Growth, Sample, Suspect
from labkit.views.gate import check_text, comparison_text


def suspect(
    name: str, rate: float = 1000.0, *, width: float = 10.0, type_: str = "shop.Session", kind: str = "python-objects"
) -> Suspect:
    grows = Growth(type=type_, objects_per_request=1, bytes_per_request=rate, interval95=(rate - width, rate + width))
    path = ["module shop", "STORE", "dict", "[*]", type_]
    return Suspect(
        rank=1, kind=kind, retainer=name, retaining_path=path, retainer_step=1, grows=grows, why=f"{name} grows."
    )


def findings(
    *suspects: Suspect,
    verdict: str = "",
    target: str = "shop",
    missing: tuple[str, ...] = (),
    samples: tuple[Sample, ...] = (),
) -> Findings:
    said = verdict or ("suspect" if suspects else "clean")
    return Findings(verdict=said, target=target, suspects=list(suspects), missing=list(missing), samples=list(samples))


def looks(width: int) -> tuple[Sample, ...]:
    """What a worker looked like after each of six rungs of so many requests."""
    alike = {"time_s": 0, "pid": 1, "rss_bytes": 1, "uss_bytes": 1, "descriptors": 1, "sockets": 1, "threads": 1}
    return tuple(Sample(rung=rung, requests=width * (1 + rung), **alike) for rung in range(6))


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


def test_a_small_change_is_none_however_narrow_the_intervals() -> None:
    narrow = findings(suspect("shop.STORE", width=1))
    near = compare(narrow, findings(suspect("shop.STORE", 970, width=1)))
    assert (near.verdict, near.changes[0].why) == ("same", "the rates differ by no more than 5%")
    assert compare(narrow, findings(suspect("shop.STORE", 930, width=1))).verdict == "better"


def test_what_is_new_makes_it_worse_and_what_is_left_makes_it_no_fix() -> None:
    other = suspect("shop.OTHER")
    assert compare(findings(OLD), findings(other)).verdict == "worse"
    assert outcomes(compare(findings(), findings(other))) == [("shop.OTHER", "new")]
    assert compare(findings(OLD, other), findings(OLD)).verdict == "better"
    assert compare(findings(), findings()).verdict == "clean"
    assert compare(findings(), findings(verdict="inconclusive")).verdict == "unknown"
    said = compare(findings(verdict="inconclusive", missing=("a longer run",)), findings(other))
    assert outcomes(said) == [("shop.OTHER", "unknown")]
    assert said.changes[0].why == "before was inconclusive: a longer run"


def test_two_versions_of_an_app_in_modules_of_different_names() -> None:
    old, new = suspect("leaky.STORE", type_="leaky.Session"), suspect("fixed.STORE", 300, type_="fixed.Session")
    before, after = findings(old, target="shop:leaky"), findings(new, target="shop:fixed")
    assert outcomes(compare(before, after)) == [("fixed.STORE", "better")]
    elsewhere = suspect("other.STORE", type_="fixed.Session")  # a module by which the targets do not differ
    assert {outcome for _, outcome in outcomes(compare(before, findings(elsewhere, target="shop:fixed")))} == {
        "fixed",
        "new",
    }


def test_a_cure_in_one_module_does_not_hide_a_leak_of_the_same_name_in_another() -> None:
    old, new = suspect("cart.STORE", type_="cart.Row"), suspect("shop.STORE", type_="shop.Row")
    same_app = compare(findings(old, target="shop.py:app"), findings(new, target="shop.py:app"))
    assert sorted(outcomes(same_app)) == [("cart.STORE", "fixed"), ("shop.STORE", "new")]
    assert same_app.verdict == "worse"


def test_numbers_are_compared_as_numbers() -> None:
    def files(count: float) -> Suspect:
        grows = Growth(type="descriptor", objects_per_request=count, bytes_per_request=0, interval95=(0, 0))
        return suspect("no Python object", kind="descriptors").model_copy(update={"grows": grows})

    assert compare(findings(files(1)), findings(files(2))).verdict == "worse"
    assert compare(findings(files(2)), findings(files(1))).verdict == "better"
    assert compare(findings(files(1)), findings(files(1.05))).verdict == "same"
    assert "after   2.00 open files per request" in comparison_text(compare(findings(files(1)), findings(files(2))))
    mixed = compare(findings(files(1)), findings(suspect("no Python object", type_="descriptor")))
    assert mixed.verdict == "unknown"


def test_a_side_that_was_too_short_to_see_it_says_nothing() -> None:
    slow = Growth(type="shop.Session", objects_per_request=0.02, bytes_per_request=90, interval95=(80, 100))
    rare = OLD.model_copy(update={"grows": slow})
    long, short = (findings(samples=looks(width)) for width in (200, 60))
    assert compare(findings(rare), long).verdict == "fixed"
    found = compare(findings(rare), short)
    assert (found.verdict, outcomes(found)) == ("unknown", [("shop.STORE", "unknown")])
    assert found.changes[0].why.startswith("after was too short to see it: a rung of 60 requests gains 1.2 objects")
    assert compare(short, findings(rare)).changes[0].why.startswith("before was too short to see it")


def test_a_side_with_an_open_question_is_neither_fixed_nor_clean() -> None:
    other = suspect("shop.OTHER")
    after = findings(other, missing=("a native recording: memory grows",))
    found = compare(findings(OLD, other), after)
    assert (found.verdict, dict(outcomes(found))) == ("unknown", {"shop.STORE": "unknown", "shop.OTHER": "same"})
    assert compare(findings(other), after).verdict == "same"  # it leaks still, whatever else does
    mended = compare(findings(suspect("shop.OTHER", 4000)), after)
    assert (mended.verdict, mended.why) == (
        "unknown",
        ["after is inconclusive: a native recording: memory grows"],
    )


def test_how_the_two_were_measured_is_compared_and_said_first() -> None:
    one = {
        "load": {"requests_per_rung": 60, "seed": 1, "steps": [{"request": "GET /a", "body": "secret"}]},
        "server": {"workers": 1},
        "versions": {"python": "3.11.7"},
    }
    other = {
        "load": {"requests_per_rung": 200, "seed": 1, "steps": [{"request": "GET /b"}]},
        "server": {"workers": 2},
        "versions": {"python": "3.13.0"},
    }
    differ = differences(one, other)
    assert differ.lines == [
        "requests: GET /a only before",
        "requests: GET /b only after",
        "requests_per_rung: 60 before, 200 after",
        "workers: 1 before, 2 after",
        "python: 3.11.7 before, 3.13.0 after",
    ]
    assert differ.of_requests
    assert differences(one, one) == Differences()
    changed = {**one, "load": {**one["load"], "steps": [{"request": "GET /a", "body": "other"}]}}  # type: ignore[dict-item]
    assert differences(one, changed).lines == ["requests: their bodies or headers, or their order, are not the same"]
    assert differences({"load": "?", "server": None}, {"load": {"steps": 7}}).lines != ["?"]  # whatever a file says
    text = comparison_text(compare(findings(OLD), findings(), Differences(lines=["workers: 1 before, 2 after"])))
    assert text.startswith("The two were not measured alike:\n  - workers: 1 before, 2 after\n\nfixed: shop -> shop\n")
    assert "fixed: shop.STORE\n  it no longer grows\n  before  1.00 kB per request (95 % interval" in text


def test_where_other_requests_were_played_nobody_can_say() -> None:
    differ = Differences(lines=["requests: GET /b only after"], of_requests=True)
    for after in (findings(), findings(suspect("shop.STORE", 400)), findings(suspect("shop.OTHER"))):
        found = compare(findings(OLD), after, differ)
        assert (found.verdict, {outcome for _, outcome in outcomes(found)}) == ("unknown", {"unknown"})
    assert "where other requests were played" in comparison_text(compare(findings(OLD), findings(), differ))


def test_limits_sort_suspects() -> None:
    pool = suspect("shop.POOL", kind="connections")
    found = findings(OLD, pool)
    assert [one.retainer for one in check(found, Limits()).over] == ["shop.STORE", "shop.POOL"]
    assert [one.retainer for one in check(found, Limits(bytes_per_request=1010)).over] == ["shop.POOL"]
    allowed = check(found, Limits(bytes_per_request=1010, descriptors_per_request=1))
    assert (allowed.over, len(allowed.within), allowed.is_open) == ((), 2, False)
    text = check_text(allowed)
    assert "within the limit: shop.STORE keeps 1.00 kB per request (95 % interval 0.99 to 1.01 kB); the limit" in text
    assert text.endswith("shop: nothing else keeps growing, in 0 requests")


def test_a_rate_whose_interval_has_the_limit_inside_is_open() -> None:
    checked = check(findings(OLD), Limits(bytes_per_request=1005))
    assert (checked.over, checked.within, checked.is_open) == ((), (), True)
    text = check_text(checked)
    assert "the limit is 1.00 kB, and the limit is in between" not in text  # said once
    assert "its interval has the limit of 1.00 kB inside" in text
    assert "shop: inconclusive, in 0 requests; missing is\n  - more requests: a rate is not known well enough" in text


def test_what_is_allowed_does_not_settle_what_was_missing_beside_it() -> None:
    found = findings(OLD, missing=("a native recording: memory grows",))
    assert check(found, Limits()).is_open is False  # over is an answer
    allowed = check(found, Limits(bytes_per_request=2000))
    assert allowed.is_open
    assert "missing is\n  - a native recording: memory grows" in check_text(allowed)


def test_the_words_of_a_failure_name_the_path_the_line_and_the_limit() -> None:
    site = AllocationSite(file="shop.py", line=7, function="on_get")
    text = check_text(check(findings(OLD.model_copy(update={"allocation_site": site})), Limits(bytes_per_request=100)))
    assert text.startswith("shop.STORE keeps 1.00 kB per request (95 % interval 0.99 to 1.01 kB); the limit is 100 B\n")
    assert "  module shop\n    STORE -> dict\n      [*] -> shop.Session   <- grows here" in text
    assert "  allocated at shop.py line 7, in on_get\n  shop.STORE grows." in text


def test_a_suspect_that_may_yet_have_a_bound_says_so() -> None:
    hasty = findings(OLD).model_copy(update={"wanted": ["confirmation"]})
    assert "a cache whose bound lies beyond them would look the same" in " ".join(
        check_text(check(hasty, Limits())).split()
    )
    assert "bound" not in check_text(check(findings(OLD), Limits()))


def test_what_is_open_says_what_is_missing() -> None:
    checked = check(findings(verdict="inconclusive", missing=("more requests: x",)), Limits())
    assert checked.is_open
    assert check_text(checked) == "shop: inconclusive, in 0 requests; missing is\n  - more requests: x"
