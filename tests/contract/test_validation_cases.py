"""FHIR cases as data: a resource in, the codes and paths of all its faults out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helsevev.fhir import serialization
from helsevev.fhir.validation import validate

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "validation_cases.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_resource_is_told_all_its_faults(case: dict[str, Any]) -> None:
    resource = serialization.decode(json.dumps(case["resource"]))
    issues = validate(resource)
    found = [[issue.code, issue.expression] for issue in issues]
    assert sorted(found) == sorted(case["issues"])
    assert all(issue.severity == "error" and issue.diagnostics for issue in issues)
