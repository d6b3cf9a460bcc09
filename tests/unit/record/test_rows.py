"""What a resource leaves to be found by: its code, its dates, its keys, its words."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from helsevev.fhir import dates
from helsevev.record import keys, rows
from helsevev.record.rows import (
    ELSEWHERE,
    NO_CODE,
    NO_DATE,
    Row,
    leading_hash,
    presence_hash,
    reference_hash,
    token_hash,
    unit_hash,
)

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
KARI = keys.patient_key("kari")
NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


def row_of(**elements: Any) -> Row:
    resource = {"id": "x", **elements}
    stamped = rows.stamped(resource, 1, NOW)
    return rows.build(stamped, 1, rows.locality(resource))


def observation(**elements: Any) -> Row:
    return row_of(
        resourceType="Observation",
        status="final",
        subject={"reference": "Patient/kari"},
        **({"code": {"coding": [{"system": LOINC, "code": "8867-4"}]}} | elements),
    )


def test_a_measurement_is_kept_with_its_inhabitant_under_its_code_and_date() -> None:
    row = observation(effectiveDateTime="2026-01-01T10:00:00Z")
    assert row.patient == KARI
    assert row.code == leading_hash(LOINC, "8867-4")
    assert (row.date_low, row.date_high) == dates.bounds("2026-01-01T10:00:00Z")
    assert row.codings == [("8867-4", LOINC, row.code, True)]
    assert row.dates == []
    assert row.in_directory


def test_whose_it_is_needs_no_key_of_its_own() -> None:
    row = observation()
    assert reference_hash("subject", "Patient/kari") not in row.keys
    assert reference_hash("patient", "Patient/kari") not in row.keys
    assert ELSEWHERE not in row.tokens


def test_one_who_only_took_part_is_not_its_subject() -> None:
    row = row_of(
        resourceType="Observation",
        status="final",
        code={"text": "x"},
        performer=[{"reference": "Patient/kari"}],
    )
    assert row.patient == KARI
    assert reference_hash("performer", "Patient/kari") in row.keys
    assert ELSEWHERE in row.tokens


def test_the_second_coding_is_found_too() -> None:
    row = observation(
        code={"coding": [{"system": LOINC, "code": "a"}, {"system": "urn:s", "code": "b"}]}
    )
    assert row.code == leading_hash(LOINC, "a")
    assert token_hash("code", "urn:s", "b") in row.keys
    assert token_hash("code", None, "b") in row.keys
    assert token_hash("code", "urn:s", None) in row.keys
    assert [c[3] for c in row.codings] == [True, False]


def test_a_code_without_system_is_found_without_one() -> None:
    row = observation(code={"coding": [{"code": "a"}]})
    assert row.code == NO_CODE
    assert {token_hash("code", "", "a"), token_hash("code", None, "a")} <= set(row.keys)
    assert presence_hash("code") in row.tokens


def test_common_values_are_no_index_entries() -> None:
    row = observation()
    assert token_hash("status", None, "final") in row.tokens
    assert token_hash("status", None, "final") not in row.keys


def test_a_quantity_keeps_every_digit_and_is_found_by_code_and_by_word() -> None:
    row = observation(
        valueQuantity={
            "value": Decimal("72.50"),
            "unit": "slag/min",
            "system": UCUM,
            "code": "/min",
        }
    )
    coded = unit_hash(UCUM, "/min")
    assert row.quantities == [
        ("value-quantity", unit_hash(None, "/min"), coded, Decimal("72.50"), row.code),
        ("value-quantity", unit_hash(None, "slag/min"), coded, Decimal("72.50"), row.code),
    ]
    assert str(row.quantities[0][3]) == "72.50"


def test_a_unit_in_words_is_no_code_of_its_system() -> None:
    row = observation(valueQuantity={"value": Decimal(1), "unit": "mg", "system": UCUM})
    assert row.quantities == [("value-quantity", unit_hash(None, "mg"), 0, Decimal(1), row.code)]


def test_a_resource_without_date_or_code_says_so() -> None:
    row = row_of(resourceType="Organization", name="Østmarka sykehus")
    assert (row.code, row.date_low, row.date_high) == (NO_CODE, NO_DATE, NO_DATE)
    assert ("name", "østmarka sykehus\x01Østmarka sykehus") in row.strings
    assert not row.in_directory


def test_a_long_text_is_cut_where_a_letter_ends() -> None:
    for text in ("æ" * 5000, "x" * 5000, "😀" * 1000, "a" + "ø" * 601):
        row = row_of(resourceType="Organization", name=text)
        value = row.strings[0][1]
        assert len(value.encode()) < 2600
        assert text.casefold().startswith(value.partition("\x01")[0])
    other = row_of(resourceType="Organization", name="x" * 4999 + "y")
    assert other.strings != row_of(resourceType="Organization", name="x" * 5000).strings


def test_version_and_time_are_written_into_what_is_stored() -> None:
    stamped = rows.stamped({"resourceType": "Patient", "id": "p", "meta": {"tag": []}}, 3, NOW)
    assert stamped["meta"] == {
        "tag": [], "versionId": "3", "lastUpdated": "2026-01-02T03:04:05.000678Z"
    }  # fmt: skip


def test_parts_of_a_hashed_value_cannot_change_places() -> None:
    seen = [
        token_hash("a", "b", "c"), token_hash("a", "bc", ""), token_hash("a", "", "bc"),
        token_hash("a", None, "c"), token_hash("a", "c", None), token_hash("ab", "", "c"),
        token_hash("a", "\x00", "c"), token_hash("a", "b\x02\x01c", ""),
    ]  # fmt: skip
    assert len(set(seen)) == len(seen)


def test_where_each_kind_is_kept() -> None:
    assert rows.locality({"resourceType": "Patient", "id": "kari"}) == KARI
    assert rows.locality({"resourceType": "Organization", "id": "o"}) == keys.REFERENCE
    assert rows.locality({"resourceType": "Observation", "id": "o"}) == keys.UNASSIGNED
    kari = {"reference": "Patient/kari"}
    assert rows.locality({"resourceType": "Device", "id": "d", "patient": kari}) == KARI
    assert rows.locality({"resourceType": "Device", "id": "d"}) == keys.REFERENCE
    assert rows.locality({"resourceType": "Binary", "id": "b"}) == keys.UNASSIGNED
