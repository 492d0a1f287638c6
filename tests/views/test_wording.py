"""Every number and sentence a person reads."""

from __future__ import annotations

import made_findings as made
import pytest

from labkit.findings.model import AllocationSite, Findings, Growth, Ledger, Perturbation
from labkit.views import units, wording
from labkit.views.panels import byte_tick


@pytest.mark.parametrize(
    ("amount", "seen"),
    [
        (None, "not measured"),
        (0, "0 B"),
        (5, "5 B"),
        (5.25, "5.25 B"),
        (512, "512 B"),
        (999.4, "999 B"),
        (999.6, "1.00 kB"),
        (1834.2, "1.83 kB"),
        (10_240, "10.2 kB"),
        (999_999, "1.00 MB"),
        (2_567_000, "2.57 MB"),
        (33_200_000_000, "33.2 GB"),
        (-1834.2, "−1.83 kB"),
        (float("nan"), "unknown"),
    ],
)
def test_bytes(amount: float | None, seen: str) -> None:
    assert units.bytes_text(amount) == seen


@pytest.mark.parametrize(
    ("value", "seen"),
    [(0, "0"), (0.25, "0.25"), (1 / 3, "0.333"), (1, "1.00"), (12.345, "12.3"), (1400, "1,400"), (-0.5, "−0.5")],
)
def test_numbers(value: float, seen: str) -> None:
    assert units.number(value) == seen


@pytest.mark.parametrize(
    ("ends", "seen"),
    [
        ((1808.5, 1861.0), "1.81 to 1.86 kB"),
        ((900.0, 1100.0), "0.9 to 1.10 kB"),
        ((90.0, 110.0), "90 to 110 B"),
        ((-20.0, 30.0), "−20 to 30 B"),
        ((float("nan"), 1.0), "unknown"),
    ],
)
def test_intervals_use_one_unit(ends: tuple[float, float], seen: str) -> None:
    assert units.bytes_range(*ends) == seen


def test_rates_and_projections() -> None:
    assert units.bytes_rate(1834.2) == "1.83 kB per request"
    assert units.objects_rate(1) == "1.00 per request"
    assert units.projected_bytes(1834.2) == "about 1.8 MB per 1,000 requests"
    assert units.projected_count(0.25) == "about 250 per 1,000 requests"
    assert units.milliseconds_text(3.4) == "3.4 ms"
    assert units.milliseconds_text(1240) == "1.2 s"
    assert units.milliseconds_text(None) == "not measured"
    assert units.plural(1, "snapshot") == "1 snapshot"
    assert units.plural(1400, "request") == "1,400 requests"


@pytest.mark.parametrize(
    ("amount", "seen"), [(0, "0 B"), (100_000, "100 kB"), (2_000_000, "2 MB"), (1_500_000, "1.5 MB"), (500, "500 B")]
)
def test_ticks_lose_only_zeros_after_the_point(amount: float, seen: str) -> None:
    assert byte_tick(amount) == seen


HEADLINES = {
    "session_store": "shop.sessions.STORE keeps 1.83 kB per request",
    "kept_tracebacks": "orders.errors.REFUSALS keeps exceptions worth 4.01 kB per request",
    "open_descriptors": "prices.PriceListResource._open_files leaves 0.25 open files behind per request",
    "plateau": "Nothing keeps growing with the number of requests",
    "undecided": "The measurement does not settle it",
    "without_series": "shop.metrics.Recorder._timings keeps 0 B per request",
}


@pytest.mark.parametrize("name", HEADLINES)
def test_headlines(name: str) -> None:
    assert wording.headline(made.ALL[name]()) == HEADLINES[name]


