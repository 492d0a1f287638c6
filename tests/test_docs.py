"""The documentation describes what is there: columns, kinds, fields, thresholds, links and commands."""

from __future__ import annotations

import argparse
import ast
import importlib
import re
import shlex
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from labkit.agent import layout
from labkit.findings import model, thresholds
from labkit.heap import roots

REPOSITORY = Path(__file__).resolve().parents[1]
DOCS = REPOSITORY / "docs"
NOT_OURS = {".venv", ".boot", ".git", "node_modules", "investigations", ".pytest_cache", ".mypy_cache", ".ruff_cache"}


def _pages() -> list[Path]:
    return sorted(
        page for page in REPOSITORY.rglob("*.md") if not NOT_OURS.intersection(page.relative_to(REPOSITORY).parts)
    )


PAGES = _pages()
by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())


def _text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def _rows(text: str) -> Iterator[list[str]]:
    """The cells of every table row."""
    for line in text.splitlines():
        if line.startswith("|") and not re.fullmatch(r"[|\- ]+", line):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def _section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next of whatever level."""
    found = re.search(rf"^#+ {re.escape(heading)}$(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no section {heading!r}"
    return found[1]


# ---- the capture format ------------------------------------------------------------------------------


@pytest.mark.parametrize("column", {**layout.COLUMNS, **layout.VALUE_COLUMNS})
def test_every_column_is_described_with_its_dtype(column: str) -> None:
    rows = [cells for cells in _rows(_text("capture-format.md")) if cells[0] == f"`{column}`"]
    assert [cells[1] for cells in rows] == [f"`{(layout.COLUMNS | layout.VALUE_COLUMNS)[column][0]}`"]
    assert len(rows[0][-1]) > 10


def test_no_column_is_described_that_is_not_there() -> None:
    described = {cells[0].strip("`") for cells in _rows(_text("capture-format.md")) if re.match(r"`<", cells[1])}
    assert described == {*layout.COLUMNS, *layout.VALUE_COLUMNS}


@pytest.mark.parametrize("kinds", [layout.EDGE_KINDS, layout.ROOT_KINDS], ids=["edges", "roots"])
def test_kinds_are_listed_under_their_numbers(kinds: tuple[str, ...]) -> None:
    listed = [cells for cells in _rows(_text("capture-format.md")) if cells[0].isdigit()]
    for number, kind in enumerate(kinds):
        assert [str(number), f"`{kind}`"] in [cells[:2] for cells in listed]
    assert len(listed) == len(layout.EDGE_KINDS) + len(layout.ROOT_KINDS)


def test_tables_versions_and_concluded_roots_are_named() -> None:
    text = _text("capture-format.md")
    for table in layout.TABLES:
        assert any(cells[0] == f"`{table}`" for cells in _rows(text)), table
    assert f"`{layout.FORMAT}`, `{layout.VERSION}`" in text
    assert f"`{roots.HELD_FROM_C}`" in text
    assert f"`{roots.GARBAGE}`" in text


def test_the_limits_of_a_label_are_the_ones_written_down() -> None:
    from labkit.agent import labels

    text = " ".join(_text("capture-format.md").split())
    assert f"at most {layout.MAX_LABEL_CHARACTERS // 2} characters long" in text
    assert f"at most {labels.MAX_DIGITS} digits" in text
    assert f"at most {2 * layout.MAX_LABEL_CHARACTERS} characters" in text


# ---- the findings ------------------------------------------------------------------------------------

SECTIONS = {
    model.Findings: "The object",
    model.Suspect: "A suspect",
    model.Growth: "grows",
    model.AllocationSite: "allocation_site, heaviest_site, calling_site",
    model.SeriesPoint: "A point of a series",
    model.Explained: "explained",
    model.Ledger: "ledger",
    model.Perturbation: "perturbation",
    model.Provenance: "provenance",
    model.Sample: "A sample",
    model.SecondOpinion: "A second opinion",
    model.SeenGrowth: "A line of what it saw",
}


@pytest.mark.parametrize("record", SECTIONS, ids=lambda record: record.__name__)
def test_every_field_of_the_findings_is_described_and_no_other(record: type[BaseModel]) -> None:
    described = [cells[0].strip("`") for cells in _rows(_section(_text("findings.md"), SECTIONS[record]))][1:]
    assert described == [field.alias or name for name, field in record.model_fields.items()]


def test_no_record_of_the_findings_is_left_out() -> None:
    records = {
        thing
        for thing in vars(model).values()
        if isinstance(thing, type) and issubclass(thing, model.Record) and thing is not model.Record
    }
    assert records == set(SECTIONS)


def test_every_kind_of_suspect_and_of_explanation_a_rule_can_give_is_described() -> None:
    suspects = {cells[0].strip("`") for cells in _rows(_section(_text("findings.md"), "Kinds of suspects"))}
    explained = set(re.findall(r"`([\w-]+)`", _section(_text("findings.md"), "explained")))
    for path in (REPOSITORY / "labkit" / "findings").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
                continue
            known = {"Suspect": suspects, "Explained": explained}.get(call.func.id)
            kinds = [key.value for key in call.keywords if key.arg == "kind"] if known else []
            for constant in (part for kind in kinds for part in _possible_texts(kind)):
                assert constant in (known or ()), f"{constant!r} in {path.name} is described nowhere"


def _possible_texts(value: ast.expr) -> Iterator[str]:
    """What a keyword's value can be, as far as it stands there."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from _possible_texts(value.body)
        yield from _possible_texts(value.orelse)


