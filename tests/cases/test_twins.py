"""Both twins of a case serve their users alike, and differ in what they keep.

``conversation.json`` beside the case is the one behaviour suite: what a user sends, and what both twins must answer.

Objects are counted in this process where the mechanism lives without its server: see ``why_not_counted``.
"""

from __future__ import annotations

import ast
import difflib
import gc
import importlib.util
import itertools
import re
import sys
import types
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from falcon import testing

from labkit.cases import TWINS, Case, list_cases
from labkit.conversation import Exchange, conversation_of

CASES = {case.name: case for case in list_cases()}
MOST_LINES_CHANGED = 25
MOST_RUNGS = 2_000
#: Not there before a request has come: what is in containers, in functions, in threads, and classes made by type().
MADE_WHILE_SERVING = re.compile(r"\[|<locals>|leaky\.(SCRATCH|CustomerForm)")
#: What objects that the collector knows have in the flags of their type (Py_TPFLAGS_HAVE_GC).
HAVE_GC = 1 << 14
NAMELESS = [one for one in vars(types).values() if isinstance(one, type)]

Served = Callable[[str, str], ModuleType]
# What an app leaves open is closed when its module goes.
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore:Implicitly cleaning up:ResourceWarning"
)
leaky_cases = pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if "suspect" in case.truth.verdict.values()]
)
every_case = pytest.mark.parametrize("name", CASES)
with_twins = pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.variants == TWINS])
every_variant = pytest.mark.parametrize(
    ("name", "variant"), [(n, v) for n, case in CASES.items() for v in case.variants]
)


def why_not_counted(case: Case) -> str:
    """Why the objects of a case cannot be counted in the process of the tests; empty where they can."""
    if case.serve.server != "gunicorn":
        return "what lives on an event loop lives with the server's, and the test client makes one for each request"
    if case.serve.worker_class != "sync":
        return "it takes the threads of the server"
    if case.truth.kind in ("native", "threads", "uncollected-cycles"):
        return f"{case.truth.kind}: what grows is not counted in objects that live"
    if MADE_WHILE_SERVING.search(case.truth.grows_type):
        return "objects of a class that is made while serving go by the name of its base, and functions have no class"
    module, _, name = case.truth.grows_type.rpartition(".")
    if module not in ("leaky", "healthy") and not collected(module, name):
        return "the collector does not know of objects of this type"
    return ""


def collected(module: str, name: str) -> bool:
    """Whether there is such a type, and the collector knows its objects; ``types`` has those that have no module."""
    known = vars(importlib.import_module(module)) if module else {one.__name__: one for one in NAMELESS}
    found = known.get(name)
    return isinstance(found, type) and bool(found.__flags__ & HAVE_GC)


def verdict(name: str, variant: str) -> str:
    """What is expected of one variant."""
    return next(said for key, said in CASES[name].truth.verdict.items() if key == variant)


COUNTED = [(name, variant) for name, case in CASES.items() if not why_not_counted(case) for variant in case.variants]


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
    gc.enable()  # an app may have switched the collector off
    for name in names:
        del sys.modules[name]
    gc.collect()  # what a leaky twin left open is closed here, inside of the test's warning filter


def conversation(name: str) -> tuple[Exchange, ...]:
    """What is said in ``conversation.json``."""
    return conversation_of(CASES[name].folder)


def ask(client: testing.TestClient, said: Exchange) -> testing.Result:
    body, headers = said.sent
    return client.simulate_request(said.method, said.path, body=body, headers=headers)


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
    grows_type = re.sub("^(leaky|healthy)[.]", f"{module.__name__}.", case.truth.grows_type)
    grows_type = grows_type if "." in grows_type else f"builtins.{grows_type}"
    return sum(f"{type(o).__module__}.{type(o).__qualname__}" == grows_type for o in gc.get_objects())


def counts_by_rung(module: ModuleType, case: Case, rungs: int) -> Iterator[int]:
    """How many objects there are after the warm-up and the first rung, and after each rung that follows."""
    load, client = case.load, testing.TestClient(module.app)
    played = (load.warmup_requests + load.requests_per_rung) // len(load.steps)
    play(client, case, range(played))
    per_rung = load.requests_per_rung // len(load.steps)
    for rung in range(rungs):
        yield alive(module, case)
        play(client, case, range(played + rung * per_rung, played + (rung + 1) * per_rung))


@every_variant
def test_each_twin_answers_as_its_users_expect(served: Served, name: str, variant: str) -> None:
    client = testing.TestClient(served(name, variant).create_app())
    for said in conversation(name):
        answer = ask(client, said)
        assert said.fault(answer.status_code, answer.content) == ""


@with_twins
def test_the_twins_answer_alike_to_the_byte(served: Served, name: str) -> None:
    leaky, fixed = (testing.TestClient(served(name, variant).create_app()) for variant in TWINS)
    for said in conversation(name):
        one, other = ask(leaky, said), ask(fixed, said)
        assert (one.status, dict(one.headers), one.content) == (other.status, dict(other.headers), other.content)


@pytest.mark.parametrize(("name", "variant"), [(n, v) for n, v in COUNTED if verdict(n, v) == "suspect"])
def test_objects_stay_as_the_truth_says(served: Served, name: str, variant: str) -> None:
    case = CASES[name]
    kept_per_rung = case.truth.objects_per_request * case.load.requests_per_rung
    steps = [after - before for before, after in itertools.pairwise(counts_by_rung(served(name, variant), case, 3))]
    assert steps == pytest.approx([kept_per_rung] * 2, abs=1)


@pytest.mark.parametrize(("name", "variant"), [(n, v) for n, v in COUNTED if verdict(n, v) == "clean"])
def test_what_is_healthy_comes_to_a_highest_number_of_objects(served: Served, name: str, variant: str) -> None:
    """For as many rungs as it took to get there, and one load more, there are never more of them."""
    case, counts = CASES[name], []
    for count in counts_by_rung(served(name, variant), case, MOST_RUNGS):
        counts.append(count)
        if len(counts) > 2 * counts.index(max(counts)) + case.load.rungs:
            return
    pytest.fail(f"after {MOST_RUNGS} rungs there are {counts[-1]}, and their number still grows")


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
        holder: Any = module
        for attribute in names:
            if not hasattr(holder, attribute):
                assert attribute in holder.__init__.__code__.co_names
                break
            holder = getattr(holder, attribute)


@leaky_cases
def test_a_case_names_a_public_report_of_its_fault(name: str) -> None:
    incidents = CASES[name].truth.incidents
    assert incidents
    assert all(re.fullmatch(r"https://[\w.]+/\S+", url) for url in incidents)


@every_case
def test_a_default_run_stays_well_below_the_usual_limits_of_a_process(name: str) -> None:
    load, truth = CASES[name].load, CASES[name].truth
    requests = load.warmup_requests + load.rungs * load.requests_per_rung
    assert truth.kind not in ("descriptors", "connections", "threads") or requests * truth.objects_per_request < 600


@every_case
def test_a_rung_is_made_of_whole_visits_for_every_client(name: str) -> None:
    load = CASES[name].load
    for requests in (load.warmup_requests, load.requests_per_rung):
        assert requests % (len(load.steps) * load.concurrency) == 0
