"""What a case says: the schema of ``case.toml``, and the targets an investigation can have.

A case is a folder: ``case.toml`` (the ticket, the load, the truth) beside ``leaky.py`` and ``fixed.py``.
The guilty statement carries the comment ``# leak: <case>``; no line number is written down anywhere.
A decoy looks like a leak and is none; it may do with one file, ``healthy.py``.
"""

from __future__ import annotations

import ast
import difflib
import io
import re
import reprlib
import tokenize
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from labkit.errors import CaseError, InvalidCase, UnknownCase

Variant = Literal["leaky", "fixed", "healthy"]
TWINS: tuple[str, ...] = ("leaky", "fixed")
DECOY: tuple[str, ...] = ("healthy",)
Kind = Literal[
    "python-objects",
    "traceback",
    "c-reference",
    "native",
    "descriptors",
    "connections",
    "threads",
    "uncollected-cycles",
]
PLACEHOLDERS = ("{i}", "{word}")

_REQUEST = re.compile(r"[A-Z]+ /\S*")
_MARKER = re.compile(r"#\s*leak:\s*(\S+)")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(_Frozen):
    """One request of a visit; ``{i}`` and ``{word}`` in path, body and headers are filled in when it is sent.

    ``{i}`` is the number of the visit, ``{word}`` a random word, new for each visit, drawn from the seed.
    """

    request: str
    body: str = ""
    headers: dict[str, str] = Field(default_factory=dict)

    @field_validator("request")
    @classmethod
    def _is_method_and_path(cls, text: str) -> str:
        if not _REQUEST.fullmatch(text):
            raise ValueError("should be METHOD /path, such as 'POST /sessions/{i}'")
        if set(re.findall(r"\{[^}]*\}", text)).difference(PLACEHOLDERS):
            raise ValueError("should have no placeholder but {i} and {word}")
        return text


