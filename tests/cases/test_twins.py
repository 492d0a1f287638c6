"""Both twins of a case serve their users alike, and differ in what they keep.

``conversations/<case>.py`` is the one behaviour suite: what a user sends, and what both twins must answer.
"""

from __future__ import annotations

import ast
import difflib
import gc
import importlib.util
import itertools
import re
import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from falcon import testing

from labkit.cases import TWINS, Case, Serve, list_cases

CASES = {case.name: case for case in list_cases()}
MOST_LINES_CHANGED = 25

CONVERSATIONS_DIR = Path(__file__).with_name("conversations")

# (request, what is sent, expected status, expected answer: the keys given must be equal)
Exchange = tuple[str, Any, int, dict[str, Any]]

Served = Callable[[str, str], ModuleType]
unclosed_files_allowed = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
every_case = pytest.mark.parametrize("name", CASES)
with_twins = pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.variants == TWINS])
every_variant = pytest.mark.parametrize(
    ("name", "variant"), [(n, v) for n, case in CASES.items() for v in case.variants]
)
#: Not there before a request has come: what is in containers, in functions, in threads, and classes made by type().
MADE_WHILE_SERVING = re.compile(r"\[|<locals>|leaky\.(SCRATCH|CustomerForm)")


def counted() -> Iterator[tuple[str, str]]:
    """What can be counted without a server: objects of a class of the app, or of a type that nothing else makes.

    Not threads, C memory, connections of a server of its own, or what an event loop or a thread's stack keeps.
    """
    for name, case in CASES.items():
        kind = case.truth.grows_type
        is_own = kind.startswith(("leaky.", "healthy.")) and not MADE_WHILE_SERVING.search(kind)
        if case.serve == Serve() and (is_own or kind.startswith(("falcon.", "logging.", "_io."))):
            yield from ((name, variant) for variant in case.variants)


COUNTED = list(counted())


