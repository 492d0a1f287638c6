"""What a service's users send and must be answered: ``conversation.json`` beside a case.

A list of exchanges. Each has ``request`` (``"PUT /sessions/a"``), what is sent (``json``, or ``body`` as it is or so
many ``body_times``, or ``body_base64``), the ``status``, and of the answer: ``answer`` (these keys of its JSON object,
equal), ``text`` or ``base64`` (all of it). With ``times`` it is said so often, ``{n}`` counting on ``from`` a number.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Base64Bytes, BaseModel, ConfigDict, TypeAdapter, ValidationError

from labkit.errors import InvalidCase


class Exchange(BaseModel):
    """One request and what must come back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    request: str
    json_: Any = None
    body: str | None = None
    body_times: int = 1
    body_base64: Base64Bytes | None = None
    status: int
    answer: dict[str, Any] = {}
    text: str | None = None
    base64: Base64Bytes | None = None

    @property
    def method(self) -> str:
        """Of the request."""
        return self.request.partition(" ")[0]

    @property
    def path(self) -> str:
        """Of the request, with its query."""
        return self.request.partition(" ")[2]

    @property
    def sent(self) -> tuple[bytes | None, dict[str, str]]:
        """Body and headers to send."""
        if self.json_ is not None:
            return json.dumps(self.json_).encode(), {"Content-Type": "application/json"}
        return self.body_base64 if self.body is None else self.body.encode() * self.body_times, {}

    def fault(self, status: int, body: bytes) -> str:
        """What is wrong with an answer, in words; empty where it is as it must be."""
        if status != self.status:
            return f"{self.request} is answered with {status}, and was with {self.status}"
        wanted = self.base64 if self.base64 is not None else None if self.text is None else self.text.encode()
        if wanted is not None:
            return "" if body == wanted else f"{self.request} is answered with other text than before"
        said = _object(body) if self.answer else {}
        other = [key for key, value in self.answer.items() if said.get(key) != value]
        return f"{self.request} is answered with another {other[0]!r} than before" if other else ""


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _repeated(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    first, times = row.pop("from", 0), row.pop("times", 1)
    row["json_"] = row.pop("json", None)
    text = json.dumps(row)
    for number in range(first, first + times):
        yield json.loads(text.replace("{n}", str(number)))


def conversation_of(folder: Path) -> tuple[Exchange, ...]:
    """The conversation of the case in ``folder``; raises InvalidCase."""
    file = folder / "conversation.json"
    try:
        rows = [said for row in json.loads(file.read_text(encoding="utf-8")) for said in _repeated(row)]
        return TypeAdapter(tuple[Exchange, ...]).validate_python(rows)
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as fault:
        seen = f"{fault.error_count()} faults" if isinstance(fault, ValidationError) else str(fault)
        raise InvalidCase(f"Case {folder.name} has no conversation.", seen=seen, hint=f"correct {file}") from None
