"""A value that was valid once is valid again; one that was not is looked at each time."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from helsevev.fhir.known_values import LONGEST, MOST, remembering
from helsevev.fhir.primitive_checks import Problem
from helsevev.fhir.validation import validate


class Counting:
    """A check that counts; a value with `bad` has a problem."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, value: Any, _: Any) -> list[Problem] | None:
        self.calls += 1
        return [("", "value", "bad")] if "bad" in value else None


def test_a_valid_value_is_checked_once() -> None:
    counting = Counting()
    check = remembering(counting)
    for _ in range(5):
        assert check({"code": "a", "value": Decimal("1.50")}, None) is None
    assert counting.calls == 1
    assert check({"code": "a", "value": Decimal("1.5")}, None) is None
    assert counting.calls == 2


def test_a_faulty_value_is_refused_each_time() -> None:
    check = remembering(Counting())
    for _ in range(3):
        assert check({"bad": 1}, None) == [("", "value", "bad")]
    assert check([], None) is None


def test_what_is_remembered_has_bounds() -> None:
    counting = Counting()
    check = remembering(counting)
    for _ in range(2):
        assert check({"text": "x" * LONGEST}, None) is None
    assert counting.calls == 2
    for n in range(MOST * 20):
        assert check({"n": n}, None) is None
    assert counting.calls == 2 + MOST * 20


def test_a_mutation_of_a_known_resource_is_still_found() -> None:
    coding = {"system": "http://loinc.org", "code": "8867-4"}
    resource: dict[str, Any] = {
        "resourceType": "Observation", "status": "final", "code": {"coding": [coding]},
        "category": [{"coding": [coding]}], "subject": {"reference": "Patient/1"},
        "valueQuantity": {"value": 1, "system": "http://unitsofmeasure.org", "code": "/min"},
    }  # fmt: skip
    for _ in range(3):
        assert validate(resource) == []
    for name, wrong in (
        ("code", {"coding": [{**coding, "system": " "}]}),
        ("category", [{"coding": [{**coding, "extra": 1}]}]),
        ("subject", {"reference": "#none"}),
        ("valueQuantity", {"value": 1, "code": "/min"}),
    ):
        assert validate({**resource, name: wrong}) != [], name
    assert validate(resource) == []
