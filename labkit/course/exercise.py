"""What an exercise says: ``exercise.toml`` beside the case it is about."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from labkit.cases import Case, cases_dir, load_case
from labkit.errors import CourseError

FILE = "exercise.toml"


class Exercise(BaseModel):
    """The task of a learner: from ``leaky.py``, which they get as a working copy, to what ``fixed.py`` is one form of.

    ``hints`` go from vague to explicit. ``explain`` says why the cure is one, after it was found or revealed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    lesson: str = Field(pattern=r"^\d\d_[a-z_]+$")
    task: str = Field(min_length=1)
    hints: Annotated[tuple[str, ...], Field(min_length=3, max_length=5)]
    explain: str = Field(min_length=1)

    @property
    def case(self) -> Case:
        """The case it is about."""
        return load_case(self.name)


def list_exercises() -> tuple[Exercise, ...]:
    """All exercises, in the order of their lessons."""
    names = [file.parent.name for file in cases_dir().glob(f"*/{FILE}")]
    return tuple(sorted(map(load_exercise, names), key=lambda one: (one.lesson, one.name)))


def load_exercise(name: str) -> Exercise:
    """The exercise on the case ``name``; raises CourseError."""
    file = cases_dir() / name / FILE
    if not file.is_file() or Path(name).name != name:
        there = ", ".join(sorted(path.parent.name for path in cases_dir().glob(f"*/{FILE}")))
        raise CourseError(f"There is no exercise {name!r}.", seen=f"there are: {there or 'none'}")
    try:
        return Exercise(name=name, **tomllib.loads(file.read_text(encoding="utf-8")))
    except (ValidationError, ValueError, TypeError) as fault:
        raise CourseError(f"The exercise {name} cannot be read.", seen=str(fault), hint=f"correct {file}") from None