# ---- the thresholds ----------------------------------------------------------------------------------


def _thresholds() -> dict[str, list[str]]:
    """Name -> the comment lines right above it."""
    lines = Path(str(thresholds.__file__)).read_text(encoding="utf-8").splitlines()
    found: dict[str, list[str]] = {}
    for number, line in enumerate(lines):
        if name := re.match(r"([A-Z][A-Z0-9_]+)\b.*=", line):
            above = number
            while lines[above - 1].startswith("#:"):
                above -= 1
            found[name[1]] = lines[above:number]
    return found


def test_every_threshold_says_why_and_is_listed_with_the_limits() -> None:
    found = _thresholds()
    assert set(found) == {name for name in vars(thresholds) if name.isupper()}
    for name, reason in found.items():
        assert len(" ".join(reason)) > 40, f"{name} has no reason"
    listed = [cells[0].strip("`") for cells in _rows(_section(_text("limits.md"), "Thresholds"))][1:]
    assert listed == list(found)


# ---- links -------------------------------------------------------------------------------------------

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<(?:a|img)\b[^>]*?\b(?:href|src)=\"([^\"]+)\"")


def _prose(page: Path) -> str:
    """The page without blocks of code."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^(?: {4}|\t).*$", "", text, flags=re.MULTILINE)


def _anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@by_page
def test_relative_links_lead_somewhere(page: Path) -> None:
    broken = []
    for found in LINK.finditer(_prose(page)):
        link = found[1] or found[2]
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        goal = (page.parent / path).resolve() if path else page
        inside = goal.is_relative_to(REPOSITORY)
        if not (inside and goal.exists()) or (anchor and goal.suffix == ".md" and anchor not in _anchors(goal)):
            broken.append(link)
    assert broken == []


def test_every_page_of_the_documentation_can_be_reached_from_its_index() -> None:
    reached = {DOCS / "README.md"}
    waiting = list(reached)
    while waiting:
        page = waiting.pop()
        for found in LINK.finditer(_prose(page)):
            goal = (page.parent / (found[1] or found[2]).partition("#")[0]).resolve()
            if goal.suffix == ".md" and goal.exists() and goal not in reached:
                reached.add(goal)
                waiting.append(goal)
    assert set(DOCS.rglob("*.md")) - reached == set()


def test_the_files_that_docs_name_in_code_marks_exist() -> None:
    ours = re.compile(r"`((?:labkit|benchmarks|tests|sample_apps|data)/[\w./-]*)`")
    inside = re.compile(r"`((?:agent|drive|store|heap|growth|findings|views|rules)/\w+\.py)`")
    missing = []
    for page in DOCS.rglob("*.md"):
        text = _prose(page)
        missing += [name for name in ours.findall(text) if not (REPOSITORY / name).exists()]
        missing += [name for name in inside.findall(text) if not list((REPOSITORY / "labkit").rglob(name))]
    assert missing == []


@by_page
def test_no_page_names_a_place_on_somebodys_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"(?<![\w.])/(?:home|root|work|tmp|Users|mnt)/\S*", text) == []


# ---- commands ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def commands() -> dict[str, argparse.ArgumentParser]:
    from labkit import arguments, cli

    actions = arguments.parser(cli.COMMANDS)._actions
    subparsers = next(action for action in actions if isinstance(action, argparse._SubParsersAction))
    return dict(subparsers.choices)


WORKBOOK_ONLY = {"test", "lab"}
MENTION = re.compile(r"(?:\./workbook|(?<![\w./-])labkit) +((?:[^`|#\n]|\\\n)*)")


def _mentions(page: Path) -> Iterator[str]:
    """What follows ``labkit`` or ``./workbook`` wherever a page writes code."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```.*?$(.*?)^```", text, re.MULTILINE | re.DOTALL)
    blocks += re.findall(r"^(?: {4}|\t)(.*)$", text, re.MULTILINE)
    blocks += re.findall(r"`([^`\n]+)`", text)
    for block in blocks:
        for found in MENTION.finditer(block):
            yield found[1].replace("\\\n", " ").partition("  ")[0].strip()


