"""memberOf() and conformsTo() ask whom they are given, and say when nobody knows."""

from __future__ import annotations

from typing import Any

import pytest

from helsevev.fhir.path import Knows, PathError, compile_path
from helsevev.fhir.profiles.checking import check_profile
from helsevev.fhir.profiles.reading import profile_of

SYSTEM = "http://x/codes"
GENDER = "http://hl7.org/fhir/ValueSet/administrative-gender"
PATIENT: dict[str, Any] = {
    "resourceType": "Patient", "id": "p", "gender": "female", "active": True,
    "maritalStatus": {"coding": [{"system": SYSTEM, "code": "b"}, {"system": SYSTEM, "code": "a"}]},
    "communication": [{"language": {"coding": [{"code": "z"}]}}, {"language": {"text": "norsk"}}],
}  # fmt: skip


def members(url: str, system: str, code: str) -> bool | None:
    """One value set with one code."""
    if url != "http://x/set":
        return None
    return (system, code) == (SYSTEM, "a")


KNOWS = Knows(members, lambda value, url: None if url == "http://x/none" else "gender" in value)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("maritalStatus.memberOf('http://x/set')", [True]),
        ("maritalStatus.coding.where(memberOf('http://x/set')).code", ["a"]),
        ("maritalStatus.coding.first().memberOf('http://x/set')", [False]),
        ("communication[0].language.memberOf('http://x/set')", [False]),
        ("communication[1].language.memberOf('http://x/set')", [False]),
        ("photo.memberOf('http://x/set')", []),
        (f"gender.memberOf('{GENDER}')", [True]),
        (f"'woman'.memberOf('{GENDER}')", [False]),
        ("conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')", [True]),
        ("conformsTo('http://hl7.org/fhir/StructureDefinition/Person')", [False]),
        ("conformsTo('http://x/some')", [True]),
        ("maritalStatus.conformsTo('http://x/some')", [False]),
        ("conformsTo('http://x/none')", []),
        ("communication.conformsTo('http://x/some')", []),
    ],
)
def test_what_is_asked_of_others_is_answered(expression: str, expected: list[Any]) -> None:
    assert compile_path(expression)(PATIENT, knows=KNOWS) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "maritalStatus.memberOf('http://x/other')",
        "maritalStatus.coding.memberOf('http://x/set')",
        "active.memberOf('http://x/set')",
    ],
    ids=["a set that nobody knows", "of several values", "of what is no code"],
)
def test_what_cannot_be_told_is_no_answer(expression: str) -> None:
    with pytest.raises(PathError):
        compile_path(expression)(PATIENT, knows=KNOWS)
    with pytest.raises(PathError):
        compile_path("maritalStatus.memberOf('http://x/set')")(PATIENT)


def test_a_profiles_rules_may_ask_too() -> None:
    rule = {
        "key": "x-1", "severity": "error", "human": "a",
        "expression": "maritalStatus.memberOf('http://x/set') and conformsTo(%profile)",
    }  # fmt: skip
    known = {
        url: profile_of({
            "resourceType": "StructureDefinition", "url": url, "type": "Patient",
            "derivation": "constraint", "differential": {"element": [element]},
        })
        for url, element in (
            ("http://x/one", {"id": "Patient", "constraint": [
                {**rule, "expression": rule["expression"].replace("%profile", "'http://x/two'")}]}),
            ("http://x/two", {"id": "Patient.gender", "min": 1}),
        )
    }  # fmt: skip

    def told(patient: dict[str, Any], who: Any = members) -> list[str]:
        found = check_profile(patient, known["http://x/one"], known.get, who)
        return [f"{issue.severity} {issue.code}" for issue in found]

    assert told(PATIENT) == []
    without = {name: value for name, value in PATIENT.items() if name != "gender"}
    assert told(without) == ["error invariant"]
    assert told(PATIENT, lambda *_: None) == ["information incomplete"]
