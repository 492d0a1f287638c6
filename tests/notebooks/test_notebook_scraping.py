"""The rule of the lesson on alerts is the one that is shipped, and its judge waits as Prometheus does."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pandas as pd
import pytest

from labkit.notebook import scraping
from labkit.notebook.scraping import GROWN, REQUESTS, Scraped
from labkit.views.alerts import Watch, alerts_figure

REPOSITORY = Path(__file__).resolve().parents[2]
NOTEBOOK = REPOSITORY / "notebooks" / "13_metrics_and_alerts.ipynb"
RULES = (REPOSITORY / "labkit" / "aboard" / "alerts.yml").read_text(encoding="utf-8")


def made_up(grown_per_minute: list[int], requests: int = 40) -> Scraped:
    totals = pd.DataFrame({GROWN: pd.Series([0, *grown_per_minute]).cumsum()})
    totals[REQUESTS] = [requests * minute for minute in range(len(totals))]
    return Scraped(totals, pd.DataFrame({"7": [1e6] * len(totals)}))


def test_the_rule_in_the_lesson_is_the_one_that_is_shipped() -> None:
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    (shown,) = [cell.source.partition("```yaml")[2].partition("```")[0] for cell in cells if "```yaml" in cell.source]
    lines = [line.strip() for line in shown.strip().splitlines()]
    assert len(lines) > 3
    assert [line for line in lines if line not in RULES] == []


def test_its_numbers_are_those_of_the_rule() -> None:
    rule = RULES.partition("alert: LabkitRequestsLeaveMemory")[2].partition("- alert")[0]
    assert f"[{scraping.WINDOW}m]" in rule
    assert f"> {scraping.LEAST_PER_REQUEST}\n" in rule
    assert f"> {scraping.LEAST_BYTES}\n" in rule
    assert f"for: {scraping.PATIENCE}m" in rule


@pytest.mark.parametrize(
    ("grown", "fires"),
    [
        ([800_000] * 30, 20),
        ([0] * 30, None),
        ([2_000_000] * 10 + [0] * 20, None),  # a cache that is full
        ([9_000] * 30, None),  # less than a leak that matters
        ([40_000] * 30, None),  # enough for each request, too little in five minutes
    ],
)
def test_the_alert_waits_for_a_quarter_of_an_hour(grown: list[int], fires: int | None) -> None:
    fired = made_up(grown).fires()
    assert (int(fired.to_numpy().argmax()) if fired.any() else None) == fires


def test_the_picture_says_in_words_what_fires() -> None:
    one = made_up([800_000] * 30)
    watch = Watch("shop", {"7": one.level["7"]}, one.per_request().dropna(), 20, None)
    _, alt = alerts_figure([watch, watch], 5_000_000, 256)
    assert alt.count("an alert at 5.00 MB: no alert; an alert on growth per request: fires in minute 20.") == 2
