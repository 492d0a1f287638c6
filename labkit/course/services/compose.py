"""One service from a seed: a business, a mechanism that leaks, and parts around it that only look as if they did."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from labkit.cases import Load
from labkit.course.services.names import (
    COUNTS,
    HOLDERS,
    THINGS,
    Names,
    domain_names,
    domains,
    part_names,
    shuffled,
)
from labkit.course.services.templates import (
    GUILTY,
    Mechanism,
    Part,
    Twin,
    code_of,
    names_of,
    read_lists,
    read_mechanism,
    read_part,
)

#: How many parts of a service only look as if they leaked.
DISTRACTORS = 3
#: Visits of the warm-up, in which what is bounded fills, and of each rung.
WARMUP_VISITS = 45
RUNG_VISITS = 20
RUNGS = 5
#: What a text weighs beside its characters, with its place in a list.
_TEXT_BYTES = 57
#: Characters of a line of a record beside its word: a number, a colon, a part of a digest.
_LINE_CHARACTERS = 28

_FROM = re.compile(r"from (\S+) import (.+)")


@dataclass(frozen=True)
class Service:
    """What was composed: both twins, what users say to it, and the truth about it."""

    name: str
    domain: str
    leaky: str
    fixed: str
    title: str
    ticket: str
    load: Load
    conversation: tuple[dict[str, object], ...]
    truth: Mechanism
    mechanism: str
    bytes_per_visit: float

    @property
    def handed_out(self) -> str:
        """The leaky twin, without the mark of the guilty statement."""
        return self.leaky.replace(f"  {GUILTY}", "")


def compose_class(seed: int, teams: int) -> tuple[Service, ...]:
    """A service for each team: another mechanism and another business for each, as far as there are enough."""
    draw = random.Random(f"class {seed}")  # noqa: S311 - a game, no secret
    mechanisms = shuffled(draw, names_of("mechanisms"))
    businesses = shuffled(draw, tuple(domains()))
    return tuple(
        compose(f"team-{n + 1}", f"{seed}/{n}", mechanisms[n % len(mechanisms)], businesses[n % len(businesses)])
        for n in range(teams)
    )


def compose(name: str, seed: str, mechanism: str, domain: str) -> Service:
    """The service of one team; the same words give the same bytes."""
    draw = random.Random(seed)  # noqa: S311 - a game, no secret
    count = draw.choice(COUNTS)
    words = domain_names(domain, count)
    holders, things = shuffled(draw, HOLDERS), shuffled(draw, THINGS)
    own = [words | part_names(*pair) for pair in zip(holders, things, strict=False)]
    guilty = read_mechanism(mechanism, own[0])
    around = draw.sample(names_of("distractors"), DISTRACTORS)
    parts = [read_part(f"distractors/{one}", own[n]) for n, one in enumerate(around, start=1)]
    parts.insert(draw.randint(0, len(parts)), guilty)
    base = read_part("service", words)
    steps = [step for part in draw.sample([base, *parts], len(parts) + 1) for step in part.steps]
    ticket = _ticket(draw, guilty, words)
    return Service(
        name=name,
        domain=domain,
        leaky=_source(base, parts, "leaky", words),
        fixed=_source(base, parts, "fixed", words),
        title=ticket[0],
        ticket=ticket[1],
        load=Load(
            warmup_requests=WARMUP_VISITS * len(steps),
            rungs=RUNGS,
            requests_per_rung=RUNG_VISITS * len(steps),
            steps=tuple(steps),
            expect_statuses=guilty.expect_statuses,
        ),
        conversation=tuple(said for part in [base, *parts] for said in part.conversation),
        truth=guilty,
        mechanism=mechanism,
        bytes_per_visit=guilty.own_bytes + guilty.lines_kept * lines_bytes(words),
    )


def lines_bytes(words: Names) -> int:
    """What the lines of one record weigh."""
    return int(words["count"]) * (_TEXT_BYTES + _LINE_CHARACTERS + len(words["line"]))


def _ticket(draw: random.Random, guilty: Mechanism, words: Names) -> tuple[str, str]:
    said = read_lists("tickets", words)
    chosen = [draw.choice(said[key]) for key in ("titles", "openings", "endings")]
    return chosen[0], " ".join([chosen[1], guilty.clue, chosen[2]])


def _source(base: Part, parts: list[Part], twin: Twin, words: Names) -> str:
    whole = [base, *parts]
    constants = [code_of(part.constants, twin) for part in whole]
    blocks = [
        f'"""{words["About"]}."""\n\nfrom __future__ import annotations',
        _imports(line for part in whole for line in part.imports_of(twin)),
        "\n".join(filter(None, constants)),
    ]
    code = [code_of(part.top, twin) for part in whole] + [code_of(part.resources, twin) for part in whole]
    code += [_create_app(whole, twin), "app = create_app()"]
    return "\n\n".join(blocks) + "\n\n\n" + "\n\n\n".join(filter(None, code)) + "\n"


def _create_app(parts: list[Part], twin: Twin) -> str:
    middleware = ", ".join(one for part in parts for one in part.middleware)
    lines = ["def create_app() -> falcon.App:"]
    lines += [f"    {line}" for part in parts for line in code_of(part.setup, twin).splitlines()]
    lines.append(f"    app = falcon.App({f'middleware=[{middleware}]' if middleware else ''})")
    lines += [f"    app.add_error_handler({error}, {call})" for part in parts for error, call in part.error_handlers]
    lines += [f'    app.add_route("{path}", {resource})' for part in parts for path, resource in part.routes]
    return "\n".join([*lines, "    return app"])


def _imports(lines: Iterable[str]) -> str:
    """Import statements, merged and in the order that linters want: the standard library, then falcon."""
    modules: set[str] = set()
    names: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        if found := _FROM.fullmatch(line):
            names[found[1]].update(found[2].split(", "))
        else:
            modules.add(line)
    own = sorted(modules - {"import falcon"})
    own += [f"from {module} import {', '.join(sorted(names[module], key=_rank))}" for module in sorted(names)]
    return "\n".join([*own, "", "import falcon"])


def _rank(name: str) -> tuple[bool, bool, str]:
    """Constants, then classes, then functions."""
    return not (name.isupper() and len(name) > 1), not name[:1].isupper(), name
