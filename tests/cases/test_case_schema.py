"""What case.toml may say, and what is answered when it says something else."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from pydantic import ValidationError

from labkit.arguments import parser
from labkit.cases import Case, cases_dir, list_cases, load_case, target_of
from labkit.cli import COMMANDS
from labkit.errors import CaseError, InvalidCase, UnknownCase
from labkit.targets import record_options_from

VALID = """\
title = "A store that never forgets"
symptom = "It grows."

[load]
steps = [{ request = "PUT /things/{i}-{word}", body = '{"a": 1}', headers = { X-Word = "{word}" } }]

[truth]
mechanism = "a dict"
kind = "python-objects"
retainer = "leaky.THINGS"
grows_type = "leaky.Thing"
objects_per_request = 1.0
bytes_per_request = 100.0
shape = "linear"
verdict = { leaky = "suspect", fixed = "clean" }
"""


def write_case(folder: Path, name: str, toml: str = VALID, leaky: str | None = None) -> Path:
    case = folder / name
    case.mkdir()
    (case / "case.toml").write_text(toml)
    (case / "leaky.py").write_text(f"X = 1  # leak: {name}\n" if leaky is None else leaky)
    (case / "fixed.py").write_text("X = 1\n")
    return case


def options(*words: str) -> argparse.Namespace:
    return parser(COMMANDS).parse_args(words)


def faults_of(folder: Path, toml: str) -> list[str]:
    case = write_case(folder, "things", toml)
    with pytest.raises(InvalidCase) as raised:
        load_case(case)
    assert raised.value.hint == f"correct {case / 'case.toml'}"
    return [line.strip() for line in raised.value.seen.splitlines()]


def test_a_case_has_the_name_of_its_folder_and_defaults_for_the_load(tmp_path: Path) -> None:
    case = load_case(write_case(tmp_path, "things"))
    assert (case.name, case.folder) == ("things", tmp_path / "things")
    load = case.load
    assert (load.seed, load.warmup_requests, load.rungs, load.requests_per_rung) == (1, 200, 6, 200)
    assert (load.concurrency, load.expect_statuses) == (4, ())
    assert load.steps[0].headers == {"X-Word": "{word}"}
    assert case.truth.also_accept == ()
    assert case.app_file("fixed") == tmp_path / "things" / "fixed.py"


def test_a_case_cannot_be_changed(tmp_path: Path) -> None:
    case = load_case(write_case(tmp_path, "things"))
    with pytest.raises(ValidationError, match="frozen"):
        case.load.seed = 2  # type: ignore[misc]


STEP = 'request = "PUT /things/{i}-{word}"'


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('title = "A store that never forgets"\n', "", "title: is missing"),
        ('symptom = "It grows."', 'symptom = ""', "symptom: String should have at least 1 character, not ''"),
        ("[load]\n", "[load]\nrung = 6\n", "load.rung: is no key of this table"),
        ("[load]\n", "[load]\nrungs = 3\n", "load.rungs: should be greater than or equal to 4, not 3"),
        (
            "[load]\n",
            "[load]\nrequests_per_rung = 0\n",
            "load.requests_per_rung: should be greater than or equal to 1, not 0",
        ),
        (
            "[load]\n",
            "[load]\nwarmup_requests = -1\n",
            "load.warmup_requests: should be greater than or equal to 0, not -1",
        ),
        (
            "[load]\n",
            "[load]\nconcurrency = 0\n",
            "load.concurrency: should be greater than or equal to 1, not 0",
        ),
        (
            "[load]\n",
            "[load]\nexpect_statuses = [422, 42]\n",
            "load.expect_statuses[1]: should be greater than or equal to 100, not 42",
        ),
        (
            "[load]\n",
            '[load]\nseed = "one"\n',
            "load.seed: should be a valid integer, unable to parse string as an integer, not 'one'",
        ),
        (
            STEP,
            'request = "/things"',
            "load.steps[0].request: should be METHOD /path, such as 'POST /sessions/{i}', not '/things'",
        ),
        (
            STEP,
            'request = "GET /{user}"',
            "load.steps[0].request: should have no placeholder but {i} and {word}, not 'GET /{user}'",
        ),
        (
            'kind = "python-objects"',
            'kind = "ghosts"',
            "truth.kind: should be 'python-objects', 'traceback', 'c-reference', 'native', ",
        ),
        ('shape = "linear"', 'shape = "round"', "truth.shape: should be 'linear', 'plateau' or 'step', not 'round'"),
        (
            "bytes_per_request = 100.0",
            "bytes_per_request = -1.0",
            "truth.bytes_per_request: should be greater than or equal to 0, not -1.0",
        ),
        (
            ', fixed = "clean" }',
            " }",
            "truth.verdict: should say what is expected of leaky and of fixed, or of healthy alone, not {'leaky'",
        ),
        (
            'leaky = "suspect"',
            'leaky = "guilty"',
            "truth.verdict.leaky: should be 'suspect', 'clean' or 'inconclusive', not 'guilty'",
        ),
        (
            "[load]\n",
            '[serve]\nserver = "waitress"\n[load]\n',
            "serve.server: should be 'gunicorn', 'uvicorn' or 'builtin', not 'waitress'",
        ),
        ("[truth]", "[truth", "case.toml: Expected ']' at the end of a table declaration (at line 7, column 7)"),
    ],
)
def test_each_fault_says_where_and_what(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert VALID.count(old) == 1
    faults = faults_of(tmp_path, VALID.replace(old, new))
    assert len(faults) == 1
    assert faults[0].startswith(fault)


def test_a_load_without_steps_is_a_fault(tmp_path: Path) -> None:
    start, end = VALID.index("steps = "), VALID.index("[truth]")
    toml = VALID[:start] + "steps = []\n" + VALID[end:]
    assert faults_of(tmp_path, toml) == ["load.steps: should have at least one step, not []"]


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    toml = VALID.replace("[load]", "[load]\nrungs = 2").replace('"linear"', '"round"').replace("title", "titel")
    case = write_case(tmp_path, "things", toml, leaky="X = 1\n")
    (case / "fixed.py").unlink()
    with pytest.raises(InvalidCase) as raised:
        load_case(case)
    assert str(raised.value).splitlines() == [
        "Case things has 6 faults.",
        "  seen: title: is missing",
        "        load.rungs: should be greater than or equal to 4, not 2",
        "        truth.shape: should be 'linear', 'plateau' or 'step', not 'round'",
        "        titel: is no key of this table",
        "        leaky.py: should carry the comment '# leak: things' once, not 0 times",
        "        fixed.py: is missing",
        f"  try:  correct {case / 'case.toml'}",
    ]


def test_an_unknown_case_is_told_its_neighbours_and_all_names(tmp_path: Path) -> None:
    for name in ("session_cache", "open_files"):
        write_case(tmp_path, name)
    with pytest.raises(UnknownCase) as raised:
        load_case("session-cache", tmp_path)
    assert str(raised.value).splitlines() == [
        "There is no case 'session-cache'.",
        "  seen: near: session_cache",
        "  try:  one of: open_files, session_cache",
    ]
    with pytest.raises(UnknownCase) as raised:
        load_case("xyz", tmp_path)
    assert raised.value.seen == ""
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnknownCase) as raised:
        load_case("xyz", tmp_path / "empty")
    assert raised.value.hint == "one of: (none)"


def test_a_path_without_a_case_is_unknown(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere" / "case.toml"
    with pytest.raises(UnknownCase) as raised:
        load_case(missing, tmp_path)
    assert str(raised.value) == f"There is no case file {missing}.\n  try:  the command cases lists the names of all"


def test_a_broken_neighbour_does_not_spoil_a_case(tmp_path: Path) -> None:
    write_case(tmp_path, "good")
    write_case(tmp_path, "bad", "")
    assert load_case("good", tmp_path).name == "good"
    with pytest.raises(InvalidCase, match="Case bad has 4 faults"):
        list_cases(tmp_path)


def test_a_folder_of_cases_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="There is no folder of cases") as raised:
        cases_dir(tmp_path / "nowhere")
    assert raised.value.seen == f"{tmp_path / 'nowhere'} is no folder"


def test_the_repositorys_cases_are_found_and_sorted() -> None:
    names = [case.name for case in list_cases()]
    assert names == sorted(folder.parent.name for folder in cases_dir().glob("*/case.toml"))
    assert len(names) >= 5


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("things", "things:leaky"),
        ("things:leaky", "things:leaky"),
        ("things:fixed", "things:fixed"),
        ("{folder}/things/case.toml", "things:leaky"),
        ("{folder}/things/case.toml:fixed", "things:fixed"),
        ("{folder}/things:fixed", "things:fixed"),
    ],
)
def test_a_target_is_a_name_or_a_path_and_a_variant(tmp_path: Path, text: str, label: str) -> None:
    case: Case = load_case(write_case(tmp_path, "things"))
    target = target_of(text.format(folder=tmp_path), tmp_path)
    assert target.label == label
    assert target.app_file == case.app_file(label.partition(":")[2])
    assert (target.app_name, target.load, target.truth) == ("app", case.load, case.truth)


def test_a_variant_that_is_none_is_told_the_two(tmp_path: Path) -> None:
    write_case(tmp_path, "things")
    with pytest.raises(CaseError) as raised:
        target_of("things:mended", tmp_path)
    assert str(raised.value) == "Case things has no variant 'mended'.\n  try:  things:leaky or things:fixed"


def test_a_decoy_does_with_one_file(tmp_path: Path) -> None:
    toml = VALID.replace('leaky = "suspect", fixed = "clean"', 'healthy = "clean"')
    case = write_case(tmp_path, "calm", toml)
    for name in ("leaky.py", "fixed.py"):
        (case / name).unlink()
    with pytest.raises(InvalidCase, match=r"healthy.py: is missing"):
        load_case(case)
    (case / "healthy.py").write_text("X = 1\n")
    assert load_case(case).variants == ("healthy",)
    assert target_of("calm", tmp_path).label == "calm:healthy"
    with pytest.raises(CaseError, match="Case calm has no variant 'leaky'"):
        target_of("calm:leaky", tmp_path)


def test_a_case_says_how_it_is_served(tmp_path: Path) -> None:
    write_case(tmp_path, "things", VALID.replace("[load]", '[serve]\nserver = "uvicorn"\n[load]'))
    serve = target_of("things", tmp_path).serve
    assert record_options_from(options("investigate", "things"), serve).server == "uvicorn"
    chosen = options("investigate", "things", "--server", "gunicorn", "--worker-class", "gthread")
    assert record_options_from(chosen, serve).server_facts()["worker_class"] == "gthread"
