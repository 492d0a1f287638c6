"""A real Prometheus looks at real Gunicorns: the leaky services are named, also the recycled one, and no other."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import re
import subprocess
import threading
import time
import tomllib
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from judge import REPOSITORY, RULES, require
from ports import free_port
from running import Server, wait_until

from labkit.drive.processes import end_group

APPS = REPOSITORY / "sample_apps"
SERVED = """
    from {variant} import app
    from labkit.aboard.metrics import measure

    app = measure(app, every_s=0.2, unique_every_s=0, warmup_requests=100)
"""
SERVICES = {
    "leaky": ("session_cache", "leaky", ()),
    "recycled": ("session_cache", "leaky", ("--max-requests", "400", "--max-requests-jitter", "40")),
    "fixed": ("session_cache", "fixed", ()),
    "decoy": ("bounded_cache", "leaky", ()),
}
# A busy start, which fills what has a bound; then an even pace.
BURST_REQUESTS = 200
CONNECTIONS = 6
PAUSE_S = 0.06


class Visitors:
    """Plays a case's steps over connections that are kept: a visitor stays with one worker."""

    def __init__(self, server: Server, case: str) -> None:
        self.steps = tomllib.loads((APPS / case / "case.toml").read_text())["load"]["steps"]
        self.port = server.port
        self.numbers = itertools.count()
        self.answered = 0
        self.errors: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(CONNECTIONS)]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            for turn in itertools.count():
                number = next(self.numbers)
                for step in self.steps:
                    if self._stop.wait(0 if turn * len(self.steps) < BURST_REQUESTS else PAUSE_S):
                        return
                    self._ask(connection, step, number)

    def _ask(self, connection: http.client.HTTPConnection, step: dict[str, Any], number: int) -> None:
        def filled(text: str) -> str:
            return text.replace("{i}", str(number)).replace("{word}", f"word{number}")

        method, path = filled(step["request"]).split()
        body = filled(step["body"]) if "body" in step else None
        try:
            connection.request(method, path, body, step.get("headers", {}))
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:  # the worker was recycled
            connection.close()
            self.errors.append(repr(error))
        else:
            self.answered += 1

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def played_rules() -> str:
    """Each minute of the rules in a second, so that a test need not take an hour.

    A slope is per second, and a heap comes to rest in requests: its threshold is raised, though not sixtyfold.
    """
    rules = RULES.read_text()
    slope = "(deriv(labkit_steady_unique_bytes[5m])) > 4096"
    assert slope in rules
    return re.sub(r"\b(\d+)m\b", r"\1s", rules.replace(slope, slope.replace("4096", "49152")))


class Prometheus:
    """A Prometheus of our own, and what it has seen."""

    def __init__(self, folder: Path, targets: dict[str, int]) -> None:
        folder.mkdir()
        (folder / "rules.yml").write_text(played_rules())
        jobs = [{"targets": [f"127.0.0.1:{port}"], "labels": {"service": service}} for service, port in targets.items()]
        config = {
            "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"},
            "rule_files": ["rules.yml"],
            "scrape_configs": [{"job_name": "shop", "static_configs": jobs}],
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        self.port = free_port()
        self.log = folder / "log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    require("prometheus"),
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                ],
                cwd=folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def query(self, expression: str) -> list[dict[str, Any]]:
        url = f"http://127.0.0.1:{self.port}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
                return found
        except OSError:  # it is starting
            return []

    def fired(self) -> dict[str, set[str]]:
        """Which alerts have fired at any time, of which service."""
        alerts: dict[str, set[str]] = {service: set() for service in SERVICES}
        for found in self.query('max_over_time(ALERTS{alertstate="firing"}[10m])'):
            alerts[found["metric"]["service"]].add(found["metric"]["alertname"])
        return alerts

    def by_service(self, expression: str) -> dict[str, float]:
        return {found["metric"]["service"]: float(found["value"][1]) for found in self.query(expression)}


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Callable[[dict[str, int]], Prometheus]]:
    with contextlib.ExitStack() as stack:

        def start(targets: dict[str, int]) -> Prometheus:
            started = Prometheus(tmp_path / "prometheus", targets)
            stack.callback(end_group, started.process)
            return started

        yield start


def test_the_leaky_services_are_named_and_no_other(
    serve: Callable[..., Server], prometheus: Callable[[dict[str, int]], Prometheus], tmp_path: Path
) -> None:
    require("prometheus")
    config = tmp_path / "gunicorn.conf.py"
    config.write_text("from labkit.aboard.worker_files import child_exit\n")
    options = ("--config", str(config), "--workers", "2", "--threads", "4")
    servers = {
        service: serve(SERVED.format(variant=variant), "gunicorn", *options, *more, path=APPS / case)
        for service, (case, variant, more) in SERVICES.items()
    }
    watching = prometheus({service: server.port for service, server in servers.items()})
    visitors = {service: Visitors(servers[service], SERVICES[service][0]) for service in SERVICES}
    began = time.monotonic()
    try:
        wait_until(
            lambda: all("LabkitRequestsLeaveMemory" in watching.fired()[service] for service in ("leaky", "recycled")),
            deadline_s=90,
        )
        time.sleep(5)  # and nobody else follows
    finally:
        for players in visitors.values():
            players.stop()
        print(f"after {time.monotonic() - began:.1f} s", watching.fired())
        for name in ("grown_unique_bytes", "grown_allocated_blocks", "steady_requests", "worker_starts"):
            print(name, watching.by_service(f"labkit_{name}_total"))
        print({service: (players.answered, players.errors[:3]) for service, players in visitors.items()})
    fired = watching.fired()
    assert fired["leaky"] >= {"LabkitRequestsLeaveMemory", "LabkitRequestsLeaveBlocks"}
    assert fired["recycled"] >= {"LabkitRequestsLeaveMemory"}
    assert (fired["fixed"], fired["decoy"]) == (set(), set())
    steady = watching.by_service("labkit_steady_requests_total")
    assert min(steady[service] for service in SERVICES) > 500, "the silent ones were looked at, too"
    starts = watching.by_service("labkit_worker_starts_total")
    assert starts["recycled"] >= 5
    assert max(starts[service] for service in ("leaky", "fixed", "decoy")) <= 2
    assert [error for service in ("leaky", "fixed", "decoy") for error in visitors[service].errors] == []
