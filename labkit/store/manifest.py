"""What of a capture's manifest is relied on, checked when it is read."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from labkit.store.texts import writable

#: Beyond this a number is no count of anything and no longer exact as a float.
MAX_NUMBER = 1 << 53
MEASURED = ("pause_ms", "child_peak_bytes")
MEASURED_UNDER_LOAD = ("uss_before_bytes", "uss_after_bytes", "lost")


def read_manifest(path: Path) -> dict[str, Any]:
    """Read ``manifest.json``; ValueError when it is no JSON object. ``checked`` looks at the rest."""
    manifest = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse, object_pairs_hook=_without_halves)
    if not isinstance(manifest, dict):
        raise ValueError("manifest.json is not an object")  # noqa: TRY004 - one kind of error for whatever is wrong
    return manifest


def check(manifest: dict[str, Any]) -> None:
    """Raise ValueError or KeyError unless the facts that findings are made of are what they should be."""
    for name in ("label", "command", "recorded_at"):
        _require(isinstance(manifest[name], str), name)
    versions, statuses = manifest["versions"], manifest["statuses"]
    _require(isinstance(versions, dict) and all(isinstance(text, str) for text in versions.values()), "versions")
    _require(isinstance(statuses, dict) and all(_is_count(number) for number in statuses.values()), "statuses")
    under_load = manifest.get("under_load", {})
    _require(isinstance(under_load, dict), "under_load")
    _require(all(_is_count(under_load.get(name, 0)) for name in MEASURED_UNDER_LOAD), "under_load")
    for row in (*manifest["snapshots"], *manifest["site_snapshots"]):
        for name in ("rung", "pid", "requests"):
            _require(_is_count(row[name]), f"a snapshot's {name}")
        _require(all(_is_measure(row["cost"].get(name, 0)) for name in MEASURED), "a snapshot's cost")
        _require(_is_count(row["cost"].get("child_peak_bytes", 0)), "a snapshot's cost")
        memory = row.get("memory", {})
        _require(isinstance(memory, dict) and all(map(_is_count, memory.values())), "a snapshot's memory")
    served: dict[int, int] = {}
    for row in manifest["snapshots"]:
        served[row["rung"]] = max(row["requests"], served.get(row["rung"], 0))
    _require(all(served[a] < served[b] for a, b in pairwise(sorted(served))), "the number of requests per rung")


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise ValueError(f"{what} is not what it should be")


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < MAX_NUMBER


def _is_measure(value: object) -> bool:
    return type(value) in (int, float) and 0 <= value < MAX_NUMBER  # type: ignore[operator]


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _without_halves(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {writable(name): writable(value) if isinstance(value, str) else value for name, value in pairs}
