"""Profiles are followed: counts, fixed values, slices; and what is not checked is said."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from tools.write_profiles import TABLE, definitions, text_of

from helsevev.fhir.profiles.checking import check_profile
from helsevev.fhir.profiles.norwegian import norwegian, table
from helsevev.fhir.profiles.reading import Profile, UnfitDefinition, profile_of

NO = "http://hl7.no/fhir/StructureDefinition/no-basis-"
ENH = "urn:oid:2.16.578.1.12.4.1.4.101"
LOINC = "http://loinc.org"
Resource = dict[str, Any]


def organisation(**more: Any) -> Resource:
    return {"resourceType": "Organization", "name": "Enhet"} | more


def definition(kind: str, *elements: dict[str, Any], url: str = "http://x/p") -> Profile:
    return profile_of({
        "resourceType": "StructureDefinition", "url": url, "type": kind,
        "derivation": "constraint", "differential": {"element": list(elements)},
    })  # fmt: skip


def told(resource: Resource, profile: Profile | None, *others: Profile) -> list[tuple[str, str]]:
    assert profile is not None
    known = {each.url: each for each in others}
    found = check_profile(resource, profile, lambda url: known.get(url) or norwegian(url))
    return [(issue.severity, issue.expression) for issue in found]


def test_the_norwegian_table_is_the_published_package(shared: Path) -> None:
    package = shared / "data/norway/fhir/no-basis/no-basis-2.2.2.tgz"
    assert text_of(definitions(package)) == TABLE.read_text("utf-8")


def test_every_norwegian_profile_can_be_read() -> None:
    assert len(table()["profiles"]) > 30
    assert all(norwegian(each["url"]) for each in table()["profiles"])
    assert norwegian(f"{NO}Patient|2.2.2") is norwegian(f"{NO}Patient")


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ({"system": ENH, "value": "942110464"}, []),
        ({"system": ENH}, [("error", "Organization.identifier[0].value")]),
        ({"system": "http://elsewhere"}, []),
    ],
    ids=["whole", "without its number", "of another slice"],
)
def test_a_slice_asks_only_of_its_own(
    identifier: Resource, expected: list[tuple[str, str]]
) -> None:
    found = told(organisation(identifier=[identifier]), norwegian(f"{NO}Organization"))
    assert found == expected


def test_every_coding_of_a_slice_has_its_fixed_system() -> None:
    relation = f"{NO}family-relation".replace("StructureDefinition", "CodeSystem")
    coding = {"system": relation, "code": "mor"}
    person = {"resourceType": "RelatedPerson", "patient": {"reference": "Patient/a"}}
    profile = norwegian(f"{NO}RelatedPerson")
    alone = told({**person, "relationship": [{"coding": [coding]}]}, profile)
    both = told({**person, "relationship": [{"coding": [coding, {"system": LOINC}]}]}, profile)
    wrong = ("error", "RelatedPerson.relationship[0].coding[1].system")
    assert wrong not in alone
    assert wrong in both


@pytest.mark.parametrize(
    ("elements", "damage", "place"),
    [
        ([{"id": "Observation.note", "min": 1}], {}, "Observation.note"),
        ([{"id": "Observation.category", "max": "1"}], {"category": [{}, {}]},
         "Observation.category"),
        ([{"id": "Observation.status", "fixedCode": "final"}], {"status": "amended"},
         "Observation.status"),
        ([{"id": "Observation.code", "patternCodeableConcept": {"coding": [{"system": LOINC}]}}],
         {"code": {"coding": [{"system": "http://other"}]}}, "Observation.code"),
        ([{"id": "Observation.value[x]", "type": [{"code": "Quantity"}]}],
         {"valueString": "x"}, "Observation.value.ofType(String)"),
        ([{"id": "Observation.subject", "type": [{
            "code": "Reference",
            "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Patient"]}]}],
         {"subject": {"reference": "Group/a"}}, "Observation.subject.reference"),
        ([{"id": "Observation.status", "binding": {
            "strength": "required",
            "valueSet": "http://hl7.org/fhir/ValueSet/administrative-gender"}}],
         {"status": "final"}, "Observation.status"),
        ([{"id": "Observation", "constraint": [{
            "key": "x-1", "severity": "error", "human": "a note", "expression": "note.exists()"}]}],
         {}, "Observation"),
        ([{"id": "Observation.component", "slicing": {
            "discriminator": [{"type": "value", "path": "code"}], "rules": "closed"}},
          {"id": "Observation.component:one", "max": "1"},
          {"id": "Observation.component:one.code",
           "patternCodeableConcept": {"coding": [{"code": "1"}]}}],
         {"component": [{"code": {"coding": [{"code": "2"}]}}]}, "Observation.component[0]"),
        ([{"id": "Observation.value[x]", "slicing": {
            "discriminator": [{"type": "type", "path": "$this"}], "rules": "open"}},
          {"id": "Observation.value[x]:valueQuantity", "min": 1, "type": [{"code": "Quantity"}]}],
         {"valueString": "x"}, "Observation.value"),
    ],
    ids=["missing", "too many", "fixed", "pattern", "type", "target", "binding", "constraint",
         "closed slicing", "slice by type"],
)  # fmt: skip
def test_what_breaks_a_profile_is_told_with_its_place(
    elements: list[Resource], damage: Resource, place: str
) -> None:
    whole: Resource = {
        "resourceType": "Observation", "status": "final", "note": [{"text": "x"}],
        "code": {"coding": [{"system": LOINC, "code": "1"}]},
        "subject": {"reference": "Patient/a"}, "valueQuantity": {"value": 1},
    }  # fmt: skip
    broken = deepcopy(whole) | damage
    if "valueString" in damage:
        del broken["valueQuantity"]
    if not damage:
        del broken["note"]
    profile = definition("Observation", *elements)
    assert ("error", place) in told(broken, profile)
    if "binding" not in elements[0]:
        assert told(whole, profile) == []


def test_a_profile_of_an_elements_type_is_followed_and_an_unknown_one_is_told() -> None:
    inner = definition("HumanName", {"id": "HumanName.family", "min": 1}, url="http://x/name")
    outer = definition("Patient", {
        "id": "Patient.name", "type": [{"code": "HumanName", "profile": ["http://x/name"]}]
    })  # fmt: skip
    patient = {"resourceType": "Patient", "name": [{"text": "Ola"}]}
    assert told(patient, outer, inner) == [("error", "Patient.name[0].family")]
    assert told(patient, outer) == [("information", "Patient.name[0]")]


def test_codes_that_are_not_known_here_are_not_taken_for_checked() -> None:
    kind = {"coding": [{"system": "urn:x", "code": "x"}]}
    note = {"resourceType": "Composition", "type": kind}
    assert told(note, norwegian(f"{NO}Composition")) == [("information", "Composition.type")]


def test_a_profile_of_another_type_is_not_for_this_resource() -> None:
    assert told(organisation(), norwegian(f"{NO}Patient")) == [("error", "Organization")]


def test_a_definition_of_a_type_is_no_profile() -> None:
    with pytest.raises(UnfitDefinition):
        profile_of({"url": "x", "type": "Patient", "derivation": "specialization"})
