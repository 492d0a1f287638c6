"""Templates of services: TOML whose ``$words`` are filled in first, with code in which a gutter tells the twins apart.

The first two columns of a line of code say where it belongs: nothing, both twins; ``-`` the leaky one, ``+`` the fixed
one; ``!`` both and ``*`` the leaky one, where the guilty statement is.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from labkit.cases import Kind, Step
from labkit.course.services.names import TEMPLATES, Names
from labkit.errors import CourseError

Twin = Literal["leaky", "fixed"]
#: Marks the guilty statement in what is composed, until it gets the name of its case.
GUILTY = "# leak: here"
_GUTTERS: dict[str, tuple[Twin, ...]] = {
    " ": ("leaky", "fixed"),
    "!": ("leaky", "fixed"),
    "-": ("leaky",),
    "*": ("leaky",),
    "+": ("fixed",),
}


class Part(BaseModel):
    """Something a service is composed of; code has its gutter still."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    imports: tuple[str, ...] = ()
    imports_leaky: tuple[str, ...] = ()
    imports_fixed: tuple[str, ...] = ()
    constants: str = ""
    top: str = ""
    resources: str = ""
    setup: str = ""
    middleware: tuple[str, ...] = ()
    error_handlers: tuple[tuple[str, str], ...] = ()
    routes: tuple[tuple[str, str], ...] = ()
    steps: tuple[Step, ...] = ()
    conversation: tuple[dict[str, Any], ...] = ()

    def imports_of(self, twin: Twin) -> tuple[str, ...]:
        """The import statements of one twin."""
        return self.imports + (self.imports_leaky if twin == "leaky" else self.imports_fixed)


class Mechanism(Part):
    """A part that leaks, and the truth about it; ``service.`` stands before names of the service's own.

    Of each visit ``objects_per_visit`` stay, with ``own_bytes`` and, so many times as ``lines_kept`` says, the lines of
    a record; both were measured (``benchmarks/grade_class.py``).
    """

    mechanism: str
    cure: str
    kind: Kind
    retainer: str
    also_accept: tuple[str, ...] = ()
    grows_type: str
    objects_per_visit: int
    own_bytes: int
    lines_kept: float
    clue: str
    expect_statuses: tuple[int, ...] = ()


def names_of(folder: str) -> tuple[str, ...]:
    """The templates there are: of ``mechanisms`` or of ``distractors``."""
    return tuple(sorted(file.stem for file in (TEMPLATES / folder).glob("*.toml")))


def read_part(name: str, words: Names) -> Part:
    """A template with its words filled in; raises CourseError when it does not fit."""
    return Part.model_validate(_read(name, words))


def read_mechanism(name: str, words: Names) -> Mechanism:
    """A mechanism with its words filled in; raises CourseError when it does not fit."""
    try:
        return Mechanism.model_validate(_read(f"mechanisms/{name}", words))
    except ValidationError as fault:
        raise CourseError(f"The template {name} does not fit.", seen=str(fault)) from None


def read_lists(name: str, words: Names) -> dict[str, list[str]]:
    """A template that is lists of texts."""
    return {key: [str(text) for text in texts] for key, texts in _read(name, words).items()}


def _read(name: str, words: Names) -> dict[str, Any]:
    try:
        return tomllib.loads(string.Template(_text(TEMPLATES / f"{name}.toml")).substitute(words))
    except (OSError, KeyError, ValueError) as fault:
        raise CourseError(f"The template {name} cannot be read.", seen=str(fault)) from None


@cache
def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def code_of(text: str, twin: Twin) -> str:
    """The lines of one twin, without their gutter; the guilty one is marked in the leaky one."""
    return "\n".join(_lines(text, twin)).strip("\n")


def _lines(text: str, twin: Twin) -> Iterator[str]:
    for line in text.splitlines():
        gutter = line[:1] or " "
        if twin in _GUTTERS[gutter]:
            marked = gutter in "!*" and twin == "leaky"
            yield f"{line[2:]}  {GUILTY}" if marked else line[2:]
