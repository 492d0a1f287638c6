"""Both twins of a case serve their users alike, and differ in what they keep.

``CONVERSATIONS`` is the one behaviour suite: what a user sends, and what both twins must answer.
"""

from __future__ import annotations

import ast
import difflib
import gc
import importlib.util
import itertools
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from falcon import testing

from labkit.cases import TWINS, Case, list_cases

CASES = {case.name: case for case in list_cases()}
MOST_LINES_CHANGED = 25

PARTS = [{"part": "part-07", "quantity": 12}, {"part": "part-21"}]
ORDER = {"lines": [{"sku": "tea", "quantity": 2}, {"sku": "cocoa"}]}

# (request, what is sent, expected status, expected answer: the keys given must be equal)
Exchange = tuple[str, Any, int, dict[str, Any]]
CONVERSATIONS: dict[str, list[Exchange]] = {
    "session_cache": [
        ("GET /sessions/a", None, 404, {"title": "No such session"}),
        ("PUT /sessions/a", {"user": "ann"}, 201, {"session": "a", "user": "ann"}),
        ("PUT /sessions/b", {"user": "bob"}, 201, {"session": "b", "user": "bob"}),
        ("POST /sessions/a/basket", {"sku": "tea", "quantity": 2}, 201, {"lines": 1}),
        ("POST /sessions/a/basket", {"sku": "cocoa"}, 201, {"lines": 2}),
        (
            "GET /sessions/a",
            None,
            200,
            {
                "user": "ann",
                "email": "ann@example.com",
                "basket": [{"sku": "tea", "quantity": 2}, {"sku": "cocoa", "quantity": 1}],
            },
        ),
        ("DELETE /sessions/a", None, 204, {}),
        ("GET /sessions/a", None, 404, {"title": "No such session"}),
        ("POST /sessions/a/basket", {"sku": "tea"}, 404, {"title": "No such session"}),
        ("DELETE /sessions/a", None, 404, {"title": "No such session"}),
        ("GET /sessions/b", None, 200, {"user": "bob", "basket": []}),
        ("PUT /sessions/a", {"user": "ann"}, 201, {}),
        ("GET /sessions/a", None, 200, {"user": "ann", "basket": []}),
        *[("POST /sessions/b/basket", {"sku": "tea"}, 201, {"lines": n}) for n in range(1, 21)],
        ("POST /sessions/b/basket", {"sku": "tea"}, 409, {"title": "The basket is full"}),
        ("PUT /sessions/c", {}, 400, {"title": "Nobody to sign in"}),
        ("PUT /sessions/c", "no json", 400, {"title": "Invalid JSON"}),
        ("POST /sessions/b", None, 405, {}),
    ],
    "error_tracebacks": [
        ("GET /refusals", None, 200, {"refusals": []}),
        ("PUT /orders/1", ORDER, 201, {"order": "1", "lines": 2, "total": "13.90"}),
        (
            "PUT /orders/2",
            {"lines": [{"sku": "tea"}, {"sku": "sand"}]},
            422,
            {"title": "Order refused", "order": "2", "reason": "line 2: we do not sell sand"},
        ),
        ("PUT /orders/3", {"lines": [{"sku": "tea", "quantity": "x"}]}, 422, {"reason": "line 1: no quantity"}),
        ("GET /refusals", None, 200, {"refusals": ["3: line 1: no quantity", "2: line 2: we do not sell sand"]}),
        *[(f"PUT /orders/{n}", {"lines": [{"sku": "x"}]}, 422, {"order": str(n)}) for n in range(4, 12)],
        ("GET /refusals", None, 200, {"refusals": [f"{n}: line 1: we do not sell x" for n in range(11, 6, -1)]}),
        ("PUT /orders/12", ORDER, 201, {"total": "13.90"}),
        ("PUT /orders/13", "no json", 400, {"title": "Invalid JSON"}),
    ],
    "open_files": [
        ("GET /prices/tea", None, 404, {"title": "No such article"}),
        ("PUT /suppliers/s/prices", "tea;4.20\ncoffee;7.90\n", 200, {"supplier": "s", "articles": 2}),
        ("GET /prices/tea", None, 200, {"article": "tea", "price": "4.20"}),
        (
            "PUT /suppliers/s/prices",
            "tea;9.99\ncoffee;much\n",
            422,
            {"title": "Price list refused", "description": "Line 2 should be article;price."},
        ),
        ("GET /prices/tea", None, 200, {"price": "4.20"}),
        ("PUT /suppliers/s/prices", "tea\n", 422, {"description": "Line 1 should be article;price."}),
        ("PUT /suppliers/s/prices", "\xff;1\n".encode("latin-1"), 422, {"title": "Price list refused"}),
        ("PUT /suppliers/t/prices", "tea;4.50\n", 200, {"supplier": "t", "articles": 1}),
        ("GET /prices/tea", None, 200, {"price": "4.50"}),
        ("PUT /suppliers/t/prices", "", 200, {"articles": 0}),
    ],
    "lru_cache_on_method": [
        (
            "POST /customers/ann/quotes",
            {"lines": PARTS},
            200,
            {"customer": "ann", "lines": [{"part": "part-07", "cents": 3979}, {"part": "part-21", "cents": 372}]},
        ),
        ("POST /customers/bob/quotes", {"lines": PARTS}, 200, {"customer": "bob"}),
        ("POST /customers/ann/quotes", {"lines": PARTS + PARTS}, 200, {"total_cents": 8702}),
        ("POST /customers/ann/quotes", {}, 200, {"lines": [], "total_cents": 0}),
        (
            "POST /customers/ann/quotes",
            {"lines": [{"part": "part-99"}]},
            422,
            {"title": "No quote", "description": "Not to be had: 1 of part-99."},
        ),
        ("POST /customers/ann/quotes", {"lines": [{"part": "part-01", "quantity": 0}]}, 422, {}),
        ("POST /customers/ann/quotes", {"lines": [{"part": "part-01", "quantity": 250}]}, 200, {}),
        ("GET /customers/ann/quotes", None, 405, {}),
    ],
    "bounded_cache": [
        ("GET /parcels/AB1-2CD", None, 200, {"postcode": "AB1-2CD", "others": 15}),
        *[(f"GET /parcels/{n}", None, 200, {"postcode": str(n)}) for n in range(500)],
        ("GET /parcels/AB1-2CD", None, 200, {"postcode": "AB1-2CD", "others": 15}),
        ("GET /parcels/A!", None, 400, {"title": "Not a postcode"}),
    ],
}

