"""The list of medicines: what is in use, how, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from helsevev.medication.dosage import doses
from helsevev.medication.panel import medicines

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def order(name: str = "Metoprolol", **elements: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest", "id": name, "status": "active", "intent": "order",
        "medicationCodeableConcept": {"text": name}, **elements,
    }  # fmt: skip


def statement(name: str, **elements: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationStatement", "id": name, "status": "active",
        "medicationCodeableConcept": {"text": name}, **elements,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("elements", "group"),
    [
        ({}, "regular"),
        ({"dosageInstruction": [{"asNeededBoolean": True}]}, "as_needed"),
        ({"dosageInstruction": [{"asNeededCodeableConcept": {"text": "pain"}}]}, "as_needed"),
        ({"dosageInstruction": [{"asNeededBoolean": True}, {"text": "1 x 1"}]}, "regular"),
        ({"status": "on-hold"}, "paused"),
        ({"status": "stopped"}, "stopped"),
        ({"status": "completed"}, "stopped"),
        ({"status": "cancelled"}, "stopped"),
        ({"status": "draft"}, "planned"),
        ({"intent": "proposal"}, "planned"),
        ({"status": "unknown"}, "uncertain"),
        ({"status": None}, "uncertain"),
    ],
)
def test_a_medicine_stands_in_the_group_its_order_says(
    elements: dict[str, Any], group: str
) -> None:
    shown = medicines([order(**elements)], now=NOW)
    assert [m.name for m in getattr(shown, group)] == ["Metoprolol"]


def test_a_mistaken_order_is_not_shown() -> None:
    assert medicines([order(status="entered-in-error")], now=NOW).is_empty


def test_a_statement_stands_for_the_order_it_is_based_on() -> None:
    based = statement("Metoprolol depot", basedOn=[{"reference": "MedicationRequest/Metoprolol"}])
    shown = medicines([order()], [based], now=NOW)
    assert [m.name for m in shown.in_use] == ["Metoprolol depot"]


def test_the_same_medicine_twice_in_use_is_marked() -> None:
    code = {"coding": [{"system": "http://www.whocc.no/atc", "code": "B01AC06"}]}
    twice = [
        order("Albyl-E", medicationCodeableConcept={**code, "text": "Albyl-E"}),
        order("Acetylsalisylsyre", medicationCodeableConcept={**code, "text": "ASA"}),
        order("Metoprolol"),
    ]
    shown = medicines(twice, now=NOW)
    assert {m.name: m.is_repeated for m in shown.regular} == {
        "Albyl-E": True, "ASA": True, "Metoprolol": False,
    }  # fmt: skip


def test_the_medicine_is_named_by_the_medication_it_refers_to() -> None:
    product = {"resourceType": "Medication", "id": "m1", "code": {"text": "Paracet 500 mg"}}
    referred = order(medicationCodeableConcept=None, medicationReference={
        "reference": "Medication/m1"})  # fmt: skip
    held = order(
        medicationCodeableConcept=None,
        contained=[{"resourceType": "Medication", "id": "x", "code": {"text": "Ibux"}}],
        medicationReference={"reference": "#x"},
    )
    shown = medicines([referred, held], medications=[product], now=NOW)
    assert [m.name for m in shown.regular] == ["Ibux", "Paracet 500 mg"]


def test_an_active_medicine_past_its_last_day_says_so_and_stays_in_use() -> None:
    over = statement("Penicillin", effectivePeriod={"start": "2026-11-01", "end": "2026-11-08"})
    today = statement("Prednisolon", effectivePeriod={"end": "2026-11-21"})
    shown = medicines([], [over, today], now=NOW)
    assert {m.name: m.has_passed_end for m in shown.regular} == {
        "Penicillin": True, "Prednisolon": False,
    }  # fmt: skip


def repeat(**elements: Any) -> dict[str, Any]:
    return {"timing": {"repeat": elements}}


TABLET = {"doseAndRate": [{"doseQuantity": {"value": Decimal("1.0"), "unit": "tablett"}}]}


@pytest.mark.parametrize(
    ("dosage", "text"),
    [
        ({"text": "1 tablett morgen"}, "1 tablett morgen"),
        ({**TABLET}, "1 tablett"),
        ({**TABLET, **repeat(frequency=3, period=1, periodUnit="d")}, "1 tablett, 3 times daily"),
        (repeat(frequency=1, period=1, periodUnit="d"), "once daily"),
        (repeat(frequency=1, period=72, periodUnit="h"), "every 72 hours"),
        (repeat(frequency=1, period=4, periodMax=6, periodUnit="h"), "every 4–6 hours"),
        (repeat(frequency=2, frequencyMax=4, period=1, periodUnit="d"), "2–4 times daily"),
        (repeat(frequency=1, period=1, periodUnit="wk", dayOfWeek=["mon"]), "once a week, Monday"),
        (repeat(timeOfDay=["08:00:00", "20:00:00"]), "at 08:00, 20:00"),
        (repeat(period=1, periodUnit="d", when=["MORN"]), "in the morning"),
        ({"timing": {"code": {"text": "BID"}}}, "BID"),
        ({"doseAndRate": [{"doseRange": {"low": {"value": 5}, "high": {
            "value": 10, "unit": "mg"}}}]}, "5–10 mg"),
        ({"doseAndRate": [{"rateRatio": {"numerator": {"value": 40, "unit": "ml"},
            "denominator": {"value": 1, "unit": "h"}}}]}, "40 ml/hour"),
        ({}, ""),
    ],
)  # fmt: skip
def test_a_dosage_reads_as_it_is_said(
    dosage: dict[str, Any], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("helsevev.medication.dosage._", lambda message: message)
    assert doses([dosage])[0].text == text


def test_a_dose_has_no_trailing_zero_that_could_be_misread() -> None:
    (dose,) = doses([{"doseAndRate": [{"doseQuantity": {"value": Decimal("2.50"), "unit": "mg"}}]}])
    assert dose.text == "2,5 mg"