def _options_of(command: argparse.ArgumentParser, action: list[str]) -> set[str]:
    """The options of a command, and of the action of it that is mentioned."""
    actions = [one.choices for one in command._actions if isinstance(one, argparse._SubParsersAction)]
    parsers = [command, *(choices[name] for choices in actions for name in action if name in choices)]
    return {option for parser in parsers for option in parser._option_string_actions}


@by_page
def test_commands_and_options_that_a_page_mentions_exist(
    page: Path, commands: dict[str, argparse.ArgumentParser]
) -> None:
    wrong = []
    for mention in _mentions(page):
        try:
            words = shlex.split(mention)
        except ValueError:
            words = mention.split()
        if not words or not re.fullmatch(r"[a-z][a-z-]*", words[0]) or words[0] in WORKBOOK_ONLY:
            continue  # a name, a placeholder, or a path
        if words[0] not in commands:
            wrong.append(mention)
            continue
        known = _options_of(commands[words[0]], words[1:2])
        wrong += [f"{mention}: {word}" for word in words if word.startswith("-") and word.split("=")[0] not in known]
    assert wrong == []


@by_page
def test_options_in_code_marks_exist(page: Path, commands: dict[str, argparse.ArgumentParser]) -> None:
    ours = {option for parser in commands.values() for option in parser._option_string_actions}
    gunicorn = {"--max-requests", "--preload"}
    foreign = _options_of_the_benchmarks() | _options_of_the_plugin() | gunicorn | {"--frozen", "--native"}
    named = re.findall(r"`(--[a-z][a-z-]*)[ =`]", _prose(page))
    assert [option for option in named if option not in ours | foreign] == []


def _options_of_the_plugin() -> set[str]:
    text = (REPOSITORY / "labkit" / "pytest_plugin.py").read_text(encoding="utf-8")
    return set(re.findall(r"addoption\(\"(--[a-z-]+)\"", text))


def test_the_words_of_the_plugin_are_the_ones_it_knows() -> None:
    from labkit import pytest_plugin

    listed = re.search(r"which goes first: (.*?) and so\non\)", _text("ci.md"), re.DOTALL)
    assert listed
    told = re.findall(r"`([a-z_]+)`", listed[1])
    assert len(told) > 10
    assert set(told) <= set(pytest_plugin.KNOWN)


def _options_of_the_benchmarks() -> set[str]:
    text = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "benchmarks").glob("*.py"))
    return set(re.findall(r"\"(--[a-z-]+)\"", text))


def test_python_commands_in_the_docs_run_a_script_that_is_there() -> None:
    for page in PAGES:
        for script, options in re.findall(r"python (benchmarks/\w+\.py)([^`\n|]*)", page.read_text(encoding="utf-8")):
            path = REPOSITORY / script
            assert path.is_file(), f"{page.name} names {script}"
            for option in re.findall(r"--[a-z-]+", options):
                assert option in _options_of_the_benchmarks(), f"{page.name}: {script} {option}"


def test_exit_statuses_are_those_of_the_command_line(commands: dict[str, argparse.ArgumentParser]) -> None:
    assert commands
    cli = importlib.import_module("labkit.cli")
    assert isinstance(cli, types.ModuleType)
    written = {
        cells[0].strip("`"): int(cells[1])
        for cells in _rows(_section(_text("findings.md"), "Verdict and exit status"))
        if cells[1].isdigit()
    }
    assert written.pop("") == cli.COULD_NOT_RUN
    assert written == cli.EXIT


def test_the_supported_versions_are_those_of_the_package() -> None:
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert 'requires-python = ">=3.11,<3.14"' in text, "limits.md says 3.11, 3.12 and 3.13"
    assert "Python 3.11, 3.12 and 3.13" in _text("limits.md")
    assert (3, 11) <= sys.version_info[:2] <= (3, 13)
