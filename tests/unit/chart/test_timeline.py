"""The timeline: all events, in order, found by kind and by word."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from helsevev.chart.timeline import matching, timeline, types


def resource(resource_type: str, **elements: Any) -> dict[str, Any]:
    return {"resourceType": resource_type, "id": resource_type.lower(), **elements}


PRESSURE = resource(
    "Observation",
    category=[{"coding": [{"code": "vital-signs"}]}],
    code={"text": "Blodtrykk"},
    effectiveDateTime="2026-11-20T08:00:00+01:00",
    component=[
        {"code": {"coding": [{"code": "8480-6"}]},
         "valueQuantity": {"value": Decimal("120"), "unit": "mmHg"}},
        {"code": {"coding": [{"code": "8462-4"}]},
         "valueQuantity": {"value": Decimal("80"), "unit": "mmHg"}},
    ],
)  # fmt: skip
STAY = resource(
    "Encounter", period={"start": "2026-11-19"}, type=[{"text": "Stay"}],
    serviceProvider={"display": "St. Olavs"},
)  # fmt: skip
UNDATED = resource("Condition", code={"text": "Asthma"})
RECORD = {"Observation": [PRESSURE], "Encounter": [STAY], "Condition": [UNDATED]}


def test_events_stand_newest_first_and_the_undated_last() -> None:
    assert [e.source for e in timeline(RECORD)] == ["Observation", "Encounter", "Condition"]


def test_a_measurement_shows_its_value_on_one_line() -> None:
    assert timeline(RECORD)[0].detail == "120/80 mmHg"
    assert timeline(RECORD)[0].kind == "measure"


def test_events_are_found_by_kind_and_by_every_word() -> None:
    events = timeline(RECORD)
    assert [e.source for e in matching(events, ["contact"])] == ["Encounter"]
    assert [e.source for e in matching(events, [], "olavs STAY")] == ["Encounter"]
    assert matching(events, ["problem"], "stay") == []
    assert matching(events, ["no such kind"]) == events


def test_bills_and_withdrawn_mistakes_are_no_events() -> None:
    mistaken = {**STAY, "status": "entered-in-error"}
    assert timeline({"Claim": [resource("Claim")], "Encounter": [mistaken]}) == []


def test_single_doses_are_shown_to_who_asks_for_them() -> None:
    given = resource("MedicationAdministration", effectiveDateTime="2026-11-20T09:00:00+01:00")
    events = timeline({**RECORD, "MedicationAdministration": [given]})
    assert "MedicationAdministration" not in [e.source for e in matching(events)]
    assert [e.source for e in matching(events, ["dose"])] == ["MedicationAdministration"]
    assert "MedicationAdministration" not in types()
    assert types(["dose"]) == {"MedicationAdministration"}


def test_the_timeline_reads_every_type_that_can_be_an_event() -> None:
    assert {"Encounter", "ClinicalImpression", "FamilyMemberHistory", "Observation"} <= types()
    assert types(["other"]).isdisjoint({"Encounter", "Claim", "AuditEvent", "Patient"})
    assert types(["measure"]) == {"Observation"}