class Load(_Frozen):
    """A warm-up, then ``rungs`` equal slices of requests, played as visits: every step once, in order."""

    seed: int = 1
    warmup_requests: int = Field(default=200, ge=0)
    rungs: int = Field(default=6, ge=4)
    requests_per_rung: int = Field(default=200, ge=1)
    concurrency: int = Field(default=4, ge=1)
    steps: tuple[Step, ...]
    expect_statuses: tuple[Annotated[int, Field(ge=100, le=599)], ...] = ()

    @field_validator("steps")
    @classmethod
    def _has_a_step(cls, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        if not steps:
            raise ValueError("should have at least one step")
        return steps


class Serve(_Frozen):
    """The server a case is made for; a mechanism may need threads, or an event loop."""

    server: Literal["gunicorn", "uvicorn", "builtin"] = "gunicorn"
    worker_class: Literal["sync", "gthread"] = "sync"
    threads: int = Field(default=4, ge=1)


class Truth(_Frozen):
    """What is really wrong; the rates are measured (``benchmarks/measure_truth.py``) over the whole mix.

    Of a decoy: what seems to grow. ``incidents`` are public reports of the same fault. ``explained`` is the kind of
    explanation a decoy must get, empty where none is due. ``known_miss`` says why the diagnosis cannot see it yet.
    """

    mechanism: str = Field(min_length=1)
    incidents: tuple[str, ...] = ()
    kind: Kind
    retainer: str = Field(min_length=1)
    also_accept: tuple[str, ...] = ()
    grows_type: str = Field(min_length=1)
    objects_per_request: float = Field(ge=0)
    bytes_per_request: float = Field(ge=0)
    shape: Literal["linear", "plateau", "step"]
    verdict: dict[Variant, Literal["suspect", "clean", "inconclusive"]]
    explained: str = ""
    known_miss: str = ""

    @field_validator("verdict")
    @classmethod
    def _names_each_variant(cls, verdict: dict[Variant, str]) -> dict[Variant, str]:
        if set(verdict) not in (set(TWINS), set(DECOY)):
            raise ValueError("should say what is expected of leaky and of fixed, or of healthy alone")
        return verdict


class _CaseFile(_Frozen):
    """The tables of ``case.toml``."""

    title: str = Field(min_length=1)
    symptom: str = Field(min_length=1)
    serve: Serve = Serve()
    load: Load
    truth: Truth


class _LoadFile(_Frozen):
    """The tables of a load file: an app beside it, and how it is used."""

    app: str = Field(pattern=r"^[^/]+\.py$")
    serve: Serve = Serve()
    load: Load


class Case(_CaseFile):
    """A case and the folder it was read from; its name is the folder's."""

    name: str
    folder: Path

    @property
    def variants(self) -> tuple[str, ...]:
        """``leaky`` and ``fixed``, or ``healthy`` alone."""
        return TWINS if "leaky" in self.truth.verdict else DECOY

    def app_file(self, variant: str) -> Path:
        """The app of one variant; CaseError when there is no such variant."""
        if variant not in self.variants:
            hint = " or ".join(f"{self.name}:{one}" for one in self.variants)
            raise CaseError(f"Case {self.name} has no variant {variant!r}.", hint=hint)
        return self.folder / f"{variant}.py"

    def guilty_span(self) -> tuple[Path, int, int]:
        """The file, first and last line (from 1) of the whole statement that feeds the growth."""
        file = self.app_file("leaky")
        try:
            return (file, *_marked_span(file.read_text(encoding="utf-8"), self.name))
        except (OSError, SyntaxError, ValueError) as fault:
            raise InvalidCase(f"Case {self.name} marks no guilty statement.", seen=str(fault)) from fault


class Target(_Frozen):
    """What is investigated, whatever its origin; ``app_name`` is ``app`` or ``create_app()``."""

    label: str
    app_file: Path
    app_name: str = "app"
    load: Load
    serve: Serve = Serve()
    truth: Truth | None = None


def cases_dir(folder: Path | None = None) -> Path:
    """The folder of the cases: the repository's ``sample_apps``, unless another is given."""
    found = folder if folder is not None else Path(__file__).resolve().parents[1] / "sample_apps"
    if not found.is_dir():
        raise CaseError("There is no folder of cases.", seen=f"{found} is no folder", hint="a case.toml's path")
    return found


def list_cases(folder: Path | None = None) -> tuple[Case, ...]:
    """All cases, by name."""
    return tuple(_read_case(cases_dir(folder) / name / "case.toml") for name in _case_names(folder))


def load_case(name_or_path: str | Path, folder: Path | None = None) -> Case:
    """The case of that name, or the one of that ``case.toml`` or folder.

    Raises UnknownCase (near matches and all names) or InvalidCase (every fault at once).
    """
    path = Path(name_or_path)
    if isinstance(name_or_path, Path) or path.suffix == ".toml" or len(path.parts) > 1:
        file = path if path.suffix == ".toml" else path / "case.toml"
        if not file.is_file():
            raise UnknownCase(f"There is no case file {file}.", hint="the command cases lists the names of all")
        return _read_case(file)
    names = _case_names(folder)
    if name_or_path not in names:
        near = ", ".join(difflib.get_close_matches(name_or_path, names))
        known = f"one of: {', '.join(names) or '(none)'}"
        raise UnknownCase(f"There is no case {name_or_path!r}.", seen=near and f"near: {near}", hint=known)
    return _read_case(cases_dir(folder) / name_or_path / "case.toml")


def target_of(text: str, folder: Path | None = None) -> Target:
    """The target meant by ``name``, ``name:fixed`` or ``path/to/case.toml[:variant]``; leaky or healthy when unsaid.

    Or by a load file: a TOML that names its ``app`` and the load, and no truth.
    """
    if brought := _brought_by(Path(text)):
        return brought
    name, colon, variant = text.partition(":")
    case = load_case(name, folder)
    chosen = variant if colon else case.variants[0]
    label, app_file = f"{case.name}:{chosen}", case.app_file(chosen)
    return Target(label=label, app_file=app_file, load=case.load, serve=case.serve, truth=case.truth)


def _brought_by(file: Path) -> Target | None:
    """The target of a load file; None where that is not one. Raises InvalidCase."""
    if file.suffix != ".toml" or not file.is_file():
        return None
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
        brought = _LoadFile.model_validate(said) if "app" in said else None
    except ValidationError as invalid:
        seen = "\n        ".join(_described(fault) for fault in invalid.errors())
        raise InvalidCase(f"The load file {file} cannot be used.", seen=seen, hint=f"correct {file}") from None
    except (OSError, ValueError):  # told as of a case
        return None
    if brought is None:
        return None
    app_file = file.resolve().parent / brought.app
    label = f"{app_file.parent.name}:{app_file.stem}"
    return Target(label=label, app_file=app_file, load=brought.load, serve=brought.serve)


def _case_names(folder: Path | None) -> list[str]:
    return sorted(file.parent.name for file in cases_dir(folder).glob("*/case.toml"))


def _read_case(file: Path) -> Case:
    folder = file.resolve().parent
    faults: list[str] = []
    parsed: _CaseFile | None = None
    try:
        parsed = _CaseFile.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except ValidationError as invalid:
        faults += [_described(fault) for fault in invalid.errors()]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as unreadable:
        faults.append(f"case.toml: {unreadable}")
    decoy = parsed is not None and "healthy" in parsed.truth.verdict
    faults += _folder_faults(folder, DECOY if decoy else TWINS)
    if parsed is None or faults:
        what = f"Case {folder.name} has {len(faults)} fault{'s' * (len(faults) != 1)}."
        raise InvalidCase(what, seen="\n        ".join(faults), hint=f"correct {file}")
    return Case(name=folder.name, folder=folder, **dict(parsed))


def _described(fault: Any) -> str:
    """One fault of pydantic's in one line: where, what, and the value seen."""
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"]).lstrip(".")
    if fault["type"] == "missing":
        return f"{where}: is missing"
    if fault["type"] == "extra_forbidden":
        return f"{where}: is no key of this table"
    message = fault["msg"].removeprefix("Value error, ").replace("Input should", "should")
    return f"{where}: {message}, not {reprlib.repr(fault['input'])}"


def _folder_faults(folder: Path, variants: tuple[str, ...]) -> Iterator[str]:
    for name in (f"{variant}.py" for variant in variants):
        if not (folder / name).is_file():
            yield f"{name}: is missing"
        elif name == "leaky.py":
            try:
                _marked_span((folder / name).read_text(encoding="utf-8"), folder.name)
            except (OSError, SyntaxError, ValueError) as fault:
                yield f"{name}: {fault}"


def _marked_span(source: str, case: str) -> tuple[int, int]:
    """First and last line of the statement with the marker of this case; ValueError unless there is one."""
    tree = ast.parse(source)
    lines = list(_marker_lines(source, case))
    if len(lines) != 1:
        raise ValueError(f"should carry the comment '# leak: {case}' once, not {len(lines)} times")
    code = not source.splitlines()[lines[0] - 1].lstrip().startswith("#")
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.stmt) and lines[0] in _own_lines(node)]
    if not (code and nodes):
        raise ValueError(f"the comment '# leak: {case}' in line {lines[0]} stands on no statement")
    return _span(nodes[-1])


def _marker_lines(source: str, case: str) -> Iterator[int]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and (marker := _MARKER.match(token.string)) and marker[1] == case:
            yield token.start[0]


def _span(node: ast.stmt) -> tuple[int, int]:
    decorators: Sequence[ast.expr] = getattr(node, "decorator_list", ())
    return min([node.lineno, *(d.lineno for d in decorators)]), node.end_lineno or node.lineno


def _own_lines(node: ast.stmt) -> range:
    """The lines of a statement; of a compound one only those of its header."""
    first, last = _span(node)
    body: Sequence[ast.stmt] = getattr(node, "body", ())
    return range(first, max(first, _span(body[0])[0] - 1) + 1 if body else last + 1)
