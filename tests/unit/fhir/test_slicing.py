"""Slices are told apart by every kind of discriminator, at any path; what cannot be is said."""

from __future__ import annotations

from typing import Any

import pytest

from helsevev.fhir.profiles.checking import check_profile
from helsevev.fhir.profiles.norwegian import norwegian
from helsevev.fhir.profiles.reading import Profile, profile_of

Resource = dict[str, Any]
CORE = "http://hl7.org/fhir/StructureDefinition/"
SYSTEM = "http://x/codes"


def profile(kind: str, *elements: Resource, url: str = "http://x/p", base: str = "") -> Profile:
    """A profile by its elements."""
    return profile_of({
        "resourceType": "StructureDefinition", "url": url, "type": kind, "baseDefinition": base,
        "derivation": "constraint", "differential": {"element": list(elements)},
    })  # fmt: skip


def sliced(path: str, *by: tuple[str, str], rules: str = "open", **more: Any) -> Resource:
    """The element that says how its slices are told apart."""
    discriminators = [{"type": kind, "path": where} for kind, where in by]
    return {"id": path, "slicing": {"discriminator": discriminators, "rules": rules, **more}}


def told(
    resource: Resource, one: Profile, *others: Profile, members: Any = None
) -> list[tuple[str, str, str]]:
    """Severity, code and place of what is wrong."""
    known = {each.url: each for each in others}
    more = {} if members is None else {"members": members}
    found = check_profile(resource, one, lambda url: known.get(url) or norwegian(url), **more)
    return [(issue.severity, issue.code, issue.expression) for issue in found]


