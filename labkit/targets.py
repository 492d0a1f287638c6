"""From the words of a command to what is to be investigated, and how: the target, its load, its server."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from labkit.arguments import PROGRAM
from labkit.cases import Load, Serve, Step, Target, target_of
from labkit.drive.beside_heap import checked_tools
from labkit.drive.options import RecordOptions
from labkit.errors import CaseError

#: So long may the measuring take while its answer is open.
BUDGET_S = 60.0


def target_from(options: argparse.Namespace) -> Target:
    """The case or the app that was asked for, with its load; raises CaseError when the words do not fit together."""
    if options.app and options.target:
        seen = f"{options.target} and --app {options.app}"
        hint = "if this was part of a request or a body, put quotes around it: --request 'GET /items/{i}'"
        raise CaseError("Give a case or --app, not both.", seen=seen, hint=hint)
    if options.target:
        if options.request:
            raise CaseError(
                "--request goes with --app; a case brings its own load.",
                seen=f"the case {options.target}",
                hint="leave --request out, or give --app FILE.py:app instead of the case",
            )
        target = target_of(options.target)
        return target.model_copy(update={"load": _adjusted(target.load, options)})
    if not options.app:
        raise CaseError("There is nothing to investigate.", hint=f"{PROGRAM} investigate CASE, or --app FILE.py:app")
    if not options.request:
        raise CaseError("An app needs a load.", seen="no --request", hint="--request 'GET /items/{i}'")
    place, _, name = options.app.partition(":")
    file = _app_file(place)
    steps = _steps(options)
    return Target(
        label=f"{_label(place, file)}:{name or 'app'}",
        app_file=file.absolute(),
        app_name=name or "app",
        load=_adjusted(_valid(Load, steps=steps, concurrency=4), options),
    )


def _label(place: str, file: Path) -> str:
    """What was asked for, without the folders of a path."""
    if place.endswith(".py"):
        return file.absolute().parent.name if file.name == "__init__.py" else file.name
    return place


def _app_file(place: str) -> Path:
    """The app's file; a dotted module name, as servers take it, is looked up from the current folder."""
    file = Path(place)
    if file.is_file() or file.suffix == ".py" or not all(part.isidentifier() for part in place.split(".")):
        return file
    module = Path(*place.split("."))
    candidates = (module.with_suffix(".py"), module / "__init__.py")
    return next((candidate for candidate in candidates if candidate.is_file()), candidates[0])


def _steps(options: argparse.Namespace) -> tuple[Step, ...]:
    headers = {}
    for line in options.header:
        name, colon, value = line.partition(":")
        if not colon:
            raise CaseError(f"{line!r} is no header.", hint="--header 'Content-Type: application/json'")
        headers[name.strip()] = value.strip()
    bodies = iter(_bodies(options))
    return tuple(
        _valid(Step, request=request, body=next(bodies) if takes_body(request) else "", headers=headers)
        for request in options.request
    )


def _bodies(options: argparse.Namespace) -> list[str]:
    """A body for each request that takes one: the same for all, or one each in their order."""
    given = [_text_of(Path(options.body_file))] if options.body_file else list(options.body)
    wanted = sum(map(takes_body, options.request))
    if len(given) <= 1:
        return (given or [""]) * wanted
    if len(given) != wanted:
        raise CaseError(
            "Bodies and requests do not match.",
            seen=f"{len(given)} times --body, {wanted} requests that take one",
            hint="one --body for all, or one for each POST, PUT and PATCH in their order",
        )
    return given


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        seen = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise CaseError(f"{path} cannot be sent as a body.", seen=str(seen), hint="--body-file FILE") from None


def takes_body(request: str) -> bool:
    """Whether a request of that method has a body."""
    return not request.startswith(("GET ", "HEAD ", "DELETE ", "OPTIONS "))


def _adjusted(load: Load, options: argparse.Namespace) -> Load:
    chosen = {
        "requests_per_rung": options.requests,
        "rungs": options.rungs,
        "warmup_requests": options.warmup,
        "concurrency": options.concurrency,
        "seed": options.seed,
    }
    given = {key: value for key, value in chosen.items() if value is not None}
    adjusted: Load = _valid(Load, **{**load.model_dump(), **given})
    return adjusted


def _valid(model: Any, **fields: Any) -> Any:
    try:
        return model(**fields)
    except ValueError as error:
        faults = error.errors() if hasattr(error, "errors") else []
        seen = "; ".join(map(_fault_text, faults)) or str(error)
        raise CaseError("The load cannot be played.", seen=seen, hint=f"{PROGRAM} investigate --help") from None


#: Fields of a load, as the user gives them.
OPTION_OF = {
    "requests_per_rung": "--requests",
    "rungs": "--rungs",
    "warmup_requests": "--warmup",
    "concurrency": "--concurrency",
    "seed": "--seed",
    "request": "--request",
    "body": "--body",
    "headers": "--header",
}


def _fault_text(fault: Any) -> str:
    """One fault of pydantic's, with the option that was typed instead of the field."""
    where = ".".join(OPTION_OF.get(str(part), str(part)) for part in fault["loc"])
    return f"{where}: {fault['msg'].removeprefix('Value error, ')}, not {fault['input']!r}"


def record_options_from(options: argparse.Namespace, serve: Serve) -> RecordOptions:
    """How to serve and measure it; a case's own server stands where none was asked for. Raises CaptureError."""
    return RecordOptions(
        python=options.python,
        server=options.server or serve.server,
        worker_class=options.worker_class or serve.worker_class,
        threads=serve.threads if options.threads is None else options.threads,
        workers=options.workers,
        port=options.port,
        request_timeout_s=options.request_timeout,
        allow_statuses=tuple(options.allow_status),
        allocation_pass=not options.no_sites,
        tools=checked_tools(options.record),
        native=options.native,
        budget_s=_budget_s(options),
    )


def _budget_s(options: argparse.Namespace) -> float:
    """Who says how much is to be played gets that and no more; a case says it, too."""
    if options.budget is not None:
        return float(options.budget)
    return 0.0 if options.target or options.requests or options.rungs else BUDGET_S
