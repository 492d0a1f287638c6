"""The alert rules, judged by promtool on the lives of some services, minute by minute.

A life is played with the real ``Growth`` of a worker, so that rules and readings are tested together.
"""

from __future__ import annotations

import itertools
import json
import random
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from judge import RULES, require

from labkit.aboard.growth import Growth

MINUTES = 80
TICKS = 12
REQUESTS_PER_MINUTE = 600
WARMUP_REQUESTS = 200
LIMIT = 1024


@dataclass(frozen=True)
class Life:
    """What each worker of a service does."""

    bytes_per_request: float = 0.0
    blocks_per_request: float = 0.0
    descriptors_per_request: float = 0.0
    kept_per_request: float = 0.0
    connections_per_minute: float = 0.0
    filled_by_requests: int = WARMUP_REQUESTS  # caches and late imports, 10 MB of them
    lives_minutes: int | None = None  # recycled then


LIVES = {
    "leaky": Life(1700, 23, 0.025, 0.05, 0.2),
    "leaky_recycled": Life(1700, 23, 0.025, 0.05, lives_minutes=7),
    "leaky_killed": Life(1700, 23, lives_minutes=1),
    "fixed": Life(),
    "long_warm_up": Life(filled_by_requests=3000),
    "healthy_recycled": Life(lives_minutes=12),
}

# Which of them each alert names, once or more in 80 minutes. A worker that lives for a minute is too short-lived for
# memory to be seen in it at a scrape a minute; that it is so short-lived is seen.
EXPECTED = {
    "LabkitRequestsLeaveMemory": {"leaky", "leaky_recycled", "leaky_killed"},
    "LabkitRequestsLeaveBlocks": {"leaky", "leaky_recycled", "leaky_killed"},
    "LabkitRequestsLeaveDescriptors": {"leaky", "leaky_recycled"},
    "LabkitMemoryClimbs": {"leaky", "leaky_recycled"},
    "LabkitWorkersRestartOften": {"leaky_killed"},
    "LabkitDescriptorsNearLimit": {"leaky"},
    "LabkitRequestsKept": {"leaky", "leaky_recycled"},
    "LabkitPoolNotReturned": {"leaky"},
}
WORKERS = 2


