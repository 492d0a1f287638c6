"""The page about metrics lists what there is, and the map of the package has it."""

from __future__ import annotations

import inspect
import re

import yaml
from judge import REPOSITORY, RULES

from labkit.aboard.metrics import measure
from labkit.aboard.samples import COUNTERS, GAUGES

PAGE = (REPOSITORY / "docs" / "metrics.md").read_text(encoding="utf-8")


def first_cells(heading: str) -> set[str]:
    section = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section
    return set(re.findall(r"^\| `(\w+)` \|", section[1], re.MULTILINE))


def test_every_metric_is_listed_and_no_other() -> None:
    assert first_cells("Metrics") == set(GAUGES) | set(COUNTERS)


def test_every_alert_is_listed_and_no_other() -> None:
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    assert first_cells("Alerts") == {rule["alert"] for rule in rules if "alert" in rule}


def test_every_argument_is_listed() -> None:
    assert first_cells("Adding it") == set(inspect.signature(measure).parameters) - {"app", "asgi"}


def test_rules_ask_only_for_metrics_there_are() -> None:
    asked = set(re.findall(r"\blabkit_\w+", RULES.read_text()))
    assert asked <= set(GAUGES) | set(COUNTERS)
