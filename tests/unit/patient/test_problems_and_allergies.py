"""Diagnoses and allergies as the chart lists them."""

from __future__ import annotations

from typing import Any

import pytest

from helsevev.patient.allergies import allergies
from helsevev.patient.contacts import contacts
from helsevev.patient.problems import problems


def condition(text: str, status: str = "active", **elements: Any) -> dict[str, Any]:
    clinical = {"clinicalStatus": {"coding": [{"code": status}]}} if status else {}
    return {"resourceType": "Condition", "code": {"text": text}, **clinical, **elements}


def allergy(text: str, **elements: Any) -> dict[str, Any]:
    return {"resourceType": "AllergyIntolerance", "code": {"text": text}, **elements}


@pytest.mark.parametrize(
    ("status", "place"),
    [("active", "active"), ("recurrence", "active"), ("relapse", "active"), ("", "active"),
     ("inactive", "inactive"), ("remission", "inactive"), ("resolved", "inactive")],
)  # fmt: skip
def test_a_problem_stands_where_its_clinical_status_says(status: str, place: str) -> None:
    shown = problems([condition("Asthma", status)])
    assert [p.text for p in getattr(shown, place)] == ["Asthma"]


def test_refuted_and_mistaken_diagnoses_are_not_shown() -> None:
    refuted: dict[str, Any] = {"verificationStatus": {"coding": [{"code": "refuted"}]}}
    mistake: dict[str, Any] = {"verificationStatus": {"coding": [{"code": "entered-in-error"}]}}
    shown = problems([condition("A", **refuted), condition("B", **mistake)])
    assert shown.active == shown.inactive == ()


def test_a_suspicion_is_marked_as_one() -> None:
    suspected: dict[str, Any] = {"verificationStatus": {"coding": [{"code": "provisional"}]}}
    assert problems([condition("Embolism", **suspected)]).active[0].is_uncertain


def test_the_same_past_illness_many_times_is_one_line_with_the_newest_time() -> None:
    colds = [condition("Cold", "resolved", onsetDateTime=f"20{year}") for year in (18, 22, 20)]
    (line,) = problems(colds).inactive
    assert (line.times, line.since and line.since.text) == (3, "2022")


def test_the_problem_list_stands_before_diagnoses_of_single_contacts() -> None:
    listed: dict[str, Any] = {"category": [{"coding": [{"code": "problem-list-item"}]}]}
    shown = problems([
        condition("Cough", onsetDateTime="2026-01-01"),
        condition("Diabetes", onsetDateTime="2001", **listed),
    ])  # fmt: skip
    assert [p.text for p in shown.active] == ["Diabetes", "Cough"]


def test_nobody_is_said_to_be_without_allergies_unless_someone_wrote_it() -> None:
    none_known = allergy("NKA")
    none_known["code"] = {"coding": [{"system": "http://snomed.info/sct", "code": "716186003"}]}
    assert allergies([]).status == "unknown"
    assert allergies([none_known]).status == "none-known"
    assert allergies([none_known, allergy("Penicillin")]).status == "recorded"


def test_the_most_dangerous_allergy_comes_first() -> None:
    severe = {"reaction": [{"severity": "severe", "manifestation": [{"text": "Anaphylaxis"}]}]}
    shown = allergies([
        allergy("Birch", criticality="low"), allergy("Nuts", **severe), allergy("Latex"),
    ])  # fmt: skip
    assert [a.substance for a in shown.active] == ["Nuts", "Latex", "Birch"]
    assert shown.active[0].is_dangerous
    assert shown.active[0].reactions == ("Anaphylaxis",)


def test_a_refuted_allergy_no_longer_warns() -> None:
    refuted: dict[str, Any] = {"verificationStatus": {"coding": [{"code": "refuted"}]}}
    assert allergies([allergy("Penicillin", **refuted)]).active == ()


def test_contacts_are_sorted_into_now_coming_and_past() -> None:
    shown = contacts([
        {"status": "finished", "period": {"start": "2026-01-01"}},
        {"status": "planned", "period": {"start": "2026-12-24"}},
        {"status": "planned", "period": {"start": "2026-12-01"}},
        {"status": "in-progress", "period": {"start": "2026-11-20"}},
        {"status": "cancelled", "period": {"start": "2026-11-19"}},
        {"status": "entered-in-error", "period": {"start": "2026-11-18"}},
    ])  # fmt: skip
    assert len(shown.ongoing) == len(shown.past) == 1
    assert [c.start and c.start.text for c in shown.expected] == ["2026-12-01", "2026-12-24"]
