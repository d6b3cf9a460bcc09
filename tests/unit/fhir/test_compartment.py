"""Whose a resource is, when it happened, and what it is."""

from __future__ import annotations

from typing import Any

import pytest

from helsevev.fhir import serialization
from helsevev.fhir.compartment import (
    is_clinical,
    main_code,
    main_date,
    main_date_elements,
    patient_references,
    subject_of,
)
from helsevev.fhir.dates import bounds
from helsevev.fhir.definitions import RESOURCE_TYPES, elements

KARI = {"reference": "Patient/kari"}
OLA = {"reference": "Patient/ola"}

# resource -> whose it is
SUBJECTS: list[tuple[dict[str, Any], str | None]] = [
    ({"resourceType": "Patient", "id": "kari", "link": [{"other": OLA}]}, "Patient/kari"),
    ({"resourceType": "Patient"}, None),
    ({"resourceType": "Observation", "subject": KARI, "performer": [OLA]}, "Patient/kari"),
    (
        {"resourceType": "Observation", "subject": {"reference": "Patient/kari/_history/3"}},
        "Patient/kari",
    ),
    (
        {"resourceType": "Observation", "subject": {"reference": "Group/1"}, "performer": [OLA]},
        None,
    ),
    ({"resourceType": "Observation"}, None),
    ({"resourceType": "AllergyIntolerance", "asserter": OLA, "patient": KARI}, "Patient/kari"),
    ({"resourceType": "Coverage", "policyHolder": OLA, "beneficiary": KARI}, "Patient/kari"),
    (
        {"resourceType": "Task", "for": KARI, "focus": {"reference": "ServiceRequest/1"}},
        "Patient/kari",
    ),
    ({"resourceType": "Communication", "sender": KARI}, "Patient/kari"),
    (
        {
            "resourceType": "Appointment",
            "participant": [{"actor": {"reference": "Practitioner/1"}}, {"actor": KARI}],
        },
        "Patient/kari",
    ),
    (
        {"resourceType": "Provenance", "target": [{"reference": "Observation/1"}, KARI]},
        "Patient/kari",
    ),
    ({"resourceType": "Group", "member": [{"entity": KARI}, {"entity": OLA}]}, None),
    ({"resourceType": "Organization", "name": "x"}, None),
    ({"resourceType": "RelatedPerson", "patient": KARI}, "Patient/kari"),
    ({"resourceType": "EnrollmentRequest", "candidate": KARI}, "Patient/kari"),
]


@pytest.mark.parametrize(("resource", "subject"), SUBJECTS)
def test_a_resource_is_about_one_inhabitant_or_none(
    resource: dict[str, Any], subject: str | None
) -> None:
    assert subject_of(resource) == subject


def test_all_who_take_part_are_found() -> None:
    resource = {"resourceType": "Observation", "subject": KARI, "performer": [OLA]}
    assert patient_references(resource) == {"Patient/kari", "Patient/ola"}
    assert patient_references({"resourceType": "Patient", "id": "kari"}) == {"Patient/kari"}
    assert patient_references({"resourceType": "Organization"}) == set()


def test_clinical_types_are_those_of_the_patient_compartment() -> None:
    assert is_clinical("Patient")
    assert is_clinical("Observation")
    assert not is_clinical("Organization")
    assert sum(is_clinical(name) for name in RESOURCE_TYPES) == 67 + 8


@pytest.mark.parametrize("resource_type", ["Binary", "Bundle", "Device", "GuidanceResponse"])
def test_what_may_tell_of_somebody_is_no_reference_data(resource_type: str) -> None:
    assert is_clinical(resource_type)


def test_an_implant_is_about_the_one_who_carries_it() -> None:
    assert subject_of({"resourceType": "Device", "patient": KARI}) == "Patient/kari"
    assert subject_of({"resourceType": "Device"}) is None


def test_the_leading_date_is_when_it_happened() -> None:
    resource = {
        "resourceType": "Observation",
        "issued": "2024-05-03T10:00:00Z",
        "effectivePeriod": {"start": "2024-05-01"},
    }
    day = bounds("2024-05-01")
    assert day is not None
    assert main_date(resource) == day[0]
    del resource["effectivePeriod"]
    assert main_date(resource) == (bounds("2024-05-03T10:00:00Z") or (None,))[0]
    assert main_date({"resourceType": "Observation"}) is None


def test_a_period_without_start_counts_from_its_end() -> None:
    day = bounds("2024-05-01")
    assert day is not None
    assert main_date({"resourceType": "Encounter", "period": {"end": "2024-05-01"}}) == day[0]


def test_the_leading_code_comes_first() -> None:
    coding = [{"system": "http://loinc.org", "code": "1"}, {"code": "2"}]
    resource = {"resourceType": "Observation", "code": {"coding": coding}}
    assert main_code(resource) == [("http://loinc.org", "1"), (None, "2")]
    encounter = {"resourceType": "Encounter", "class": {"system": "x", "code": "AMB"}}
    assert main_code(encounter) == [("x", "AMB")]
    assert main_code({"resourceType": "Observation", "code": {"text": "x"}}) == []
    response = {"resourceType": "QuestionnaireResponse", "questionnaire": "http://x|1"}
    assert main_code(response) == [(None, "http://x")]


def test_leading_dates_are_elements_of_their_type() -> None:
    for resource_type in RESOURCE_TYPES:
        known = {name for e in elements(resource_type).values() for name in e.json_names()}
        assert known.issuperset(main_date_elements(resource_type)), resource_type


def test_every_example_has_its_keys(examples: list[dict[str, str]]) -> None:
    for example in examples:
        resource = serialization.decode(example["text"])
        subject = subject_of(resource)
        assert subject is None or subject in patient_references(resource)
        assert isinstance(main_date(resource), int | None)
        assert all(len(pair) == 2 for pair in main_code(resource))
