"""An app loaded in this process, and the visits of its case played to it."""

from __future__ import annotations

import importlib.util
import random
import string
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labkit.cases import Load, Step, load_case

#: A tool's whole output, and whether it says that something grows.
Said = tuple[str, bool]
WINDOWS = 3
#: Growth of a window that is worth a report: so many objects of a type, so many bytes of a line.
MIN_OBJECTS, MIN_BYTES = 20, 4096
TRIVIAL = "trivial"


class Player:
    """Calling it plays one window; ``visit`` plays one visit of it."""

    def __init__(self, name: str, variant: str) -> None:
        file, self._load = _app_and_load(name, variant)
        self.module_name = TRIVIAL if name == TRIVIAL else variant
        self.module = _imported(self.module_name, file)
        self.visits = max(2 * self._load.requests_per_rung // len(self._load.steps), 1)
        self._words, self._played = random.Random(1), 0
        self._client = self._client_of(self.module.app)

    def wrap(self, middleware: Callable[[Any], Any]) -> Any:
        """Put a middleware around the app; returns a client of it."""
        self._client = self._client_of(middleware(self.module.app))
        return self._client

    def warm_up(self) -> None:
        """As many requests as labkit sends before it compares."""
        requests = self._load.warmup_requests + self._load.rungs * self._load.requests_per_rung
        for _ in range(max(requests // len(self._load.steps), 1)):
            self.visit()

    def __call__(self) -> None:
        for _ in range(self.visits):
            self.visit()

    def visit(self) -> None:
        """All steps of one visit."""
        word = "".join(self._words.choices(string.ascii_lowercase, k=10))
        self._played += 1
        for step in self._load.steps:
            method, _, path = step.request.replace("{i}", str(self._played)).replace("{word}", word).partition(" ")
            body = step.body.replace("{i}", str(self._played)).replace("{word}", word)
            self._client.simulate_request(method, path, body=body, headers=step.headers)

    @staticmethod
    def _client_of(app: Any) -> Any:
        from falcon import testing

        return testing.TestClient(app)


def _app_and_load(name: str, variant: str) -> tuple[Path, Load]:
    if name == TRIVIAL:
        steps = (Step(request=f"GET /{variant}"),)
        load = Load(steps=steps)
        return Path(__file__).with_name("trivial.py"), load
    case = load_case(name)
    return case.app_file(variant), case.load  # type: ignore[arg-type]


def _imported(name: str, file: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