def play(life: Life, instance: str) -> dict[str, list[float | None]]:
    """The samples of one service: a name with labels, and a value or nothing for each minute."""
    chance = random.Random(instance)
    series: dict[str, list[float | None]] = defaultdict(lambda: [None] * (MINUTES + 1))
    counters: dict[str, float] = defaultdict(float)
    pids = itertools.count(100)
    workers = [(next(pids), -(slot * (life.lives_minutes or 0)) // WORKERS, Growth(WARMUP_REQUESTS)) for slot in (0, 1)]
    ended = dict.fromkeys((pid for pid, _, _ in workers), 0.0)
    counters["labkit_worker_starts_total"] = WORKERS

    def put(minute: int, name: str, value: float, **labels: object) -> None:
        text = ",".join(f'{key}="{word}"' for key, word in {"job": "shop", "instance": instance, **labels}.items())
        series[f"{name}{{{text}}}"][minute] = value

    for minute in range(MINUTES + 1):
        for slot, (pid, born, growth) in enumerate(workers):
            if life.lives_minutes and minute - born >= life.lives_minutes:
                pid, born, growth = next(pids), minute, Growth(WARMUP_REQUESTS)
                workers[slot] = (pid, born, growth)
                counters["labkit_worker_starts_total"] += 1
                ended[pid] = 0
            values: dict[str, float] = {}
            for tick in range(TICKS):
                ended[pid] += REQUESTS_PER_MINUTE / TICKS
                done = ended[pid]
                warm = min(1.0, done / life.filled_by_requests)
                values = {
                    "unique_bytes": 3e7 + 1e7 * warm + life.bytes_per_request * done + chance.uniform(0, 2e5),
                    "allocated_blocks": 2e5 + 1e5 * warm + life.blocks_per_request * done + 3000 * (tick % 3),
                    "descriptors": 20 + int(life.descriptors_per_request * done) + chance.choice((0, 0, 0, 5)),
                }
                before, requests = dict(growth.grown), growth.requests
                growth.note(int(done), values)
                for name, value in growth.grown.items():
                    counters[f"labkit_grown_{name}_total"] += value - before.get(name, 0)
                counters["labkit_steady_requests_total"] += growth.requests - requests
            in_flight = chance.randint(0, 4)
            garbage = 90 * (minute % 4)  # in cycles, until they are collected
            put(minute, "labkit_process_first_request_timestamp_seconds", 60 * born, pid=pid)
            put(minute, "labkit_process_unique_bytes", values["unique_bytes"], pid=pid)
            put(minute, "labkit_process_descriptors", values["descriptors"], pid=pid)
            put(minute, "labkit_process_descriptors_limit", LIMIT, pid=pid)
            put(minute, "labkit_requests_in_flight", in_flight, pid=pid)
            kept = int(life.kept_per_request * ended[pid])
            put(minute, "labkit_falcon_requests_kept", garbage + kept, pid=pid)
            lost = int(life.connections_per_minute * (minute - born))
            background = 2 if minute % 10 == 0 else 0
            put(minute, "labkit_pool_checked_out", in_flight + background + lost, pid=pid, pool="main")
            if growth.is_warm(int(ended[pid])):
                put(minute, "labkit_steady_unique_bytes", values["unique_bytes"], pid=pid)
        for name, value in counters.items():
            put(minute, name, value)
    return series


def notation(values: list[float | None]) -> str:
    """As promtool writes a series; one that has ended is stale, as it is after a scrape without it."""
    words = ["_" if value is None else f"{value:.10g}" for value in values]
    alive = [turn for turn, word in enumerate(words) if word != "_"]
    if alive[-1] + 1 < len(words):
        words[alive[-1] + 1] = "stale"
    return " ".join(words)


def alerts_over_time(promtool: str, folder: Path, services: list[str]) -> dict[str, set[str]]:
    """Which service each alert fired for: promtool is told to expect nothing, and complains about what it got."""
    series = [
        {"series": name, "values": notation(values)}
        for service in services
        for name, values in play(LIVES[service], service).items()
    ]
    checks = [
        {"eval_time": f"{minute}m", "alertname": alert, "exp_alerts": []}
        for minute in range(MINUTES + 1)
        for alert in EXPECTED
    ]
    test = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": series, "alert_rule_test": checks}],
    }
    file = folder / "test.yml"
    file.write_text(yaml.safe_dump(test))
    done = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, timeout=120)
    fired: dict[str, set[str]] = {alert: set() for alert in EXPECTED}
    alert = ""
    for line in (done.stdout + done.stderr).splitlines():
        words = line.strip()
        if words.startswith("alertname:"):
            alert = words.split()[1].rstrip(",")
        for service in LIVES:
            if f'instance="{service}"' in words:
                fired[alert].add(service)
    assert done.returncode == (1 if any(fired.values()) else 0), done.stdout + done.stderr
    return fired


@pytest.fixture(scope="module")
def promtool() -> str:
    return require("promtool")


def test_the_rules_are_valid(promtool: str) -> None:
    done = subprocess.run([promtool, "check", "rules", RULES], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_alert_is_tested() -> None:
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    assert {rule["alert"] for rule in rules if "alert" in rule} == set(EXPECTED)


def test_alerts_fire_for_leaks_and_for_nothing_else(promtool: str, tmp_path: Path) -> None:
    fired = alerts_over_time(promtool, tmp_path, list(LIVES))
    assert fired == EXPECTED, json.dumps({alert: sorted(services) for alert, services in fired.items()}, indent=1)
