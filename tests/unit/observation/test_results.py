"""Results: values as sent, judged only by what was sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.observation.reading import reading
from helsevev.observation.results import pair, results, trends


def measured(value: str | None = "5.10", unit: str = "mmol/L", **elements: Any) -> dict[str, Any]:
    quantity = {"valueQuantity": {"value": Decimal(value), "unit": unit}} if value else {}
    return {
        "resourceType": "Observation", "id": "o", "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "urn:nlk", "code": "NPU03230"}], "text": "Kalium"},
        "effectiveDateTime": "2026-11-20T08:00:00+01:00", **quantity, **elements,
    }  # fmt: skip


def limits(low: str | None, high: str | None, unit: str = "mmol/L") -> dict[str, Any]:
    found: dict[str, Any] = {}
    if low:
        found["low"] = {"value": Decimal(low), "unit": unit}
    if high:
        found["high"] = {"value": Decimal(high), "unit": unit}
    return {"referenceRange": [found]}


def coded(code: str) -> dict[str, Any]:
    return {"interpretation": [{"coding": [{"code": code}]}]}


@pytest.mark.parametrize(
    ("elements", "kind"),
    [
        ({}, None),
        (coded("HH"), "critical-high"),
        (coded("N") | limits("1", "2"), ""),
        (limits("3.5", "5.0"), "high"),
        (limits("5.2", None), "low"),
        (limits("3.5", "5.1"), ""),
        (limits("3.5", "5.0", "mg/dL"), None),
        ({"interpretation": [{"text": "see comment"}]}, "abnormal"),
    ],
)
def test_a_value_is_judged_by_the_laboratory_or_by_its_own_range(
    elements: dict[str, Any], kind: str | None
) -> None:
    judgement = reading(measured(**elements)).judgement
    assert (judgement.kind if judgement else None) == kind


def test_a_limit_value_is_not_judged_when_it_could_be_either() -> None:
    below = measured(**limits("3.5", "5.0"))
    below["valueQuantity"]["comparator"] = "<"
    assert reading(below).judgement is None


def test_a_range_for_others_judges_nobody() -> None:
    child: dict[str, Any] = {
        "referenceRange": [{"high": {"value": Decimal(1)}, "age": {"high": {"value": 2}}}]
    }
    assert reading(measured(**child)).judgement is None


def test_digits_stay_as_they_were_sent() -> None:
    (series,) = results([measured("5.10")])
    part = series.latest.parts[0]
    assert part.amount is not None
    assert str(part.amount.value) == "5.10"


def test_the_newest_value_leads_its_series() -> None:
    days = [measured(str(day), effectiveDateTime=f"2026-11-{day}") for day in (10, 12, 11)]
    (series,) = results(days)
    assert [r.at and r.at.text[-2:] for r in series.readings] == ["12", "11", "10"]
    assert [str(p.value) for p in series.lines()[0].points] == ["10", "11", "12"]


def test_of_two_rounds_in_one_minute_the_one_signed_last_leads() -> None:
    when = "2026-11-22T02:00:00+01:00"
    first = measured("84", effectiveDateTime=when, meta={"lastUpdated": "2026-11-22T01:00:10Z"})
    last = measured("113", effectiveDateTime=when, meta={"lastUpdated": "2026-11-22T01:00:50Z"})
    for order in ([first, last], [last, first]):
        (series,) = results(order)
        amount = series.latest.parts[0].amount
        assert amount is not None
        assert amount.value == Decimal("113")


def test_a_curve_never_mixes_units() -> None:
    (series,) = results([
        measured("88", "umol/L", effectiveDateTime="2026-11-12"),
        measured("1.0", "mg/dL", effectiveDateTime="2026-11-11"),
    ])  # fmt: skip
    (line,) = series.lines()
    assert (line.unit, [str(p.value) for p in line.points]) == ("umol/L", ["88"])
    assert len(series.readings) == 2


def test_the_upper_pressure_stands_before_the_lower() -> None:
    def component(code: str, value: int) -> dict[str, Any]:
        return {"code": {"coding": [{"code": code}]}, "valueQuantity": {"value": value}}

    pressure = measured(None, component=[component("8462-4", 76), component("8480-6", 108)])
    (series,) = results([pressure])
    found = pair(series.latest)
    assert found is not None
    assert [str(p.amount.value) for p in found if p.amount] == ["108", "76"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"valueCodeableConcept": {"text": "Positive"}}, "Positive"),
        ({"valueString": "cloudy"}, "cloudy"),
        ({"valueRange": {"low": {"value": 1}, "high": {"value": 2, "unit": "h"}}}, "1–2 h"),
        ({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}}}, "1 : 128"),
        ({"valueDateTime": "2026-01-02"}, "2026-01-02"),
    ],
)
def test_answers_that_are_no_numbers_are_shown_in_words(value: dict[str, Any], words: str) -> None:
    assert reading(measured(None, **value)).parts[0].words == words


def test_a_missing_value_says_why_when_the_sender_did() -> None:
    absent = measured(None, dataAbsentReason={"text": "Not performed"})
    assert reading(absent).parts[0].absent == "Not performed"


def test_headings_and_cancelled_results_are_not_results() -> None:
    heading = measured(None, hasMember=[{"reference": "Observation/1"}])
    assert results([heading, measured(status="cancelled"), measured(status="entered-in-error")]) \
        == []  # fmt: skip


MEASURED = st.builds(
    lambda value, unit, day, code, more: measured(
        value, unit, effectiveDateTime=f"2026-11-{day:02}", code={"text": code}, **more
    ),
    st.sampled_from(["1", "2.50", None]), st.sampled_from(["mmol/L", "mg/dL"]),
    st.integers(1, 28), st.sampled_from(["Kalium", "CRP"]),
    st.sampled_from([
        {}, {"status": "cancelled"}, {"valueString": "cloudy", "valueQuantity": None},
        {"component": [{"code": {"text": "x"}, "valueQuantity": {"value": 7, "unit": "mg/dL"}}]},
        {"hasMember": [{"reference": "Observation/1"}], "valueQuantity": None},
    ]),
)  # fmt: skip


@given(st.lists(MEASURED, max_size=12))
def test_a_trend_says_the_same_as_the_whole_series(found: list[dict[str, Any]]) -> None:
    found.sort(key=lambda resource: resource["effectiveDateTime"], reverse=True)
    whole, short = results(found), trends(found, depth=100)
    assert [(t.key, t.code, t.title, t.category, t.latest) for t in short] == [
        (s.key, s.code, s.title, s.category, s.latest) for s in whole
    ]
    for trend, series in zip(short, whole, strict=True):
        firsts = [taken.parts[0].amount for taken in series.readings]
        assert list(trend.amounts) == [each for each in firsts if each is not None]


def test_a_trend_goes_no_deeper_than_asked() -> None:
    days = [measured(str(day), effectiveDateTime=f"2026-11-{day}") for day in (14, 13, 12, 11)]
    (trend,) = trends(days, depth=2)
    assert [str(each.value) for each in trend.amounts] == ["14", "13"]