EXTENSION = profile(
    "Extension",
    {"id": "Extension.url", "fixedUri": "http://x/kind"},
    {"id": "Extension.value[x]", "min": 1, "type": [{"code": "code"}]},
    url="http://x/kind",
)
LAB = profile(
    "Observation", {"id": "Observation.code.text", "fixedString": "lab"}, url="http://x/lab"
)
CASES: dict[str, tuple[tuple[Resource, ...], Resource, Resource, str]] = {
    "value at a path": (
        (sliced("Patient.identifier", ("value", "type.coding.code")),
         {"id": "Patient.identifier:a", "min": 1, "max": "1"},
         {"id": "Patient.identifier:a.type.coding.code", "fixedCode": "A"}),
        {"identifier": [{"type": {"coding": [{"code": "A"}]}}, {"type": {"text": "A"}}]},
        {"identifier": [{"type": {"coding": [{"code": "B"}]}}]},
        "Patient.identifier",
    ),
    "pattern": (
        (sliced("Patient.maritalStatus.coding", ("pattern", "$this")),
         {"id": "Patient.maritalStatus.coding:own", "min": 1,
          "patternCoding": {"system": SYSTEM}}),
        {"maritalStatus": {"coding": [{"system": SYSTEM, "code": "x"}]}},
        {"maritalStatus": {"coding": [{"system": "http://y", "code": "x"}]}},
        "Patient.maritalStatus.coding",
    ),
    "pattern given above the path": (
        (sliced("Patient.identifier", ("pattern", "type.coding")),
         {"id": "Patient.identifier:a", "min": 1},
         {"id": "Patient.identifier:a.type", "patternCodeableConcept": {"coding": [{"code": "A"}]}},
         {"id": "Patient.identifier:a.value", "min": 1}),
        {"identifier": [{"type": {"coding": [{"code": "A"}]}, "value": "1"}]},
        {"identifier": [{"type": {"coding": [{"code": "A"}]}}]},
        "Patient.identifier[0].value",
    ),
    "exists": (
        (sliced("Patient.telecom", ("exists", "period.end")),
         {"id": "Patient.telecom:old"}, {"id": "Patient.telecom:old.period.end", "min": 1},
         {"id": "Patient.telecom:now", "max": "1"},
         {"id": "Patient.telecom:now.period.end", "max": "0"}),
        {"telecom": [{"value": "1"}, {"period": {"end": "2020"}}, {"period": {"end": "2021"}}]},
        {"telecom": [{"value": "1"}, {"period": {"start": "2020"}}]},
        "Patient.telecom",
    ),
    "type of a choice at a path": (
        (sliced("Observation.component", ("type", "value")),
         {"id": "Observation.component:number", "min": 1},
         {"id": "Observation.component:number.value[x]", "type": [{"code": "Quantity"}]}),
        {"component": [{"valueQuantity": {"value": 1}}]},
        {"component": [{"valueString": "1"}]},
        "Observation.component",
    ),
    "type of what is referred to": (
        (sliced("Composition.section.entry", ("type", "resolve()")),
         {"id": "Composition.section.entry:drug", "min": 1,
          "type": [{"code": "Reference", "targetProfile": [f"{CORE}MedicationStatement"]}]}),
        {"section": [{"entry": [{"reference": "MedicationStatement/1"}]}]},
        {"section": [{"entry": [{"reference": "Condition/1"}]}]},
        "Composition.section[0].entry",
    ),
    "value of an extension": (
        (sliced("Patient.contact", ("value", "extension('http://x/kind').value")),
         {"id": "Patient.contact:near", "min": 1},
         {"id": "Patient.contact:near.extension:kind", "type": [
             {"code": "Extension", "profile": ["http://x/kind"]}]},
         {"id": "Patient.contact:near.extension:kind.value[x]", "fixedCode": "near"}),
        {"contact": [{"extension": [{"url": "http://x/kind", "valueCode": "near"}]}]},
        {"contact": [{"extension": [{"url": "http://x/other", "valueCode": "near"}]}]},
        "Patient.contact",
    ),
    "profile of what is contained": (
        (sliced("DiagnosticReport.result", ("profile", "resolve()")),
         {"id": "DiagnosticReport.result:lab", "min": 1,
          "type": [{"code": "Reference", "targetProfile": ["http://x/lab"]}]}),
        {"result": [{"reference": "#o"}],
         "contained": [{"resourceType": "Observation", "id": "o", "code": {"text": "lab"}}]},
        {"result": [{"reference": "#o"}],
         "contained": [{"resourceType": "Observation", "id": "o", "code": {"text": "other"}}]},
        "DiagnosticReport.result",
    ),
    "url of an extension, where no slicing is said": (
        ({"id": "Patient.extension:kind", "min": 1,
          "type": [{"code": "Extension", "profile": ["http://x/kind"]}]},),
        {"extension": [{"url": "http://x/kind", "valueCode": "a"}]},
        {"extension": [{"url": "http://x/other", "valueCode": "a"}]},
        "Patient.extension",
    ),
    "a slice of a slice": (
        (sliced("Patient.identifier", ("value", "system"), ("value", "use")),
         {"id": "Patient.identifier:a"}, {"id": "Patient.identifier:a.system", "fixedUri": "s"},
         {"id": "Patient.identifier:a.use", "fixedCode": "usual"},
         {"id": "Patient.identifier:a/b", "min": 1},
         {"id": "Patient.identifier:a/b.system", "fixedUri": "s"},
         {"id": "Patient.identifier:a/b.use", "fixedCode": "usual"}),
        {"identifier": [{"system": "s", "use": "usual"}]},
        {"identifier": [{"system": "s", "use": "old"}]},
        "Patient.identifier",
    ),
    "an order that is asked for": (
        (sliced("Patient.telecom", ("value", "system"), ordered=True),
         {"id": "Patient.telecom:a"}, {"id": "Patient.telecom:a.system", "fixedCode": "phone"},
         {"id": "Patient.telecom:b"}, {"id": "Patient.telecom:b.system", "fixedCode": "email"}),
        {"telecom": [{"system": "phone"}, {"system": "fax"}, {"system": "email"}]},
        {"telecom": [{"system": "email"}, {"system": "phone"}]},
        "Patient.telecom[1]",
    ),
    "what is in no slice comes last": (
        (sliced("Patient.telecom", ("value", "system"), rules="openAtEnd"),
         {"id": "Patient.telecom:a"}, {"id": "Patient.telecom:a.system", "fixedCode": "phone"}),
        {"telecom": [{"system": "phone"}, {"system": "fax"}]},
        {"telecom": [{"system": "fax"}, {"system": "phone"}]},
        "Patient.telecom[1]",
    ),
    "no other slice": (
        (sliced("Patient.telecom", ("value", "system"), rules="closed"),
         {"id": "Patient.telecom:a"}, {"id": "Patient.telecom:a.system", "fixedCode": "phone"}),
        {"telecom": [{"system": "phone"}]},
        {"telecom": [{"system": "fax"}]},
        "Patient.telecom[0]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_slices_are_told_apart(
    case: tuple[tuple[Resource, ...], Resource, Resource, str],
) -> None:
    elements, good, damaged, place = case
    kind = str(elements[0]["id"]).partition(".")[0]
    one = profile(kind, *elements)
    assert told({"resourceType": kind, **good}, one, EXTENSION, LAB) == []
    found = told({"resourceType": kind, **damaged}, one, EXTENSION, LAB)
    assert [(severity, where) for severity, _, where in found] == [("error", place)]


def test_a_derived_profile_tells_slices_apart_as_the_one_it_builds_on() -> None:
    base = profile(
        "Patient", sliced("Patient.identifier", ("value", "system")),
        {"id": "Patient.identifier:a"}, {"id": "Patient.identifier:a.system", "fixedUri": "s"},
        url="http://x/base",
    )  # fmt: skip
    derived = profile(
        "Patient", {"id": "Patient.identifier:a", "min": 1},
        {"id": "Patient.identifier:a.value", "min": 1}, base="http://x/base",
    )  # fmt: skip
    patient = {"resourceType": "Patient", "identifier": [{"system": "t"}]}
    assert told(patient, derived, base) == [("error", "required", "Patient.identifier")]
    patient["identifier"] = [{"system": "s"}]
    assert told(patient, derived, base) == [("error", "required", "Patient.identifier[0].value")]
    patient["identifier"] = [{"system": "s", "value": "1"}]
    assert told(patient, derived, base) == []


def test_a_slice_may_be_the_codes_of_a_value_set() -> None:
    one = profile(
        "Patient", sliced("Patient.maritalStatus.coding", ("value", "$this")),
        {"id": "Patient.maritalStatus.coding:own", "max": "1",
         "binding": {"strength": "required", "valueSet": "http://x/set"}},
    )  # fmt: skip
    codings = [{"system": SYSTEM, "code": code} for code in ("in", "in", "out")]
    patient = {"resourceType": "Patient", "maritalStatus": {"coding": codings}}
    found = told(patient, one, members=lambda _set, _system, code: code == "in")
    assert found == [("error", "structure", "Patient.maritalStatus.coding")]
    # Where nobody knows the codes, that is said, and no error is made up.
    assert told(patient, one) == [("information", "incomplete", "Patient.maritalStatus.coding")]


@pytest.mark.parametrize(
    "elements",
    [
        (sliced("Patient.contact", ("value", "name.given.first()")),
         {"id": "Patient.contact:a", "min": 1}),
        (sliced("Patient.generalPractitioner", ("profile", "resolve()")),
         {"id": "Patient.generalPractitioner:a", "min": 1,
          "type": [{"code": "Reference", "targetProfile": ["http://x/unknown"]}]}),
        (sliced("Patient.contact"), {"id": "Patient.contact:a", "min": 1}),
    ],
    ids=["a path that is none", "a profile that is not here", "no discriminator"],
)  # fmt: skip
def test_what_cannot_be_decided_is_said_and_is_no_error(elements: tuple[Resource, ...]) -> None:
    patient = {
        "resourceType": "Patient", "contact": [{"name": {"given": ["A"]}}],
        "generalPractitioner": [{"reference": "Practitioner/1"}],
    }  # fmt: skip
    assert [severity for severity, _, _ in told(patient, profile("Patient", *elements))] == [
        "information"
    ]


def test_one_of_several_profiles_is_enough() -> None:
    short = profile("HumanName", {"id": "HumanName.text", "min": 1}, url="http://x/short")
    long = profile("HumanName", {"id": "HumanName.family", "min": 1}, url="http://x/long")
    urls = ["http://x/short", "http://x/long"]
    one = profile("Patient", {"id": "Patient.name", "type": [
        {"code": "HumanName", "profile": urls}]})  # fmt: skip
    for name, expected in (
        ({"text": "A"}, []),
        ({"family": "A"}, []),
        ({"given": ["A"]}, [("error", "structure", "Patient.name[0]")]),
    ):
        assert told({"resourceType": "Patient", "name": [name]}, one, short, long) == expected
