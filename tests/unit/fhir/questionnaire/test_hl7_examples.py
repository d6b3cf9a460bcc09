"""HL7's own examples of Structured Data Capture: filled in from a record, worked out, extracted."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from helsevev.fhir import serialization
from helsevev.fhir.questionnaire import extract, fill, populate, prepare, queries
from helsevev.fhir.questionnaire.origins import of
from helsevev.fhir.questionnaire.trying import response_of, try_case
from helsevev.fhir.validation import validate

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "birthDate": "1961-03-05",
    "name": [{"family": "Nilsen", "given": ["Kari", "Anne"]}],
    "telecom": [{"system": "phone", "use": "home", "value": "73000000"},
                {"system": "phone", "use": "mobile", "value": "90000000"}],
}  # fmt: skip


def form(name: str) -> dict[str, Any]:
    return serialization.decode((Path(__file__).parent / "hl7" / f"{name}.json").read_bytes())


def answers(response: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for item in response.get("item", ()):
        if "answer" in item:
            found[item["linkId"]] = next(
                v for k, v in item["answer"][0].items() if k.startswith("value")
            )
        found |= answers(item)
    return found


def test_nothing_of_the_examples_is_lost() -> None:
    for path in sorted((Path(__file__).parent / "hl7").glob("*.json")):
        assert prepare(serialization.decode(path.read_bytes())).unsupported == (), path.name


def test_body_mass_is_worked_out_from_weight_and_height_by_variables() -> None:
    prepared = prepare(form("weight-height"))
    given = {"/29463-7": Decimal("80"), "/8302-2": Decimal("70")}
    assert try_case(prepared, given, expect={"/39156-5": Decimal("25.3")}) == []
    assert try_case(prepared, {"/29463-7": 80}, expect={"/39156-5": None}) == []


def test_a_weight_of_the_last_year_is_found_by_its_code_and_says_where_it_is_from() -> None:
    prepared = prepare(form("weight-height"))
    (query,) = queries(prepared, {"patient": PATIENT}, NOW)
    assert query.type == "Observation"
    assert ("http://loinc.org", "29463-7") in query.codes
    found = {query.name: [_weight("new", "2026-01-02", 71), _weight("newer", "2026-05-02", 72),
                          _weight("old", "2024-05-02", 90)]}  # fmt: skip
    response = populate(prepared, {"patient": PATIENT}, found, NOW)
    (item,) = response["item"]
    assert item["answer"][0]["valueDecimal"] == 72
    origin = of(item["answer"][0])
    assert origin is not None
    assert (origin.kind, origin.source, origin.of) == (
        "populated", "Observation/newer", "2026-05-02",
    )  # fmt: skip
    assert (
        populate(prepared, {}, {query.name: [_weight("old", "2024-05-02", 90)]}, NOW).get("item")
        is None
    )


def test_a_form_opens_with_what_the_record_knows_of_patient_and_writer() -> None:
    user = {
        "resourceType": "Practitioner",
        "id": "u",
        "name": [{"family": "Moe", "given": ["Per"]}],
    }
    prepared = prepare(form("prepop-initial-expression"))
    response = populate(prepared, {"patient": PATIENT, "user": user}, {}, NOW)
    assert answers(response) == {
        "family-name": "Nilsen", "given-names": "Kari", "dob": "1961-03-05",
        "contact-number": "73000000", "date-consult": "2026-06-15", "provider-name": "Per Moe",
    }  # fmt: skip
    filled = fill(prepared, response, context={"patient": PATIENT}, now=NOW)
    assert [(each.kind, each.link_id) for each in filled.issues] == [
        ("required", "medicare-number")
    ]
    origin = filled.origin("family-name")
    assert origin is not None
    assert origin.source == "Patient/p1"


def test_searches_of_a_batch_are_asked_for_and_used() -> None:
    prepared = prepare(form("prepop-source-query"))
    asked = queries(prepared, {"patient": PATIENT}, NOW)
    assert [each.search for each in asked] == [
        "Condition?patient=p1&active=true", "MedicationStatement?patient=p1&active=true",
    ]  # fmt: skip
    found = {asked[0].name: {"resourceType": "Bundle", "type": "searchset", "total": 4}}
    response = populate(prepared, {"patient": PATIENT}, found, NOW)
    assert answers(response) == {"dob": "1961-03-05", "condition-count": 4}


FAMILY = {
    "patient": {
        "name": [{"given": ["Kari", "Anne"], "family": "Nilsen"}, {"family": "Moe"}],
        "gender": {"system": "http://hl7.org/fhir/administrative-gender", "code": "female"},
        "ihi": "8003601234512345",
        "mobile-phone": "90000000",
    },
    "contacts": [
        {"contact-name": "Per", "phone": "91111111"},
        {"contact-name": "Ola", "relationship": {"system": "http://x", "code": "N"}},
    ],
    "height": Decimal("1.68"),
}


def extracted(name: str, given: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    prepared = prepare(form(name))
    response = {**response_of(prepared, given), "id": "r1", "authored": "2026-06-15T12:00:00Z",
                "author": {"reference": "Practitioner/1"}}  # fmt: skip
    signed = fill(prepared, response, context={}, now=NOW).response
    made = extract(
        prepared, signed, subject="Patient/p1", author={"reference": "Practitioner/1"}, at=NOW,
        url="urn:uuid:00000000-0000-4000-8000-000000000001",
    )  # fmt: skip
    return [(each.address, each.resource) for each in made]


def check_family(made: list[tuple[str, dict[str, Any]]]) -> None:
    kinds = [resource["resourceType"] for _, resource in made]
    assert kinds == ["Patient", "RelatedPerson", "RelatedPerson", "Observation"]
    address, patient = made[0]
    assert patient["name"] == [
        {"text": "Kari Anne Nilsen", "family": "Nilsen", "given": ["Kari", "Anne"]},
        {"text": "Moe", "family": "Moe"},
    ]
    assert patient["gender"] == "female"
    assert patient["identifier"] == [{
        "type": {"text": "National Identifier (IHI)"}, "system": "http://example.org/nhio",
        "value": "8003601234512345",
    }]  # fmt: skip
    assert patient["telecom"] == [{"use": "mobile", "value": "90000000", "system": "phone"}]
    one, other = made[1][1], made[2][1]
    assert one["patient"] == other["patient"] == {"reference": address}
    assert one["name"] == [{"text": "Per"}]
    assert one["telecom"] == [{"system": "phone", "value": "91111111", "use": "mobile"}]
    assert "relationship" not in one
    assert other["relationship"] == [{"coding": [{"system": "http://x", "code": "N"}]}]
    height = made[3][1]
    assert height["valueQuantity"]["value"] == 168
    assert height["valueQuantity"]["unit"] == "cm"
    assert height["subject"] == {"reference": address}
    assert height["effectiveDateTime"] == "2026-06-15T12:00:00Z"
    assert len({each for each, _ in made}) == 4


def test_templates_become_resources_that_refer_to_each_other() -> None:
    made = extracted("extract-complex-template", FAMILY)
    check_family(made)
    assert made[3][1]["performer"] == [{"reference": "Practitioner/1"}]
    assert made[3][1]["derivedFrom"] == [{"reference": "QuestionnaireResponse/r1"}]
    for _, resource in made[:3]:
        assert validate(resource) == []


def test_definitions_put_answers_where_they_say() -> None:
    made = extracted("extract-complex-definition", FAMILY)
    check_family(made)
    for _, resource in made:
        assert validate(resource) == []


def test_what_is_not_answered_makes_no_resource() -> None:
    assert extracted("extract-complex-template", {}) == []
    ((_, height),) = extracted("extract-complex-definition", {"height": Decimal(2)})
    assert height["valueQuantity"] == {"value": 200, "unit": "cm"}


def test_the_same_answers_make_the_same_addresses() -> None:
    once, again = (extracted("extract-complex-template", FAMILY) for _ in range(2))
    assert once == again


def _weight(number: str, day: str, kilos: int) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": number, "status": "final", "effectiveDateTime": day,
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "valueQuantity": {"value": kilos, "unit": "kg"},
    }  # fmt: skip
