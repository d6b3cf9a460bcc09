"""A NEWS2 above its limit calls a named person, once, and moves on when nobody answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from helsevev.content import loading
from helsevev.follow_up.coding import Who
from helsevev.follow_up.standing import standing_of
from helsevev.observation.deterioration import called_for
from helsevev.observation.news2 import Score, score, told

NOW = datetime(2026, 3, 10, 14, 20, tzinfo=UTC)
NURSE = Who("Practitioner/nurse", "Nora Nurse")
WARD = Who("Organization/ward", "Ward")
STAY = {
    "status": "in-progress",
    "serviceProvider": {"reference": "Organization/lungs", "display": "Lungs"},
    "participant": [{
        "type": [{"coding": [{"code": "ATND"}]}],
        "individual": {"reference": "Practitioner/doctor", "display": "Dora Doctor"},
    }],
}  # fmt: skip
WELL = {"respiration": 16, "saturation": 97, "oxygen": 0, "systolic": 124, "pulse": 72}
HIGH = {"respiration": 26, "saturation": 90, "oxygen": 2, "systolic": 98, "pulse": 118}
MEDIUM = {"respiration": 22, "saturation": 94, "oxygen": 2, "systolic": 124, "pulse": 72}


def news2(values: dict[str, int], letter: str = "A") -> Score:
    numbers = {key: Decimal(value) for key, value in {**values, "temperature": 37}.items()}
    return score(numbers, letter, loading.news2())


def call(
    found: Score, *, at: datetime = NOW, stays: list[Any] | None = None, tasks: Sequence[Any] = (),
    url: str = "urn:uuid:1",
) -> dict[str, Any] | None:  # fmt: skip
    return called_for(
        found, url, patient_id="p", at=at, measurer=NURSE, unit=WARD,
        encounters=[STAY] if stays is None else stays, tasks=tasks, table=loading.news2(), now=NOW,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "letter", "minutes"),
    [(WELL, "A", None), (HIGH, "A", 15), (MEDIUM, "A", 60), (WELL, "V", 60)],
    ids=["well", "seven or more", "five", "three in one part"],
)
def test_what_the_score_asks_for_is_asked_of_the_responsible_doctor(
    values: dict[str, int], letter: str, minutes: int | None
) -> None:
    task = call(news2(values, letter))
    if minutes is None:
        assert task is None
        return
    assert task is not None
    stands = standing_of(task)
    assert stands.owner == Who("Practitioner/doctor", "Dora Doctor")
    assert stands.unit.reference == "Organization/lungs"
    assert stands.due_at is not None
    assert timedelta(0) <= stands.due_at - NOW - timedelta(minutes=minutes) <= timedelta(seconds=1)
    assert task["focus"] == {"reference": "urn:uuid:1"}


def test_nobody_answers_and_the_unit_is_told_and_then_those_above_it() -> None:
    task = call(news2(HIGH))
    assert task is not None
    steps = standing_of(task).steps
    assert [each.to.reference or each.role for each in steps] == ["Organization/lungs", "above"]


def test_who_measured_is_called_where_the_record_names_nobody_else() -> None:
    task = call(news2(HIGH), stays=[])
    assert task is not None
    assert task["owner"]["reference"] == NURSE.reference


def test_a_call_that_nobody_has_ended_is_not_made_again_but_a_graver_one_is() -> None:
    medium = call(news2(MEDIUM))
    assert call(news2(MEDIUM), tasks=[medium], url="urn:uuid:2") is None
    assert call(news2(HIGH), tasks=[medium], url="urn:uuid:2") is not None
    ended = {**(medium or {}), "status": "completed"}
    assert call(news2(MEDIUM), tasks=[ended], url="urn:uuid:2") is not None


def test_the_same_form_sent_twice_makes_the_same_call() -> None:
    first = call(news2(HIGH))
    assert call(news2(HIGH), tasks=[first]) == first


def test_what_is_written_down_long_after_calls_nobody() -> None:
    assert call(news2(HIGH), at=NOW - timedelta(hours=3)) is None


def test_a_score_that_lacks_a_part_calls_nobody_yet() -> None:
    part = score({"respiration": Decimal(30)}, "", loading.news2())
    assert call(part) is None


@pytest.mark.parametrize(
    ("total", "points", "minutes"), [(7, (2, 3, 2), 15), (3, (3, 0, 0), 60), (3, (1, 1, 1), None)]
)
def test_a_score_that_a_form_made_calls_as_one_that_was_worked_out_here(
    total: int, points: tuple[int, ...], minutes: int | None
) -> None:
    table = loading.news2()
    said = told(
        {
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": table.snomed}]},
            "valueQuantity": {"value": total, "code": "{score}"},
            "component": [
                {"valueQuantity": {"value": 26, "code": "/min"}},
                *({"valueQuantity": {"value": each, "code": "{score}"}} for each in points),
            ],
        },
        table,
    )
    assert said is not None
    assert (call(said) is not None) == (minutes is not None)
    assert said.response is not None
    assert said.response.within_minutes == (minutes or 0)