ANSWERS = {
    "session_store": (
        "In session_cache, shop.sessions.STORE keeps shop.sessions.Session objects alive"
        " and grows by about 1.8 MB per 1,000 requests. It was watched for 1,400 requests and 7 snapshots.",
        "Next: give shop.sessions.STORE a limit, or remove what is done with;"
        " start at shop/sessions.py line 41, in SessionResource.on_post.",
    ),
    "held_twice": (
        "In chat.py:app, chat.rooms.WAITING keeps _asyncio.Task objects alive and grows by about 4.7 MB per 1,000"
        " requests. It was watched for 1,400 requests and 7 snapshots.",
        "Next: let what waits in chat.rooms.WAITING end: cancel it, or limit how long it may wait;"
        " start at chat/rooms.py line 16, in Join.on_post."
        " But asyncio.unix_events._UnixSelectorEventLoop._scheduled holds the same:"
        " emptying chat.rooms.WAITING alone frees 131 kB of 6.37 MB.",
    ),
    "kept_tracebacks": (
        "In …/app.py:create_app(), orders.errors.REFUSALS keeps orders.errors.OrderRefused objects alive"
        " and grows by about 4.0 MB per 1,000 requests. It was watched for 1,400 requests and 7 snapshots.",
        "Next: let orders.errors.REFUSALS keep the error's text instead of the exception itself;"
        " start at …/orders/errors.py line 18, in check.",
    ),
    "open_descriptors": (
        "In open_files, prices.PriceListResource._open_files leaves open files behind, about 250 per 1,000 requests."
        " It was watched for 1,400 requests and 7 snapshots.",
        "Next: close what prices.PriceListResource._open_files opens on every path, the error paths included;"
        " start at prices.py line 57, in PriceListResource.on_put.",
    ),
    "plateau": (
        "Across 1,400 requests and 7 snapshots, no reference in bounded_cache kept more memory"
        " the more requests it served.",
        "Nothing needs to be done. Growth that stopped is explained below.",
    ),
    "undecided": (
        "Across 800 requests and 4 snapshots, the evidence is not enough to say whether checkout leaks.",
        "Next: take the measurements listed as missing; until then, count it neither as leaking nor as clean.",
    ),
    "without_series": (
        "In the app, shop.metrics.Recorder._timings keeps tuple objects alive"
        " and grows by about 0 B per 1,000 requests. It was watched for the whole run.",
        "Next: give shop.metrics.Recorder._timings a limit, or remove what is done with.",
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_the_answer_in_two_sentences(name: str) -> None:
    assert wording.answer(made.ALL[name]()) == ANSWERS[name]


def test_verdicts() -> None:
    assert wording.verdict_text(made.session_store()) == "2 suspects found"
    assert wording.verdict_text(made.open_descriptors()) == "Suspect found"
    assert wording.verdict_text(made.plateau()) == "Clean"
    assert wording.verdict_text(made.undecided()) == "Inconclusive"


def test_inconclusive_without_anything_missing_says_measure_again() -> None:
    answer = wording.answer(Findings(verdict="inconclusive"))
    assert answer == (
        "Across the whole run, the evidence is not enough to say whether the app leaks.",
        "Next: measure again, with --rungs 12; until then, count it neither as leaking nor as clean.",
    )


def test_kinds_in_plain_words_and_unknown_ones_as_they_are() -> None:
    assert wording.kind_text("python-objects") == "Python objects kept alive"
    assert wording.kind_text("descriptors") == "open files"
    assert wording.kind_text("wormholes\x1b") == "wormholes\\x1b"
    assert wording.explained_kind_text("plateau") == "grew, then stopped"
    assert wording.explained_kind_text("tides") == "tides"


def test_an_interval_narrower_than_its_digits_says_so() -> None:
    narrow = made.SESSIONS.model_copy(
        update={"grows": Growth(type="t", objects_per_request=1, bytes_per_request=1682.5, interval95=(1682.5, 1682.6))}
    )
    assert wording.interval_text(made.SESSIONS) == "95 % interval 1.81 to 1.86 kB"
    assert wording.interval_text(narrow) == "95 % interval within rounding"


def test_facts_of_a_suspect() -> None:
    assert wording.site_text(None) == "not recorded"
    assert wording.projection(made.SESSIONS) == "about 1.8 MB per 1,000 requests"
    assert wording.projection(made.UPLOADS) == "about 250 per 1,000 requests"


def test_cost_lists_only_what_was_measured() -> None:
    assert wording.cost_rows(made.session_store()) == (
        ("pause", "3.4 ms, the longest of 7 snapshots"),
        ("child's peak", "41.8 MB, in a copy of the worker that ends at once"),
        ("worker's USS", "19.2 MB before, 19.3 MB after"),
        ("requests lost", "0"),
    )
    one = Findings(verdict="clean", perturbation=Perturbation(pause_ms=2.0, snapshots=1))
    assert wording.cost_rows(one) == (("pause", "2.0 ms"),)
    assert wording.cost_rows(Findings(verdict="clean")) == ()


def test_ledger_statuses_and_moments() -> None:
    rows = wording.ledger_rows(made.LEDGER)
    assert ("live Python objects", 18_900_000, "+812 B per request") in rows
    assert ("free inside allocators", 2_300_000, "−4 B per request") in rows
    assert ("not explained", 1_200_000, "") in rows
    below = Ledger(unexplained_bytes=-900_000, growth_per_request={"unexplained_bytes": 2.0})
    assert wording.ledger_rows(below, "second") == (("asked for and never touched", -900_000, "+2 B per second"),)
    assert wording.ledger_rows(Ledger()) == ()
    assert wording.statuses_text({"200": 1397, "lost": 3}) == "200: 1,397, lost: 3"
    assert wording.statuses_text({}) == "not recorded"
    assert wording.moment_text("2026-11-22T23:58:00+00:00") == "2026-11-22 23:58 UTC"
    assert wording.moment_text("2026-11-22T23:58:00.123Z") == "2026-11-22 23:58 UTC"
    assert wording.moment_text("yesterday") == "yesterday"


def test_the_glossary_has_the_five_words() -> None:
    assert [word for word, _ in wording.GLOSSARY] == ["Rung", "Snapshot", "Retainer", "Retaining path", "Suspect"]


@pytest.mark.parametrize(
    ("facts", "advice"),
    [
        ({"retaining_path": [], "kind": "descriptors"}, "Next: look for os.open, os.pipe, os.dup, or C code"),
        ({"retainer": "shop", "retaining_path": ["module shop"]}, "Next: find what sets names in the module shop"),
        ({"retainer": "shop.__warningregistry__"}, "Next: let these warnings say the same text each time, or filter"),
        ({"retainer": "web.hooks.ALL", "held_by_library": True}, "Next: undo what puts things into web.hooks.ALL"),
        ({"retainer": "web.hooks.ALL"}, "Next: give web.hooks.ALL a limit"),
        (
            {"retainer": "weakref.finalize._registry", "held_by_library": True},
            "Next: undo what puts things into weakref.finalize._registry",
        ),
        ({"kind": "c-reference"}, "Next: find what C code was given to keep: a callback of atexit.register or of an"),
        ({"kind": "uncollected-cycles"}, "Next: switch the collector on (gc.enable()), or break the cycles"),
    ],
)
def test_advice_that_can_be_followed(facts: dict[str, object], advice: str) -> None:
    suspect = made.session_store().suspects[0].model_copy(update={"kind": "python-objects", **facts})
    assert wording.next_step(suspect).startswith(advice)


def test_rates_of_a_live_worker_are_told_by_the_hour() -> None:
    suspect = made.session_store().suspects[0]
    grows = suspect.grows.model_copy(update={"per": "second", "bytes_per_request": 1e4, "interval95": (9e3, 11e3)})
    suspect = suspect.model_copy(update={"grows": grows})
    assert wording.rate_headline(suspect) == "shop.sessions.STORE keeps 36.0 MB per hour"
    assert wording.projection(suspect) == "about 36.0 MB per hour"
    assert wording.interval_text(suspect) == "95 % interval 32.4 to 39.6 MB"


def test_who_called_a_helper_is_said_with_the_helpers_line() -> None:
    site = AllocationSite(file="helper/registry.py", line=7, function="register")
    caller = AllocationSite(file="shop/orders.py", line=12, function="Orders.on_post")
    suspect = made.SESSIONS.model_copy(update={"allocation_site": site, "calling_site": caller})
    told = "helper/registry.py line 7, in register; called at shop/orders.py line 12, in Orders.on_post"
    assert wording.sites_text(suspect) == told
    heaviest = suspect.model_copy(update={"heaviest_site": made.TASKS.heaviest_site})
    assert wording.sites_text(heaviest) == f"{told}; most bytes at chat/rooms.py line 9, in history"
    assert f"; start at {told.replace(';', ',')}." in wording.next_step(suspect)


def test_a_suspect_that_a_longer_run_may_clear_says_so() -> None:
    first, _ = wording.answer(made.session_store().model_copy(update={"wanted": ["confirmation"]}))
    assert first.endswith(
        "It was watched for 1,400 requests and 7 snapshots: a cache whose bound lies beyond that, or a store that lets"
        " go by age, would look the same."
    )