Served = Callable[[str, str], ModuleType]
unclosed_files_allowed = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
every_case = pytest.mark.parametrize("name", CASES)
with_twins = pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.variants == TWINS])
every_variant = pytest.mark.parametrize(
    ("name", "variant"), [(n, v) for n, case in CASES.items() for v in case.variants]
)


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
    grows_type = case.truth.grows_type.replace("leaky.", f"{module.__name__}.")
    return sum(f"{type(o).__module__}.{type(o).__qualname__}" == grows_type for o in gc.get_objects())


def test_every_case_has_its_conversation() -> None:
    assert CONVERSATIONS.keys() == CASES.keys()


@every_variant
@unclosed_files_allowed
def test_each_twin_answers_as_its_users_expect(served: Served, name: str, variant: str) -> None:
    client = testing.TestClient(served(name, variant).create_app())
    for request, sent, status, expected in CONVERSATIONS[name]:
        answer = ask(client, request, sent)
        assert (request, answer.status_code) == (request, status)
        said = answer.json if answer.text else {}
        assert {key: said.get(key) for key in expected} == expected


@with_twins
@unclosed_files_allowed
def test_the_twins_answer_alike_to_the_byte(served: Served, name: str) -> None:
    leaky, fixed = (testing.TestClient(served(name, variant).create_app()) for variant in TWINS)
    for request, sent, _, _ in CONVERSATIONS[name]:
        one, other = ask(leaky, request, sent), ask(fixed, request, sent)
        assert (one.status, dict(one.headers), one.content) == (other.status, dict(other.headers), other.content)


@every_variant
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
        assert (steps[0] > 0) == (variant == "leaky")
        assert steps[2:] == [0] * (rungs - 2)
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
        origin, *names = dotted.split(".")
        if origin not in ("leaky", "healthy"):
            continue
        holder = getattr(module, names[0])
        for attribute in names[1:]:
            assert hasattr(holder, attribute) or attribute in holder.__init__.__code__.co_names


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
