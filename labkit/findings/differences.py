"""How two captures were measured: what was played, by what, on what. A comparison says so before anything else."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from labkit.findings.model import Record


class Differences(Record):
    """How two measurements differ, one line each; with other ``requests`` rates cannot be compared."""

    lines: list[str] = Field(default_factory=list)
    of_requests: bool = False


def differences(before: dict[str, Any], after: dict[str, Any]) -> Differences:
    """How two captures' manifests differ in what was played, by what, on what. Bodies and headers are not told."""
    load, load_after = _table(before, "load"), _table(after, "load")
    steps, steps_after = load.pop("steps", []), load_after.pop("steps", [])
    lines = _of_requests(_requests(steps), _requests(steps_after))
    if steps != steps_after and not lines:
        lines = ["requests: their bodies or headers, or their order, are not the same"]
    lines += _of_tables(load, load_after)
    lines += _of_tables(_table(before, "server"), _table(after, "server"))
    lines += _of_tables(_table(before, "versions"), _table(after, "versions"))
    return Differences(lines=lines, of_requests=steps != steps_after)


def _table(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    """A copy of a table of the manifest; a capture of a live worker has no load."""
    found = manifest.get(name)
    return dict(found) if isinstance(found, dict) else {}


def _requests(steps: Any) -> list[str]:
    return [str(step.get("request")) for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []


def _of_requests(before: list[str], after: list[str]) -> list[str]:
    lines = []
    for side, only in (("before", set(before) - set(after)), ("after", set(after) - set(before))):
        lines += [f"requests: {', '.join(sorted(only))} only {side}"] if only else []
    return lines


def _of_tables(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [
        f"{key}: {before.get(key, 'not told')} before, {after.get(key, 'not told')} after"
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key)
    ]
