"""Search values of resources, as rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from helsevev.fhir import serialization
from helsevev.fhir.dates import bounds
from helsevev.fhir.extraction import (
    COMPOSITE,
    DATE,
    LEFT_OUT,
    MAX,
    MIN,
    NUMBER,
    PARAMETERS,
    QUANTITY,
    REFERENCE,
    STRING,
    TOKEN,
    URI,
    extract,
)

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
BLOOD_PRESSURE: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "bp",
    "meta": {"profile": ["http://example.org/bp|1.0"], "source": "http://example.org/monitor"},
    "status": "final",
    "code": {"coding": [{"system": LOINC, "code": "85354-9"}, {"code": "BP"}]},
    "subject": {"reference": "Patient/1/_history/7"},
    "performer": [{"reference": "Practitioner/2"}, {"reference": "#nurse"}],
    "effectivePeriod": {"start": "2024-05-01T10:00:00+02:00"},
    "component": [
        {
            "code": {"coding": [{"system": LOINC, "code": "8480-6"}]},
            "valueQuantity": {"value": 120, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"},
        },
        {
            "code": {"coding": [{"system": LOINC, "code": "8462-4"}]},
            "valueQuantity": {"value": Decimal("80.50"), "unit": "mmHg"},
        },
    ],
}


def rows(resource: dict[str, Any], name: str) -> list[tuple[Any, ...]]:
    """The rows of one parameter, without its name."""
    return [row[1:] for row in extract(resource) if row[0] == name]


def test_a_blood_pressure_is_found_by_code_and_value_of_each_component() -> None:
    systolic, diastolic = (TOKEN, LOINC, "8480-6"), (TOKEN, LOINC, "8462-4")
    high = (QUANTITY, Decimal(120), UCUM, "mm[Hg]", "mmHg")
    low = (QUANTITY, Decimal("80.50"), None, None, "mmHg")
    assert rows(BLOOD_PRESSURE, "component-code-value-quantity") == [
        (COMPOSITE, systolic, high),
        (COMPOSITE, diastolic, low),
    ]
    assert rows(BLOOD_PRESSURE, "combo-code") == [
        (TOKEN, LOINC, "85354-9"), (TOKEN, None, "BP"), systolic, diastolic,
    ]  # fmt: skip
    assert rows(BLOOD_PRESSURE, "code") == [(TOKEN, LOINC, "85354-9"), (TOKEN, None, "BP")]
    assert rows(BLOOD_PRESSURE, "value-quantity") == []


def test_a_reference_loses_its_version_and_contained_ones_are_not_found() -> None:
    assert rows(BLOOD_PRESSURE, "subject") == [(REFERENCE, "Patient/1")]
    assert rows(BLOOD_PRESSURE, "patient") == [(REFERENCE, "Patient/1")]
    assert rows(BLOOD_PRESSURE, "performer") == [(REFERENCE, "Practitioner/2")]


def test_a_subject_that_is_no_patient_is_not_found_as_one() -> None:
    resource = {**BLOOD_PRESSURE, "subject": {"reference": "https://x.no/fhir/Device/1"}}
    assert rows(resource, "subject") == [(REFERENCE, "https://x.no/fhir/Device/1")]
    assert rows(resource, "patient") == []


def test_a_logical_reference_is_found_by_its_identifier() -> None:
    subject = {"type": "Patient", "identifier": {"system": "urn:oid:1.2", "value": "01"}}
    resource = {**BLOOD_PRESSURE, "subject": subject}
    assert rows(resource, "subject:identifier") == [(TOKEN, "urn:oid:1.2", "01")]
    assert rows(resource, "patient:identifier") == [(TOKEN, "urn:oid:1.2", "01")]
    assert rows(resource, "subject") == []


def test_an_open_period_reaches_to_the_end_of_time() -> None:
    start = bounds("2024-05-01T10:00:00+02:00")
    assert start is not None
    assert rows(BLOOD_PRESSURE, "date") == [(DATE, start[0], MAX)]
    ended = {**BLOOD_PRESSURE, "effectivePeriod": {"end": "2024-05-01"}}
    assert rows(ended, "date")[0][1] == MIN


def test_a_schedule_counts_from_its_first_to_its_last_moment() -> None:
    timing = {"event": ["2024-05-03", "2024-05-01"], "repeat": {"boundsPeriod": {"end": "2024-06"}}}
    resource = {**BLOOD_PRESSURE, "effectiveTiming": timing}
    del resource["effectivePeriod"]
    june = bounds("2024-06")
    assert june is not None
    assert rows(resource, "date") == [(DATE, MIN, june[1])]


def test_profile_and_source_are_found_for_every_type() -> None:
    assert rows(BLOOD_PRESSURE, "_source") == [(URI, "http://example.org/monitor")]
    assert rows(BLOOD_PRESSURE, "_profile") == [
        (URI, "http://example.org/bp"),
        (URI, "http://example.org/bp|1.0"),
    ]


def test_a_person_is_found_by_every_part_of_the_name_and_the_ways_to_reach_her() -> None:
    patient = {
        "resourceType": "Patient",
        "name": [{"family": "Ås", "given": ["Kari", None, "Bo"], "_given": [None, {}, None]}],
        "telecom": [{"system": "phone", "value": "22"}, {"system": "email", "value": "k@x.no"}],
        "birthDate": "1980-05",
    }
    assert rows(patient, "name") == [(STRING, "Ås"), (STRING, "Kari"), (STRING, "Bo")]
    assert rows(patient, "family") == [(STRING, "Ås")]
    assert rows(patient, "phone") == [(TOKEN, None, "22")]
    assert rows(patient, "email") == [(TOKEN, None, "k@x.no")]
    assert rows(patient, "telecom") == [(TOKEN, None, "22"), (TOKEN, None, "k@x.no")]
    assert rows(patient, "birthdate") == [(DATE, *(bounds("1980-05") or ()))]


@pytest.mark.parametrize(
    ("said", "dead"),
    [
        ({}, "false"),
        ({"deceasedBoolean": False}, "false"),
        ({"deceasedBoolean": True}, "true"),
        ({"deceasedDateTime": "2020"}, "true"),
    ],
)
def test_every_patient_is_either_dead_or_not(said: dict[str, Any], dead: str) -> None:
    assert rows({"resourceType": "Patient", **said}, "deceased") == [(TOKEN, None, dead)]


def test_the_ends_of_a_range_are_both_found() -> None:
    condition = {
        "resourceType": "Condition",
        "onsetRange": {"low": {"value": 3}, "high": {"value": 5}},
    }
    assert rows(condition, "onset-age") == [
        (QUANTITY, Decimal(3), None, None, None),
        (QUANTITY, Decimal(5), None, None, None),
    ]


def test_a_probability_is_a_number_with_its_digits() -> None:
    risk = {
        "resourceType": "RiskAssessment",
        "prediction": [{"probabilityDecimal": Decimal("0.10")}],
    }
    ((kind, number),) = rows(risk, "probability")
    assert (kind, str(number)) == (NUMBER, "0.10")


def test_a_variant_is_found_by_the_chromosome_of_its_sequence() -> None:
    sequence = {
        "resourceType": "MolecularSequence",
        "referenceSeq": {"chromosome": {"coding": [{"code": "1"}]}},
        "variant": [{"start": 5, "end": 9}, {"start": 11}],
    }
    assert rows(sequence, "chromosome-variant-coordinate") == [
        (COMPOSITE, (TOKEN, None, "1"), (NUMBER, Decimal(5)), (NUMBER, Decimal(9)))
    ]


def test_a_message_is_found_by_its_header() -> None:
    header = {"resourceType": "MessageHeader", "id": "h"}
    bundle = {"resourceType": "Bundle", "type": "message", "entry": [{"resource": header}, {}]}
    assert rows(bundle, "message") == [(REFERENCE, "MessageHeader/h")]


def test_each_row_stands_once() -> None:
    coding = {"system": LOINC, "code": "1"}
    resource = {**BLOOD_PRESSURE, "code": {"coding": [coding, coding]}}
    assert rows(resource, "code") == [(TOKEN, LOINC, "1")]


def test_what_is_left_out_of_the_parameters_is_said() -> None:
    assert all(name not in found for found in PARAMETERS.values() for name in LEFT_OUT)


def test_every_example_gives_rows_that_can_be_stored(examples: list[dict[str, str]]) -> None:
    for example in examples:
        resource = serialization.decode(example["text"])
        for row in extract(resource):
            name = row[0].removesuffix(":identifier").removesuffix(":of-type")
            assert name in PARAMETERS[resource["resourceType"]]
            assert hash(row) is not None


def test_generated_records_are_found_by_patient_code_and_date(
    generated_bundles: Callable[[], Iterator[tuple[Path, dict[str, Any]]]],
) -> None:
    _, bundle = next(generated_bundles())
    for resource in (entry["resource"] for entry in bundle["entry"]):
        if resource["resourceType"] == "Observation":
            names = {row[0] for row in extract(resource)}
            assert {"code", "status", "subject", "encounter", "date", "category"} <= names
