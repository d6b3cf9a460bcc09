"""FHIRPath by its specification's own examples, and what an expression must never do."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path as File
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.fhir import serialization
from helsevev.fhir.path import PathError, compile_path

SUITE = serialization.decode((File(__file__).parent / "cases.json").read_bytes())
PATIENT = SUITE["resource"]


def _plain(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"decimal"}:
        return Decimal(value["decimal"])
    return value


@pytest.mark.parametrize("case", SUITE["cases"], ids=lambda case: case["path"])
def test_an_expression_gives_what_the_specification_says(case: dict[str, Any]) -> None:
    if case.get("fails"):
        with pytest.raises(PathError):
            compile_path(case["path"])(PATIENT)
        return
    found = compile_path(case["path"])(PATIENT)
    wanted = [_plain(value) for value in case["gives"]]
    # As text, so that 3.00 is not 3 and true is not 1.
    assert [(type(v).__name__, str(v)) for v in found] == [
        (type(v).__name__, str(v)) for v in wanted
    ]


def test_values_are_told_with_their_types() -> None:
    observation = {
        "resourceType": "Observation",
        "valueQuantity": {"value": Decimal("1.50")},
        "component": [{"valueString": "a"}, {"valueDateTime": "2026"}],
    }
    assert compile_path("Observation.value").typed(observation) == [
        ("Quantity", {"value": Decimal("1.50")})
    ]
    assert compile_path("component.value").typed(observation) == [
        ("string", "a"),
        ("dateTime", "2026"),
    ]


def test_an_element_is_read_in_its_own_type() -> None:
    name = {"family": "Berg", "given": ["Kari"]}
    assert compile_path("given & ' ' & family")(name, of="HumanName") == ["Kari Berg"]
    held = compile_path("%resource.active and family.exists()")
    assert held(name, of="HumanName", resource={"resourceType": "Patient", "active": True}) == [
        True
    ]


def test_references_are_resolved_by_whoever_can() -> None:
    asked: list[str] = []

    def resolve(reference: str) -> dict[str, Any] | None:
        asked.append(reference)
        return {"resourceType": "Practitioner", "id": "x", "name": [{"family": "Lege"}]}

    patient = {"resourceType": "Patient", "generalPractitioner": [{"reference": "Practitioner/x"}]}
    path = compile_path("generalPractitioner.resolve().name.family")
    assert path(patient, resolve=resolve) == ["Lege"]
    assert asked == ["Practitioner/x"]


def test_an_evaluation_leaves_the_resource_as_it_was() -> None:
    before = json.dumps(PATIENT)
    for case in SUITE["cases"]:
        try:
            compile_path(case["path"])(PATIENT).append("anything")
        except PathError:
            continue
    assert json.dumps(PATIENT) == before


_WORDS = ["name", "given", "birthDate", "deceased", "value", "1", "2.5", "'a'", "@2012", "true",
          "{}", "$this", "4 days", "first()", "where(", "exists()", "ofType(", "descendants()", ")",
          "(", ".", "=", ">", "+", "|", "and", "is", "in", "iif(", ",", "%resource", "[", "]", "-",
          "~", "extension('u')", "lowBoundary()", "resolve()", "toQuantity()", "&"]  # fmt: skip


@given(st.lists(st.sampled_from(_WORDS), max_size=12).map(" ".join))
def test_whatever_is_written_it_is_a_result_or_a_path_error(expression: str) -> None:
    try:
        found = compile_path(expression)(PATIENT)
    except PathError:
        return
    assert isinstance(found, list)


@given(st.text(max_size=40))
def test_no_text_does_anything_but_be_refused_or_read(expression: str) -> None:
    try:
        compile_path(expression)
    except PathError:
        return


def test_depth_and_length_are_limited() -> None:
    for expression in ("(" * 500 + "1" + ")" * 500, "not(" * 300, "a" * 20_000, "-" * 5000 + "1"):
        with pytest.raises(PathError):
            compile_path(expression)
