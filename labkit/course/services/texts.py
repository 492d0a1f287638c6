"""The files of a class: what a team is handed, and what only the trainer has. The same service, the same bytes."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator

from labkit.cases import Load
from labkit.course.services.compose import Service
from labkit.course.services.templates import GUILTY
from labkit.views.units import bytes_text

#: What a service is called where teams have it, and in the trainer's case.
HANDED_OUT, IN_CASE = "service", "leaky"


def team_files(service: Service, folder: str) -> dict[str, str]:
    """What a team gets: a service, a ticket, a load. Nothing of the truth."""
    load = f'app = "{HANDED_OUT}.py"\n\n{_load_text(service.load)}'
    return {f"{HANDED_OUT}.py": service.handed_out, "TICKET.md": _ticket_text(service, folder), "load.toml": load}


def trainer_files(service: Service) -> dict[str, str]:
    """A case like those of ``sample_apps``, with its truth."""
    rows = ",\n  ".join(json.dumps(row) for row in service.conversation)
    return {
        "case.toml": _case_text(service),
        "leaky.py": service.leaky.replace(GUILTY, f"# leak: {service.name}"),
        "fixed.py": service.fixed,
        "conversation.json": f"[\n  {rows}\n]\n",
    }


def key_text(services: Iterable[Service], seed: int, folder: str) -> str:
    """The answer key: holder, mechanism, line, rate and cure of each, the cure as a difference."""
    every = tuple(services)
    lines = [
        "# Answer key",
        "",
        f"For the trainer. `labkit class new --teams {len(every)} --seed {seed}` makes the same class again.",
        "",
        "| team | business | what holds it | line | per visit | per request |",
        "|---|---|---|---|---|---|",
        *map(_key_row, every),
        "",
        "The number of objects follows from the template, the bytes from a rate that was measured for each template.",
        f"Measure them again: `python benchmarks/measure_truth.py {folder}/trainer/team-1`.",
    ]
    return "\n".join(lines) + "\n" + "".join("\n" + "\n".join(_key_section(one)) + "\n" for one in every)


def guilty_line(service: Service) -> int:
    """The line, from 1, of the guilty statement; the same in ``service.py`` and ``leaky.py``."""
    return next(n for n, line in enumerate(service.leaky.splitlines(), start=1) if GUILTY in line)


def bytes_per_request(service: Service) -> float:
    """To two digits, over all steps of the load."""
    return float(f"{service.bytes_per_visit / len(service.load.steps):.2g}")


def _ticket_text(service: Service, folder: str) -> str:
    return f"""# {service.title}

{service.ticket}

## What you have

`service.py` is the service as it runs, `load.toml` is how it is used. Four steps, in the repository's folder:

1. Measure: `./workbook investigate {folder}/{service.name}/load.toml`
2. Say what holds the memory: `./workbook class answer {service.name} "service.NAME"`
3. Mend `service.py`. Its users must get the answers they get now.
4. Have it measured: `./workbook class check {service.name}`

`./workbook class reset {service.name}` brings the untouched service back.
"""


def _load_text(load: Load) -> str:
    """The load as TOML; a text as JSON writes it is a text of TOML."""
    lines = ["[load]"]
    lines += [f"{key} = {value}" for key, value in load.model_dump().items() if key not in ("steps", "expect_statuses")]
    lines.append(f"expect_statuses = {list(load.expect_statuses)}")
    for step in load.steps:
        lines += ["", "[[load.steps]]", f"request = {json.dumps(step.request)}"]
        if step.body:
            lines.append(f"body = {json.dumps(step.body)}")
        if step.headers:
            pairs = ", ".join(f"{name} = {json.dumps(value)}" for name, value in step.headers.items())
            lines.append(f"headers = {{ {pairs} }}")
    return "\n".join(lines) + "\n"


def _case_text(service: Service) -> str:
    truth = service.truth
    facts = {
        "mechanism": truth.mechanism,
        "kind": truth.kind,
        "retainer": _in_case(truth.retainer),
        "also_accept": [_in_case(name) for name in truth.also_accept],
        "grows_type": _in_case(truth.grows_type),
        "objects_per_request": round(truth.objects_per_visit / len(service.load.steps), 4),
        "bytes_per_request": bytes_per_request(service),
        "shape": "linear",
    }
    lines = [f"title = {json.dumps(service.title)}", f"symptom = {json.dumps(service.ticket)}", ""]
    lines += [_load_text(service.load), "[truth]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in facts.items()]
    return "\n".join(lines) + '\nverdict = { leaky = "suspect", fixed = "clean" }\n'


def _in_case(name: str) -> str:
    return name.replace(f"{HANDED_OUT}.", f"{IN_CASE}.")


def _key_row(service: Service) -> str:
    truth = service.truth
    rate = bytes_text(bytes_per_request(service), 2)
    objects = f"{truth.objects_per_visit} `{truth.grows_type}`"
    holder, line = f"`{truth.retainer}`", guilty_line(service)
    return f"| {service.name} | {service.domain} | {holder} | {line} | {objects} | {rate} |"


def _key_section(service: Service) -> Iterator[str]:
    truth, line = service.truth, guilty_line(service)
    yield f"## {service.name}: {service.domain}, {service.mechanism}"
    yield ""
    yield f"* holder: `{truth.retainer}`" + "".join(f", also `{name}`" for name in truth.also_accept)
    yield f"* mechanism: {truth.mechanism}"
    yield f"* line {line} of `service.py`: `{service.handed_out.splitlines()[line - 1].strip()}`"
    yield f"* rate: {bytes_text(bytes_per_request(service), 2)} per request; a visit has {len(service.load.steps)}"
    yield f"* cure: {truth.cure}"
    yield ""
    before, after = service.handed_out.splitlines(), service.fixed.splitlines()
    yield "```diff"
    yield from difflib.unified_diff(before, after, "service.py", "fixed.py", lineterm="")
    yield "```"
