"""What is asked of the app: the i-th visit is the same whoever plays it, and whenever."""

from __future__ import annotations

import json
import random
import re
import string
from dataclasses import dataclass
from urllib.parse import quote

from labkit.cases import Load, Step

WORD_LENGTH = 10  # fixed, so that each visit costs the app the same number of bytes
_PLACEHOLDER = re.compile(r"\{(?:i|word)\}")
_KEPT_IN_PATH = "".join(chr(code) for code in range(33, 127) if chr(code) not in '"<>\\^`')


@dataclass(frozen=True)
class Request:
    """One request ready to send; ``name`` is the step's text, with its placeholders."""

    name: str
    method: str
    path: str
    body: bytes | None
    headers: dict[str, str]


class Script:
    """All visits of a load: every step once, in order, with the same ``{i}`` and the same ``{word}``."""

    def __init__(self, load: Load) -> None:
        self._load = load

    @property
    def requests_per_visit(self) -> int:
        """How many requests a visit has."""
        return len(self._load.steps)

    def visits_for(self, requests: int) -> int:
        """How many whole visits make at least this many requests."""
        return -(-requests // self.requests_per_visit)

    def visit(self, number: int) -> tuple[Request, ...]:
        """The requests of visit ``number``."""
        letters = random.Random(f"{self._load.seed}:{number}")  # noqa: S311  a repeatable word, no secret
        word = "".join(letters.choices(string.ascii_lowercase, k=WORD_LENGTH))
        return tuple(_filled(step, {"{i}": str(number), "{word}": word}) for step in self._load.steps)


def _filled(step: Step, values: dict[str, str]) -> Request:
    def fill(text: str) -> str:
        return _PLACEHOLDER.sub(lambda found: values[found[0]], text)

    method, _, path = step.request.partition(" ")
    body = fill(step.body)
    headers = {name: fill(value) for name, value in step.headers.items()}
    if body and not any(name.lower() == "content-type" for name in headers) and _is_json(body):
        headers["Content-Type"] = "application/json"
    return Request(
        name=step.request,
        method=method,
        path=quote(fill(path), safe=_KEPT_IN_PATH),
        body=body.encode() if body else None,
        headers=headers,
    )


def _is_json(body: str) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True
