"""Infusions: how much has been given is each rate times its time, and what is refused of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helsevev.fhir.reading import OSLO
from helsevev.medication import infusion_changes as changes
from helsevev.medication.administration import Refusal, Signer
from helsevev.medication.infusion_flow import (
    given_so_far,
    is_infusion,
    is_running,
    most_of,
    rate_of,
    rates_of,
)
from helsevev.medication.infusion_rules import check_alone, check_beside
from helsevev.medication.round import round_of
from helsevev.medication.round_times import times_of
from helsevev.medication.timing import Standing

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NORA, OLA = Signer("Practitioner/nora", "Nora"), Signer("Practitioner/ola", "Ola")
MINUTE = timedelta(minutes=1)


def _rate(value: int, unit: str = "ml/t") -> dict[str, Any]:
    return {"value": value, "unit": unit}


def _order(
    value: int = 40, atc: str = "B05BB01", start: datetime = NOW, **dosage: Any
) -> dict[str, Any]:
    bounds = {"repeat": {"boundsPeriod": {"start": start.isoformat()}}}
    return {
        "resourceType": "MedicationRequest", "id": "o", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": {
            "text": "Ringer", "coding": [{"system": "http://www.whocc.no/atc", "code": atc}],
        },
        "authoredOn": start.isoformat(),
        "dosageInstruction": [
            {"timing": bounds, "doseAndRate": [{"rateQuantity": _rate(value)}]} | dosage
        ],
    }  # fmt: skip


def _started(order: dict[str, Any], value: int = 40, at: datetime = NOW) -> dict[str, Any]:
    return changes.started(order, order["dosageInstruction"][0], _rate(value), NORA, at)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 90), st.sampled_from(["rate", "pause", "resume"]),
                       st.integers(1, 200)), max_size=8),
    st.integers(0, 400), st.booleans(),
)  # fmt: skip
def test_what_has_been_given_is_the_sum_of_each_minute_s_rate(
    acts: list[tuple[int, str, int]], asked: int, ends: bool
) -> None:
    running, at, set_to, before = _started(_order()), NOW, 40, 40
    minutes: list[int] = []
    for passed, act, value in acts:
        minutes += [set_to] * passed
        at += passed * MINUTE
        if act == "rate":
            running, set_to = changes.changed(running, _rate(value), NORA, at), value
            before = value
        elif act == "pause" and set_to:
            running, set_to = changes.paused(running, NORA, at), 0
        elif act == "resume" and not set_to:
            running, set_to = changes.resumed(running, NORA, at), before
    if ends:
        running, set_to = changes.ended(running, NORA, at), 0
    minutes += [set_to] * asked
    slow = sum((Fraction(each, 60) for each in minutes[:asked]), Fraction(0))
    assert given_so_far(running, NOW + asked * MINUTE) == slow
    assert check_alone(running) == []
    assert is_running(running) is not ends


@pytest.mark.parametrize(
    ("given_", "an_hour", "unit"),
    [
        ({"rateQuantity": {"value": 40, "unit": "ml/t", "code": "mL/h"}}, 40, "ml"),
        ({"rateQuantity": {"value": 2, "code": "mL/min"}}, 120, "mL"),
        ({"rateRatio": {"numerator": {"value": 500, "unit": "ml"},
                        "denominator": {"value": 4, "unit": "h"}}}, 125, "ml"),
        ({"rateQuantity": {"value": 40, "unit": "ml"}}, None, ""),
        ({"rateRatio": {"numerator": {"value": 1, "unit": "ml"},
                        "denominator": {"value": 0, "unit": "h"}}}, None, ""),
    ],
)  # fmt: skip
def test_a_rate_is_read_however_it_is_written(
    given_: dict[str, Any], an_hour: int | None, unit: str
) -> None:
    found = rate_of(given_)
    assert (found is None) is (an_hour is None)
    if found is not None:
        assert (found.an_hour, found.unit) == (Fraction(an_hour or 0), unit)


def test_a_dose_that_is_given_in_some_time_is_a_dose() -> None:
    rate = {"rateQuantity": _rate(100)}
    assert is_infusion({"doseAndRate": [rate]})
    assert not is_infusion({"doseAndRate": [{**rate, "doseQuantity": {"value": 1, "unit": "g"}}]})


def _problems(running: dict[str, Any], *orders: Standing, others: Any = ()) -> str:
    issues = [*check_alone(running), *check_beside(running, orders, others)]
    return " ".join(issue.diagnostics for issue in issues)


def test_a_rate_above_what_is_ordered_is_refused_and_below_it_is_not() -> None:
    order = _order(40)
    stood = Standing(NOW, order)
    assert _problems(_started(order, 30), stood) == ""
    assert "over den høyeste" in _problems(_started(order, 41), stood)
    most = {"numerator": {"value": 80, "unit": "ml"}, "denominator": {"value": 1, "unit": "h"}}
    wider = _order(40, maxDosePerPeriod=most)
    assert _problems(_started(wider, 80), Standing(NOW, wider)) == ""
    assert most_of(wider["dosageInstruction"][0]) != most_of(order["dosageInstruction"][0])
    grams = changes.started(order, {}, _rate(30, "mg/t"), NORA, NOW)
    assert "sammenlignes" in _problems(grams, stood)


def test_two_of_one_order_do_not_run_at_once_and_after_the_first_is_over_another_may() -> None:
    order = _order()
    first = {**_started(order), "id": "1"}
    stood = Standing(NOW, order)
    assert "allerede" in _problems(_started(order), stood, others=[first])
    over = changes.ended(first, NORA, NOW + MINUTE)
    assert _problems(_started(order), stood, others=[over]) == ""


def test_nothing_is_started_or_changed_by_an_order_that_has_been_stopped() -> None:
    order = _order()
    stopped = Standing(NOW + 10 * MINUTE, {**order, "status": "stopped"})
    history = (Standing(NOW, order), stopped)
    running = _started(order)
    assert _problems(running, *history) == ""
    later = NOW + 20 * MINUTE
    assert "ingen infusjon" in _problems(changes.changed(running, _rate(20), NORA, later), *history)
    assert _problems(changes.ended(running, NORA, later, "order"), *history) == ""


@pytest.mark.parametrize(
    "act",
    [
        lambda r: changes.resumed(r, NORA, NOW + MINUTE),
        lambda r: changes.changed(r, _rate(1), NORA, NOW - MINUTE),
        lambda r: changes.ended(r, NORA, NOW + MINUTE, "made-up"),
        lambda r: changes.second_signed(r, NORA),
        lambda r: changes.paused(changes.ended(r, NORA, NOW + MINUTE), NORA, NOW + 2 * MINUTE),
    ],
)
def test_what_cannot_be_done_with_an_infusion_says_why(act: Any) -> None:
    with pytest.raises(Refusal):
        act(_started(_order()))


def test_the_round_shows_what_runs_how_much_and_when_the_order_has_another_rate() -> None:
    order = _order(40, atc="B01AB01", start=NOW - timedelta(hours=2))
    first, later = order["dosageInstruction"][0], _order(60, start=NOW + timedelta(hours=1))
    until = (NOW + timedelta(minutes=59, seconds=59)).isoformat()
    first["timing"]["repeat"]["boundsPeriod"]["end"] = until
    order["dosageInstruction"].append(later["dosageInstruction"][0])
    kept = [Standing(NOW - timedelta(hours=2), order)]

    def shown(*signed: Any, at: datetime = NOW) -> Any:
        found = round_of([kept], signed, (), (), now=at, zone=OSLO, times=times_of(()))
        assert found.single_rows == ()
        return found.infusions

    (waiting,) = shown()
    assert (waiting.state, waiting.administration, waiting.ordered) == ("late", {}, "40 ml/t")
    running = {
        **changes.started(
            order, first, _rate(40), NORA, NOW - timedelta(minutes=90), due=waiting.due
        ), "id": "i",
    }  # fmt: skip
    (runs,) = shown(running)
    assert (runs.state, runs.given, runs.rate, runs.needs_second) == (
        "running",
        "60 ml",
        "40 ml/t",
        True,
    )
    assert runs.change == (NOW + timedelta(hours=1), "60 ml/t")
    assert not runs.differs
    signed = changes.second_signed(running, OLA)
    (runs,) = shown(signed, at=NOW + timedelta(hours=2))
    assert (runs.needs_second, runs.differs, runs.ordered) == (False, True, "60 ml/t")
    assert shown(changes.ended(signed, NORA, NOW))[0].administration == {}
    assert [each.by for each in rates_of(signed)] == ["Nora"]
