"""Every exercise: the untouched app is refused, the cure passes, plausible wrong cures are refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from labkit.course.exercise import list_exercises, load_exercise
from labkit.course.grade import grade
from labkit.course.workspace import without_marker

WRONG = Path(__file__).with_name("wrong")
EXERCISES = [one.name for one in list_exercises()]
WRONG_CURES = sorted(WRONG.glob("*/*.py"))


def copied(text: str, folder: Path) -> Path:
    file = folder / "app.py"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("name", EXERCISES)
def test_the_untouched_app_is_refused(tmp_path: Path, name: str) -> None:
    one = load_exercise(name)
    source = without_marker(one.case.app_file("leaky").read_text(encoding="utf-8"))
    graded = grade(one, copied(source, tmp_path))
    assert not graded.passed
    assert graded.reason.startswith("It still grows: "), graded


@pytest.mark.parametrize("name", EXERCISES)
def test_the_cure_passes(tmp_path: Path, name: str) -> None:
    one = load_exercise(name)
    graded = grade(one, copied(one.case.app_file("fixed").read_text(encoding="utf-8"), tmp_path))
    assert graded.passed, graded


@pytest.mark.parametrize("file", WRONG_CURES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_wrong_cure_is_refused_with_a_reason(tmp_path: Path, file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    first, _, source = text.partition("\n")
    graded = grade(load_exercise(file.parent.name), copied(source, tmp_path))
    assert not graded.passed
    assert first.removeprefix("# refused: ") in f"{graded.reason} {graded.lesson}", graded


@pytest.mark.parametrize("name", EXERCISES)
def test_each_has_hints_and_wrong_cures(name: str) -> None:
    one = load_exercise(name)
    assert len(list((WRONG / name).glob("*.py"))) >= 3
    assert [len(hint) > 20 for hint in one.hints] == [True] * len(one.hints)
    assert one.case.truth.retainer.rpartition(".")[2] not in one.hints[0], "the first hint must not name the holder"
