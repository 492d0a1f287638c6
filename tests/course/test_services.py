"""Services that are composed: readable, alike but for the leak, the same bytes for the same seed, and found."""

from __future__ import annotations

import ast
import datetime
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from labkit import pipeline
from labkit.cases import load_case, target_of
from labkit.course.classroom import judged, new_class
from labkit.course.services.compose import Service, compose, compose_class
from labkit.course.services.names import domains
from labkit.course.services.templates import names_of
from labkit.course.services.texts import guilty_line, team_files, trainer_files
from labkit.course.talk import first_fault
from labkit.drive.options import RecordOptions
from labkit.findings.model import Findings
from labkit.investigation import record_until_clear

REPOSITORY = Path(__file__).resolve().parents[2]
MECHANISMS = names_of("mechanisms")
#: Each template in three businesses, so that each business has several.
SERVICES = [
    compose("team-1", f"{turn} {mechanism}", mechanism, domain)
    for turn in range(3)
    for mechanism, domain in zip(MECHANISMS, itertools.islice(itertools.cycle(domains()), turn * 5, None), strict=False)
]
every = pytest.mark.parametrize("service", SERVICES, ids=lambda one: f"{one.mechanism}-{one.domain}")
#: Another class every day; the name of a test that fails says which.
TODAY = datetime.date.today().toordinal()


def test_there_is_variety() -> None:
    assert len(MECHANISMS) >= 12
    assert len(domains()) >= 10
    assert {service.domain for service in SERVICES} == set(domains())
    assert len({service.truth.kind for service in SERVICES}) >= 5
    assert len({service.handed_out for service in SERVICES}) == len(SERVICES)


@every
def test_a_service_is_readable(service: Service) -> None:
    for source in (service.leaky, service.fixed, service.handed_out):
        ast.parse(source)
        assert 80 <= len(source.splitlines()) <= 200
        assert source.count("app.add_route(") >= 4


@every
def test_a_team_is_told_nothing(service: Service) -> None:
    files = team_files(service, "class")
    assert sorted(files) == ["TICKET.md", "load.toml", "service.py"]
    whole = "\n".join(files.values()).lower()
    assert not re.findall(r"leak|grows? |unbounded|forgot|retain|mechanism|culprit|decoy", files["service.py"].lower())
    assert service.truth.mechanism.lower() not in whole
    assert "leak" not in whole
    own_names = re.findall(r"service\.(\w+)", service.truth.retainer)
    assert not [name for name in own_names if name in files["TICKET.md"] + files["load.toml"]]


@every
def test_the_guilty_line_is_the_same_for_team_and_trainer(service: Service, tmp_path: Path) -> None:
    folder = tmp_path / "team-1"
    folder.mkdir()
    for name, text in trainer_files(service).items():
        (folder / name).write_text(text, encoding="utf-8")
    case = load_case(folder)
    _, first, last = case.guilty_span()
    assert first <= guilty_line(service) <= last
    assert case.load == service.load
    assert service.handed_out.splitlines()[guilty_line(service) - 1] in service.leaky


def test_linters_find_nothing(tmp_path: Path) -> None:
    for number, service in enumerate(SERVICES):
        for name, text in (("service", service.handed_out), ("fixed", service.fixed)):
            (tmp_path / f"{name}_{number}.py").write_text(text, encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    config = ["--no-cache", "--config", str(REPOSITORY / "pyproject.toml")]
    as_of_cases = ["--ignore", "S,TRY,B,A002,PERF"]
    checked = subprocess.run([*ruff, "check", *config, *as_of_cases, tmp_path], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    laid_out = subprocess.run([*ruff, "format", "--check", *config, tmp_path], capture_output=True, text=True)
    assert laid_out.returncode == 0, laid_out.stdout


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for place in ("a", "b"):
        new_class(tmp_path / place / "class", 5, 7)
        files = sorted(file for file in (tmp_path / place).rglob("*") if file.is_file())
        written.append({file.relative_to(tmp_path / place): file.read_bytes() for file in files})
    assert written[0] == written[1]
    assert len(written[0]) == 5 * 7 + 3
    assert compose_class(8, 5) != compose_class(7, 5)


ANSWERS = """
import importlib.util, json, sys
from pathlib import Path
from falcon import testing

def said(file, asked):
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = sys.modules[file.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    client = testing.TestClient(module.app)
    for request, body in asked:
        method, _, path = request.partition(" ")
        path, _, query = path.partition("?")
        answer = client.simulate_request(method, path, query_string=query, body=body, content_type="application/json")
        yield [request, answer.status_code, answer.text]

for line in sys.stdin:
    job = json.loads(line)
    print(json.dumps(list(said(Path(job["file"]), job["asked"]))))
"""


def asked_of(service: Service) -> list[tuple[str, str]]:
    """What users say: some visits, then the conversation."""
    visits = [
        (step.request.replace("{i}", str(n)).replace("{word}", "abc"), step.body.replace("{i}", "1"))
        for n in range(1, 45)
        for step in service.load.steps
    ]
    talk = [(str(row["request"]).replace("{n}", "5"), json.dumps(row.get("json", ""))) for row in service.conversation]
    return visits + talk


def test_both_twins_answer_alike(tmp_path: Path) -> None:
    jobs = []
    for number, service in enumerate(SERVICES):
        for name, text in (("leaky", service.leaky), ("fixed", service.fixed)):
            file = tmp_path / f"{name}_{number}.py"
            file.write_text(text, encoding="utf-8")
            jobs.append(json.dumps({"file": str(file), "asked": asked_of(service)}))
    done = subprocess.run([sys.executable, "-c", ANSWERS], input="\n".join(jobs), capture_output=True, text=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(jobs), done.stderr
    for service, leaky, fixed in zip(SERVICES, answers[::2], answers[1::2], strict=True):
        assert leaky == fixed, service.mechanism
        assert all(status < 500 for _, status, _ in leaky), service.mechanism


def measured(target_text: str, folder: Path) -> Findings:
    target = target_of(target_text)
    capture = record_until_clear(
        target,
        RecordOptions.for_serving(target.serve, allocation_pass=False),
        folder / "capture",
        "test",
        False,
        lambda _: None,
    )
    return pipeline.analyse(capture)


@pytest.mark.parametrize("number", range(4), ids=lambda number: f"seed-{TODAY}-team-{number + 1}")
def test_todays_services_are_found(number: int, tmp_path: Path) -> None:
    room, services = new_class(tmp_path / "class", 4, TODAY)
    service = services[number]
    case = room.case(service.name)
    found = measured(str(room.folder / service.name / "load.toml"), tmp_path / "leaky")
    assert [judged(suspect.retainer, case) for suspect in found.suspects] == ["right"], (service.mechanism, found)
    fixed = f"{case.folder}:fixed"
    assert first_fault(target_of(fixed), RecordOptions.for_serving(case.serve), case.folder) == ""
    assert measured(fixed, tmp_path / "fixed").verdict == "clean", service.mechanism