@pytest.fixture
def served() -> Iterator[Served]:
    """Load a variant of a case from its file, as a module object of this test's own."""
    names: list[str] = []

    def load(name: str, variant: str) -> ModuleType:
        file = CASES[name].app_file(variant)
        spec = importlib.util.spec_from_file_location(f"{name}_{variant}", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        names.append(spec.name)
        spec.loader.exec_module(module)
        return module

    yield load
    for name in names:
        del sys.modules[name]
    gc.collect()  # what a leaky twin left open is closed here, inside of the test's warning filter


def conversation(name: str) -> list[Exchange]:
    """What is said in ``conversations/<case>.py``."""
    return runpy.run_path(str(CONVERSATIONS_DIR / f"{name}.py"))["CONVERSATION"]  # type: ignore[no-any-return]


def ask(client: testing.TestClient, request: str, sent: Any) -> testing.Result:
    method, _, path = request.partition(" ")
    if isinstance(sent, dict):
        return client.simulate_request(method, path, json=sent)
    return client.simulate_request(method, path, body=sent)


def play(client: testing.TestClient, case: Case, visits: range) -> None:
    """The visits of case.toml; every answer must be one that it expects."""
    for visit in visits:
        for step in case.load.steps:
            method, _, path = step.request.replace("{i}", str(visit)).replace("{word}", f"w{visit}o").partition(" ")
            body = step.body.replace("{i}", str(visit)).replace("{word}", f"w{visit}o")
            answer = client.simulate_request(method, path, body=body, headers=step.headers)
            assert answer.status_code < 400 or answer.status_code in case.load.expect_statuses


def alive(module: ModuleType, case: Case) -> int:
    """How many objects of the type that grows there are."""
    gc.collect()
    grows_type = re.sub(r"^(leaky|healthy)\.", f"{module.__name__}.", case.truth.grows_type)
    return sum(f"{type(o).__module__}.{type(o).__qualname__}" == grows_type for o in gc.get_objects())


def test_every_case_has_its_conversation() -> None:
    assert {path.stem for path in CONVERSATIONS_DIR.glob("*.py")} == CASES.keys()


@every_variant
@unclosed_files_allowed
def test_each_twin_answers_as_its_users_expect(served: Served, name: str, variant: str) -> None:
    client = testing.TestClient(served(name, variant).create_app())
    for request, sent, status, expected in conversation(name):
        answer = ask(client, request, sent)
        assert (request, answer.status_code) == (request, status)
        said = answer.json if answer.text else {}
        assert {key: said.get(key) for key in expected} == expected


@with_twins
@unclosed_files_allowed
def test_the_twins_answer_alike_to_the_byte(served: Served, name: str) -> None:
    leaky, fixed = (testing.TestClient(served(name, variant).create_app()) for variant in TWINS)
    for request, sent, _, _ in conversation(name):
        one, other = ask(leaky, request, sent), ask(fixed, request, sent)
        assert (one.status, dict(one.headers), one.content) == (other.status, dict(other.headers), other.content)


@pytest.mark.parametrize(("name", "variant"), COUNTED)
@unclosed_files_allowed
def test_objects_stay_as_the_truth_says(served: Served, name: str, variant: str) -> None:
    case, module = CASES[name], served(name, variant)
    load, truth = case.load, case.truth
    client = testing.TestClient(module.app)
    first, per_rung = load.warmup_requests // len(load.steps), load.requests_per_rung // len(load.steps)
    play(client, case, range(first))
    counts = [alive(module, case)]
    rungs = load.rungs if truth.shape == "plateau" else 2
    for rung in range(rungs):
        play(client, case, range(first + rung * per_rung, first + (rung + 1) * per_rung))
        counts.append(alive(module, case))
    steps = [after - before for before, after in itertools.pairwise(counts)]
    kept_per_rung = truth.objects_per_request * load.requests_per_rung if variant == "leaky" else 0
    if truth.shape == "plateau":
        assert max(counts[-2:]) <= max(counts[:-2])
        assert max(counts) > 0
    else:
        assert steps == pytest.approx([kept_per_rung] * rungs, abs=1)


@with_twins
def test_the_twins_differ_in_few_lines(name: str) -> None:
    texts = [CASES[name].app_file(variant).read_text().splitlines() for variant in TWINS]
    changed = [line for line in difflib.ndiff(*texts) if line.startswith(("- ", "+ "))]
    assert 0 < len(changed) <= MOST_LINES_CHANGED


@every_variant
def test_an_app_imports_only_falcon_and_the_standard_library(name: str, variant: str) -> None:
    tree = ast.parse(CASES[name].app_file(variant).read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module.partition(".")[0] for module in imported} <= {"falcon", *sys.stdlib_module_names}


@every_case
def test_the_truth_names_things_that_are_there(served: Served, name: str) -> None:
    """``leaky.NAME``, ``leaky.Class.method`` or ``leaky.Class.attribute``, the last given to self in the class."""
    truth, module = CASES[name].truth, served(name, CASES[name].variants[0])
    for dotted in (truth.retainer, truth.grows_type, *truth.also_accept):
        origin, *names = re.split(r"[.\[]", dotted)
        if origin not in ("leaky", "healthy") or MADE_WHILE_SERVING.search(dotted):
            continue
        holder = module
        for attribute in names:
            if not hasattr(holder, attribute):
                assert attribute in holder.__init__.__code__.co_names
                break
            holder = getattr(holder, attribute)


@every_case
def test_a_default_run_stays_well_below_the_usual_limit_of_descriptors(name: str) -> None:
    load, truth = CASES[name].load, CASES[name].truth
    requests = load.warmup_requests + load.rungs * load.requests_per_rung
    assert truth.kind != "descriptors" or requests * truth.objects_per_request < 600


@every_case
def test_a_rung_is_made_of_whole_visits_for_every_client(name: str) -> None:
    load = CASES[name].load
    for requests in (load.warmup_requests, load.requests_per_rung):
        assert requests % (len(load.steps) * load.concurrency) == 0
