"""A round of vital signs: what is typed becomes Observations, and nothing else does."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.access.entries import created, transaction
from helsevev.content import loading
from helsevev.content.score_shapes import ScoreCase
from helsevev.fhir.validation import validate
from helsevev.observation.news2 import score
from helsevev.observation.results import results
from helsevev.observation.vital_signs import (
    NotRecordable,
    Performer,
    Person,
    age_in_months,
    check,
    read_form,
    record_vital_signs,
    taken_at,
)

SIGNS, NEWS2 = loading.vital_signs(), loading.news2()
NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
KEY = UUID("6f1f8a3e-0000-4000-8000-000000000001")
ADULT = Person("p", 80 * 12)
CHILD = Person("p", 18)
COMPLETE = {
    "respiration": "22", "saturation": "93", "oxygen": "2", "systolic": "98", "diastolic": "55",
    "pulse": "112", "temperature": "38,6", "consciousness": "A",
}  # fmt: skip


def recorded(form: dict[str, str], person: Person = ADULT) -> list[dict[str, Any]]:
    made = record_vital_signs(
        form, person=person, performer=Performer("Practitioner/k", "Kari Vik"), at=NOW,
        signs=SIGNS, table=NEWS2, encounter="Encounter/e", key=KEY,
    )  # fmt: skip
    return [resource for _url, resource in made]


def issues(form: dict[str, str], person: Person = ADULT) -> dict[str, str]:
    taken = read_form(form, person, SIGNS, NEWS2)
    return {issue.expression: issue.diagnostics for issue in taken.issues}


@pytest.mark.parametrize("case", NEWS2.case, ids=lambda case: case.name)
def test_news2_gives_the_totals_of_its_worked_examples(case: ScoreCase) -> None:
    values = {
        "respiration": Decimal(case.respiration), "saturation": Decimal(case.saturation),
        "oxygen": Decimal(2 if case.oxygen else 0), "systolic": Decimal(case.systolic),
        "pulse": Decimal(case.pulse), "temperature": case.temperature,
    }  # fmt: skip
    assert score(values, case.consciousness, NEWS2, scale_2=case.scale_2).total == case.total


def test_a_score_with_a_part_missing_is_no_score() -> None:
    taken = read_form({**COMPLETE, "oxygen": ""}, ADULT, SIGNS, NEWS2)
    assert taken.score is not None
    assert (taken.score.total, taken.score.missing) == (None, ("oxygen",))
    assert taken.score.subtotal > 0


def test_a_score_that_already_asks_for_the_most_says_so_before_it_is_complete() -> None:
    form = {"respiration": "30", "saturation": "85", "systolic": "80"}
    taken = read_form(form, ADULT, SIGNS, NEWS2)
    assert taken.score is not None
    assert taken.score.response is not None
    assert taken.score.response.risk == "high"
    mild = read_form({"respiration": "22"}, ADULT, SIGNS, NEWS2)
    assert mild.score is not None
    assert mild.score.response is None


def test_scale_2_waits_for_whether_oxygen_is_given() -> None:
    form = {**COMPLETE, "oxygen": "", "scale_2": "1"}
    taken = read_form(form, ADULT, SIGNS, NEWS2)
    assert taken.score is not None
    assert taken.score.missing == ("saturation", "oxygen")


def test_children_get_no_news2() -> None:
    assert read_form(COMPLETE, CHILD, SIGNS, NEWS2).score is None
    codes = {r["code"]["text"] for r in recorded(COMPLETE, CHILD)}
    assert NEWS2.title not in codes


@pytest.mark.parametrize("code", ["Z34.0", "O24.4", "W78"])
def test_the_pregnant_get_no_news2_and_are_told_why(code: str) -> None:
    pregnant = Person("p", 30 * 12, frozenset({code, "I10"}))
    assert read_form(COMPLETE, pregnant, SIGNS, NEWS2).score is None
    assert pregnant.excluded_by(NEWS2)


def test_other_problems_do_not_hide_news2() -> None:
    ill = Person("p", 30 * 12, frozenset({"I50.0", "J44.1", "Z95.0", "W99"}))
    assert read_form(COMPLETE, ill, SIGNS, NEWS2).score is not None


def test_a_complete_round_becomes_one_observation_each_and_a_score_derived_from_them() -> None:
    made = recorded(COMPLETE)
    assert len(made) == 8
    total = made[-1]
    assert total["code"]["coding"][0]["code"] == NEWS2.snomed
    assert total["valueQuantity"]["value"] == 11
    assert len(total["derivedFrom"]) == 7
    assert len(total["component"]) == 7
    assert total["interpretation"][0]["coding"][0]["code"] == "HH"


def test_every_observation_names_the_patient_the_time_and_who_measured() -> None:
    for resource in recorded(COMPLETE):
        assert resource["subject"] == {"reference": "Patient/p"}
        assert resource["encounter"] == {"reference": "Encounter/e"}
        assert resource["effectiveDateTime"] == "2026-11-21T12:30:00+00:00"
        assert resource["performer"][0]["reference"] == "Practitioner/k"


def test_every_observation_that_the_form_makes_is_valid_fhir() -> None:
    for resource in recorded({**COMPLETE, "pain": "3", "weight": "72,500"}):
        assert [issue for issue in validate(resource) if issue.is_error] == []
        assert check(resource) == []


def test_digits_are_recorded_as_typed() -> None:
    (temperature,) = recorded({"temperature": "37,0"})
    assert str(temperature["valueQuantity"]["value"]) == "37.0"


def test_the_normal_range_is_the_one_of_the_age() -> None:
    (adult,), (child,) = recorded({"pulse": "120"}), recorded({"pulse": "120"}, CHILD)
    assert adult["referenceRange"][0]["high"]["value"] == 100
    assert child["referenceRange"][0]["high"]["value"] == 150
    (unknown,) = recorded({"pulse": "120"}, Person("p", None))
    assert "referenceRange" not in unknown


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"pulse": "abc"}, "pulse"),
        ({"pulse": "72.5"}, "pulse"),
        ({"pulse": "720"}, "pulse"),
        ({"temperature": "38,65"}, "temperature"),
        ({"temperature": "386"}, "temperature"),
        ({"saturation": "101"}, "saturation"),
        ({"diastolic": "80"}, "systolic"),
        ({"systolic": "80", "diastolic": "120"}, "diastolic"),
        ({"consciousness": "X"}, "consciousness"),
    ],
)
def test_what_cannot_be_true_is_refused_at_its_field(form: dict[str, str], field: str) -> None:
    assert list(issues(form)) == [field]
    with pytest.raises(NotRecordable):
        recorded(form)


def test_an_empty_form_is_not_recorded() -> None:
    with pytest.raises(NotRecordable):
        recorded({})


def test_systolic_pressure_alone_is_recorded_without_inventing_the_other() -> None:
    (pressure,) = recorded({"systolic": "90"})
    assert [c["code"]["coding"][0]["code"] for c in pressure["component"]] == ["8480-6"]


def test_a_time_that_has_not_come_is_refused() -> None:
    assert taken_at("", NOW) == NOW
    assert taken_at("2026-11-21T12:00", NOW) == datetime(2026, 11, 21, 11, tzinfo=UTC)
    for typed in ("2026-11-21T23:00", "yesterday", "2026-11-21"):
        with pytest.raises(NotRecordable):
            taken_at(typed, NOW)


@given(st.dictionaries(st.sampled_from([*COMPLETE, "scale_2", "weight"]), st.text(max_size=8)))
def test_whatever_is_typed_gives_an_answer_and_never_a_guess(form: dict[str, str]) -> None:
    taken = read_form(form, ADULT, SIGNS, NEWS2)
    for key, value in taken.values.items():
        assert Decimal("".join(form[key].split()).replace(",", ".").replace("−", "-")) == value


def test_a_round_is_stored_whole_or_not_at_all() -> None:
    made = record_vital_signs(
        COMPLETE, person=ADULT, performer=Performer("Practitioner/k", "K"), at=NOW, signs=SIGNS,
        table=NEWS2, key=KEY,
    )  # fmt: skip
    bundle = transaction(created(resource, url) for url, resource in made)
    urls = {entry["fullUrl"] for entry in bundle["entry"]}
    assert bundle["type"] == "transaction"
    assert {d["reference"] for d in made[-1][1]["derivedFrom"]} < urls


def test_what_was_recorded_reads_back_in_the_chart() -> None:
    series = {s.code: s for s in results(recorded(COMPLETE))}
    assert series[NEWS2.snomed].latest.judgement is not None
    assert series["85354-9"].latest.is_abnormal is False
    assert series["8867-4"].latest.is_abnormal


@pytest.mark.parametrize(
    ("born", "months"), [("2026-11-21", 0), ("2025-11-22", 11), ("1946-01-01", 970), (None, None)]
)
def test_age_is_counted_in_whole_months(born: str | None, months: int | None) -> None:
    birth = date.fromisoformat(born) if born else None
    assert age_in_months(birth, date(2026, 11, 21)) == months


@pytest.mark.parametrize(
    ("value", "unit", "code", "refused"),
    [(Decimal(-1), "/min", "8867-4", True), (Decimal(101), "%", "2708-6", True),
     (Decimal(-3), "Cel", "8310-5", False), (Decimal(100), "%", "2708-6", False)],
)  # fmt: skip
def test_impossible_vital_signs_are_refused_at_every_door(
    value: Decimal, unit: str, code: str, refused: bool
) -> None:
    observation = {
        "category": [{"coding": [{"code": "vital-signs"}]}], "code": {"coding": [{"code": code}]},
        "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": unit},
    }  # fmt: skip
    assert bool(check(observation)) is refused
