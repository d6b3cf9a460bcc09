"""Who the patient is, and what everybody must see at once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from helsevev.patient.banner import banner

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NATIONAL = "urn:oid:2.16.578.1.12.4.1.4.1"
ADDRESS = [{"use": "home", "line": ["Storgata 1"], "postalCode": "7010", "city": "Trondheim"}]
GRADES = "http://ehelse.no/fhir/CodeSystem/gd-address-confidentiality"


def patient(**elements: Any) -> dict[str, list[dict[str, Any]]]:
    return {"Patient": [{"resourceType": "Patient", "id": "p1", **elements}]}


def test_an_empty_patient_has_a_banner_that_claims_nothing() -> None:
    shown = banner(patient(), NOW)
    assert (shown.name, shown.number, shown.sex, shown.birth) == ("", "", "", None)
    assert shown.allergies.status == "unknown"
    assert not shown.is_deceased


def test_the_national_number_wins_over_other_numbers() -> None:
    numbers = [
        {"system": "https://elsewhere.example", "value": "77"},
        {"system": "urn:oid:2.16.578.1.12.4.1.4.2", "value": "53016600000"},
        {"system": NATIONAL, "value": "13816600000"},
    ]
    shown = banner(patient(identifier=numbers), NOW)
    assert (shown.number, shown.number_kind) == ("13816600000", "national")


def test_the_official_current_name_is_shown_before_an_old_one() -> None:
    names = [
        {"use": "old", "family": "Dahl", "given": ["Kari"]},
        {"use": "maiden", "family": "Dahl", "given": ["Kari"]},
        {"use": "official", "family": "Berg", "given": ["Kari", "Anne"]},
    ]
    assert banner(patient(name=names), NOW).name == "Kari Anne Berg"


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({}, ""),
        ({"meta": {"security": [{"system": GRADES, "code": "fortrolig"}]}}, "confidential"),
        (
            {"meta": {"security": [{"system": GRADES, "code": "strengtFortrolig"}]}},
            "strictly-confidential",
        ),
        ({"meta": {"security": [{"system": GRADES, "code": "ugradert"}]}}, ""),
    ],
)
def test_a_protected_address_is_never_in_the_banner(
    elements: dict[str, Any], expected: str
) -> None:
    telecom = [{"system": "phone", "value": "99900111"}]
    shown = banner(patient(address=ADDRESS, telecom=telecom, **elements), NOW)
    assert shown.protection == expected
    assert bool(shown.address) is not bool(expected)
    assert bool(shown.phone) is not bool(expected)


def test_a_grade_on_the_address_itself_protects_it() -> None:
    grade = {
        "url": "http://ehelse.no/fhir/StructureDefinition/gd-address-metadata",
        "extension": [{"url": "confidentiality", "valueCode": "strengtFortrolig"}],
    }
    shown = banner(patient(address=[{**ADDRESS[0], "extension": [grade]}]), NOW)
    assert (shown.protection, shown.address) == ("strictly-confidential", "")


def test_the_age_of_the_dead_is_counted_to_the_day_of_death() -> None:
    shown = banner(patient(birthDate="1940-01-01", deceasedDateTime="2020-05-06"), NOW)
    assert shown.is_deceased
    assert shown.age_reference(date(2026, 11, 21)) == date(2020, 5, 6)


def test_the_one_responsible_for_the_ongoing_stay_comes_first() -> None:
    encounter = {
        "resourceType": "Encounter", "id": "e", "status": "in-progress",
        "class": {"code": "IMP"}, "period": {"start": "2026-11-20T10:00:00+01:00"},
        "participant": [
            {"individual": {"display": "Nurse"}},
            {"type": [{"coding": [{"code": "ATND"}]}], "individual": {"display": "Dr. Attending"}},
        ],
        "location": [
            {"location": {"display": "Emergency"}, "status": "completed"},
            {"location": {"display": "Ward 3"}, "status": "active"},
        ],
    }  # fmt: skip
    resources = patient(generalPractitioner=[{"display": "Dr. Regular"}])
    resources["Encounter"] = [encounter]
    shown = banner(resources, NOW)
    assert shown.whereabouts is not None
    assert shown.whereabouts.place == "Ward 3"
    assert [r.name for r in shown.responsible] == ["Dr. Attending", "Dr. Regular"]


def test_names_that_the_record_knows_replace_missing_ones() -> None:
    encounter = {
        "resourceType": "Encounter", "status": "in-progress",
        "participant": [{"individual": {"reference": "Practitioner/7"}}],
    }  # fmt: skip
    resources = {**patient(), "Encounter": [encounter]}
    shown = banner(resources, NOW, {"Practitioner/7": "Ola Vik"})
    assert shown.responsible[0].name == "Ola Vik"


def test_a_flag_that_has_ended_no_longer_warns() -> None:
    flags = [
        {"resourceType": "Flag", "status": "active", "code": {"text": "MRSA"},
         "period": {"end": "2026-11-20"}},
        {"resourceType": "Flag", "status": "active", "code": {"text": "Falls"},
         "period": {"end": "2026-11-21"}},
        {"resourceType": "Flag", "status": "inactive", "code": {"text": "Old"}},
    ]  # fmt: skip
    shown = banner({**patient(), "Flag": flags}, NOW)
    assert [flag.text for flag in shown.flags] == ["Falls"]
