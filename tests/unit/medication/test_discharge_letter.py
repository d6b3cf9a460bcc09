"""The letter's medicines are the list, its hash is the list's, and no part of it is ever blank."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helsevev.fhir.validation import validate
from helsevev.medication.panel import medicines
from helsevev.medication.prescription import NotPrescribable, Prescriber
from helsevev.medication.reconciliation.letter import (
    Section,
    compose,
    document,
    fingerprint,
    hash_of,
    medicines_section,
    words_section,
)
from helsevev.medication.reconciliation.letter_reading import parts_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DOCTOR = Prescriber("Practitioner/lege", "Lege Legesen")


def line(number: int, name: str, amount: Decimal, often: int, status: str) -> dict[str, Any]:
    return {
        "resourceType": "MedicationStatement", "id": f"l{number}", "status": status,
        "meta": {"versionId": "1"}, "subject": {"reference": "Patient/anne"},
        "medicationCodeableConcept": {
            "text": name, "coding": [{"system": "http://www.whocc.no/atc", "code": "N02BE01"}],
        },
        "dosage": [{
            "timing": {"repeat": {"frequency": often, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": {"value": amount, "unit": "tablett"}}],
        }],
    }  # fmt: skip


LINES = st.lists(
    st.tuples(
        st.text(st.characters(codec="utf-8", categories=["L", "Nd", "Po", "Sm"]), min_size=1),
        st.decimals("0.5", "20", places=1), st.integers(1, 6),
        st.sampled_from(["active", "on-hold"]),
    ),
    max_size=12,
)  # fmt: skip


def listed(drawn: list[Any]) -> list[dict[str, Any]]:
    return [line(number, *each) for number, each in enumerate(drawn)]


def groups(lines: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    found = medicines([], lines, now=NOW)
    names = ("regular", "as_needed", "course", "paused", "uncertain")
    return [(name.replace("_", "-"), getattr(found, name)) for name in names]


def letter(section: Section) -> dict[str, Any]:
    return compose(
        [section], patient_id="anne", author=DOCTOR, custodian=("Organization/ward", "Ward"),
        at=NOW, encounter="Encounter/stay", key="6f0c1b1e-0000-4000-8000-000000000000",
    )  # fmt: skip


@given(LINES)
@settings(max_examples=25)
def test_every_line_of_the_list_stands_in_the_letter_with_its_dose(drawn: list[Any]) -> None:
    lines = listed(drawn)
    section = medicines_section(groups(lines), lines, readable=True, reconciled=True)
    made = letter(section)
    assert [i for i in validate(made) if i.severity == "error"] == []
    read = parts_of(made["section"][0]["text"]["div"])
    rows = [row for part in read for row in part.rows[1:]]
    expected = [(m.name.strip(), m.dose_text) for _group, each in groups(lines) for m in each]
    assert len(rows) == len(expected) == len(lines)
    for row, (name, dose) in zip(rows, expected, strict=True):
        assert row[0].split(" (")[0].startswith(name[:3].strip())
        assert dose in row[1]
    assert hash_of(made) == fingerprint(lines)


@given(LINES, st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_the_hash_knows_nothing_but_the_content_of_the_list(drawn: list[Any], chance: Any) -> None:
    lines = listed(drawn)
    before = fingerprint(lines)
    other = copy.deepcopy(lines)
    chance.shuffle(other)
    for each in other:
        each["meta"] = {"versionId": "9"}
        each["id"] = f"other-{each['id']}"
        given_ = each["dosage"][0]["doseAndRate"][0]["doseQuantity"]
        given_["value"] = Decimal(f"{given_['value']}00")
    assert fingerprint(other) == before


@pytest.mark.parametrize("change", ["dose", "often", "status", "gone", "more"])
def test_any_change_of_the_list_is_another_hash(change: str) -> None:
    lines = listed([("Paracet", Decimal(1), 3, "active"), ("Ibux", Decimal(2), 2, "active")])
    before = fingerprint(lines)
    if change == "dose":
        lines[0]["dosage"][0]["doseAndRate"][0]["doseQuantity"]["value"] = Decimal("1.5")
    elif change == "often":
        lines[0]["dosage"][0]["timing"]["repeat"]["frequency"] = 4
    elif change == "status":
        lines[1]["status"] = "on-hold"
    elif change == "gone":
        del lines[1]
    else:
        lines.append(line(7, "Marevan", Decimal(1), 1, "active"))
    assert fingerprint(lines) != before


def test_no_medicines_and_a_list_that_could_not_be_read_are_said_in_words() -> None:
    none = medicines_section([], [], readable=True, reconciled=True)
    assert (none.lines[0], none.nothing) == ("Ingen legemidler i bruk er registrert.", "nilknown")
    unread = medicines_section([], [], readable=False, reconciled=False)
    assert unread.lines[0] == "Legemiddellisten kunne ikke leses."
    assert unread.nothing == "unavailable"
    assert any("ikke samstemt" in said for said in unread.lines)
    for section in (none, unread):
        assert letter(section)["section"][0]["text"]["div"].count("<p>") >= 1


def test_a_part_that_was_withheld_is_told_beside_what_was_read() -> None:
    lines = listed([("Paracet", Decimal(1), 3, "active")])
    section = medicines_section(groups(lines), lines, readable=False, reconciled=True)
    assert len(section.rows) == 2
    assert section.lines == (
        "En del av listen kunne ikke leses av den som skrev dette: spør før bruk.",
    )


def test_a_blank_part_is_never_signed() -> None:
    with pytest.raises(NotPrescribable):
        letter(Section("Forløp", ("  ",)))
    assert words_section("Diagnoser", ["", " "], "Ingen registrert.").lines == (
        "Ingen registrert.",
    )


def test_the_page_that_was_signed_is_kept_beside_the_letter() -> None:
    made = letter(words_section("Forløp", ["Bedre."], "–"))
    kept = document(made, "Composition/x", "<p>Bedre.</p>")
    assert [i for i in validate({**kept, "id": "d"}) if i.severity == "error"] == []
    assert kept["content"][0]["attachment"]["size"] == len("<p>Bedre.</p>")
    assert kept["context"]["related"] == [{"reference": "Composition/x"}]


def test_markup_in_a_narrative_is_read_as_text_and_never_passed_on() -> None:
    div = '<div><p>a &lt;b&gt;</p><script>alert(1)</script><img src=x onerror="y"><p>c</p></div>'
    assert [part.line for part in parts_of(div)] == ["a <b>", "c"]
