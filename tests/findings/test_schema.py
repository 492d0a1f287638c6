"""The JSON contract as a file for others is the one the code writes."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from labkit.findings.model import Findings

FILE = Path(__file__).resolve().parents[2] / "docs" / "findings.schema.json"
WRITE = (
    "json.dumps(Findings.model_json_schema(by_alias=True), indent=1) + chr(10)"  # what docs/findings.schema.json holds
)


def test_the_file_is_what_the_classes_say() -> None:
    current = json.dumps(Findings.model_json_schema(by_alias=True), indent=1) + "\n"
    assert FILE.read_text() == current, f"write it anew with {WRITE}"


def test_findings_validate_against_the_file() -> None:
    schema = json.loads(FILE.read_text())
    least = json.loads(Findings(verdict="clean").model_dump_json())
    jsonschema.validate(least, schema)
    assert least["schema"] == "labkit.findings/1"
    for wrong in ({"verdict": "guilty"}, {"suspects": [{"rank": 1}]}, {"surprise": 1}):
        try:
            jsonschema.validate(least | wrong, schema)
        except jsonschema.ValidationError:
            continue
        raise AssertionError(wrong)
