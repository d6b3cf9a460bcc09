"""The patient's own list says in plain words what is taken, on the page as in the PDF."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.medication.panel import medicines
from helsevev.medication.patient_list import Part, Row, plain_list
from helsevev.medication.patient_pdf import pdf_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def order(name: str, **more: Any) -> dict[str, Any]:
    """An order of two tablets twice a day."""
    return {
        "resourceType": "MedicationRequest", "id": name, "status": "active", "intent": "order",
        "medicationCodeableConcept": {"text": name},
        "dosageInstruction": [{
            "doseAndRate": [{"doseQuantity": {"value": 2, "unit": "tablett"}}],
            "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
        }],
        **more,
    }  # fmt: skip


def test_the_list_is_parted_by_how_medicines_are_taken_and_says_more_than_one_as_such() -> None:
    stopped = order("Marevan", status="stopped", statusReason={"text": "Byttet"})
    parts = plain_list(medicines([order("Paracet"), stopped], now=NOW))
    assert [(part.title, [row.name for row in part.rows]) for part in parts] == [
        ("Hver dag, eller slik det står", ["Paracet"]), ("Sluttet: ikke ta disse", ["Marevan"]),
    ]  # fmt: skip
    assert parts[0].rows[0].how == ("2 tabletter, 2 ganger daglig",)
    assert parts[1].rows[0].how[-1] == "Hvorfor: Byttet"


def test_a_medicine_without_a_dose_is_to_be_asked_about() -> None:
    (part,) = plain_list(medicines([order("Paracet", dosageInstruction=[])], now=NOW))
    assert part.rows[0].how == ("Spør hvordan du skal ta det.",)


@pytest.mark.parametrize("count", [0, 1, 120])
def test_the_pdf_has_as_many_pages_as_the_list_needs(count: int) -> None:
    parts = plain_list(medicines([order(f"Legemiddel {n}") for n in range(count)], now=NOW))
    made = pdf_of("Čáhppe Ødegård", "01.02.1950", parts, NOW)
    pages = len(re.findall(rb"/Type /Page\b", made))
    assert made.startswith(b"%PDF-")
    assert (pages > 2) == (count > 100)
    assert b"nb-NO" in made


@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_somebody_is_called_is_drawn(name: str, medicine: str) -> None:
    part = Part("Hver dag", "", (Row(medicine, "", (medicine,), name, "2026"),))
    assert pdf_of(name, "", (part,), NOW).startswith(b"%PDF-")
