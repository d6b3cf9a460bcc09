"""One patient's round: what is due, late, missed, done and to come, by the plan as it stood."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from helsevev.fhir.reading import OSLO
from helsevev.medication import administration
from helsevev.medication.administration import Signer
from helsevev.medication.coding import MULTIDOSE
from helsevev.medication.round import governing, round_of
from helsevev.medication.round_filters import Filters, choices_of
from helsevev.medication.round_times import times_of
from helsevev.medication.timing import Leave, Standing, key_of
from helsevev.screens.rendering import render_text

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NORA = Signer("Practitioner/nora", "Nora")


def _order(at: datetime, atc: str = "C03CA01", **more: Any) -> dict[str, Any]:
    coding = [{"system": "http://www.whocc.no/atc", "code": atc}]
    return {
        "resourceType": "MedicationRequest", "id": "o", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/p"}, "medicationCodeableConcept": {"coding": coding},
        "dosageInstruction": [{"timing": {"event": [at.isoformat()]}}],
    } | more  # fmt: skip


def _states(*histories: list[Standing], signed: Any = (), leaves: Any = ()) -> list[str]:
    found = round_of(
        histories, signed, (), leaves, now=NOW, zone=OSLO, times=times_of(())
    )  # fmt: skip
    return [row.state for row in found.rows]


def _standing(order: dict[str, Any], hours: float = 100) -> Standing:
    return Standing(NOW - timedelta(hours=hours), order)


@pytest.mark.parametrize(
    ("minutes", "atc", "state"),
    [
        (-121, "C03CA01", "upcoming"), (-60, "C03CA01", "early"), (-30, "C03CA01", "due"),
        (0, "C03CA01", "due"), (60, "C03CA01", "due"), (61, "C03CA01", "late"),
        (31, "A10AE04", "late"), (30, "A10AE04", "due"), (240, "C03CA01", "late"),
        (241, "C03CA01", "missed"), (719, "C03CA01", "missed"),
    ],
)  # fmt: skip
def test_a_dose_is_due_late_or_missed_by_what_professionals_decide(
    minutes: int, atc: str, state: str
) -> None:
    at = NOW - timedelta(minutes=minutes)
    assert _states([_standing(_order(at, atc))]) == [state]


def test_a_dose_that_was_missed_before_a_stop_is_still_missed_and_none_comes_after_it() -> None:
    at = NOW - timedelta(hours=5)
    order = _order(at)
    order["dosageInstruction"][0]["timing"]["event"].append((NOW + timedelta(hours=1)).isoformat())
    stopped = _standing({**order, "status": "stopped"}, hours=1)
    assert _states([_standing(order), stopped]) == ["missed"]


def test_leave_excuses_what_is_due_after_it_was_known_and_nothing_before() -> None:
    at = NOW - timedelta(hours=1)
    told, late = (
        Leave(at - timedelta(hours=1), None, known)
        for known in (at - timedelta(minutes=1), at + timedelta(minutes=1))
    )
    assert _states([_standing(_order(at))], leaves=[told]) == ["away"]
    assert _states([_standing(_order(at))], leaves=[late]) == ["due"]


def test_what_is_signed_is_given_withheld_or_waits_for_a_second() -> None:
    order = _order(NOW)
    key = key_of("o", NOW)
    dosage = order["dosageInstruction"][0]
    given = administration.given(order, dosage, NORA, NOW, due=key)
    kept = [_standing(order)]
    assert _states(kept, signed=[given]) == ["given"]
    refused = administration.not_given(order, NORA, NOW, due=key, reason="refused")
    assert _states(kept, signed=[refused]) == ["withheld"]
    assert _states(kept, signed=[{**given, "status": "in-progress"}]) == ["prepared"]
    mistake = administration.corrected(given, NORA, NOW, "Feil dose")
    assert _states(kept, signed=[mistake]) == ["due"]
    assert _states(kept, signed=[administration.contradicting(given, given)]) == ["due"]


def test_during_a_stay_doses_are_given_by_its_orders_and_at_home_by_those_at_home() -> None:
    def of(category: str) -> dict[str, Any]:
        return {"id": category, "category": [{"coding": [{"code": category}]}]}

    orders = [of("inpatient"), of("community"), {"id": "unsaid"}]
    stay = {"status": "in-progress", "class": {"code": "IMP"}}
    assert [o["id"] for o in governing(orders, [stay])] == ["inpatient", "unsaid"]
    over = {**stay, "status": "finished"}
    assert [o["id"] for o in governing(orders, [over])] == ["community", "unsaid"]


def test_a_patient_of_whom_nothing_is_left_to_sign_is_on_the_list_all_the_same() -> None:
    found = round_of([], (), (), (), now=NOW, zone=OSLO, times=times_of(()))
    assert found.open_rows == ()
    person = SimpleNamespace(
        round=found, name="Per", birth_date=None, sex="", href="/rounds/p", unit="", room=""
    )
    page = render_text(
        "medication/rounds.html", opened=[person], unit="Posten", now=NOW, page_title="x",
        place="rounds", filters=Filters(), choices=choices_of([]),
    )  # fmt: skip
    assert "Per" in page


def test_what_the_pharmacy_packed_for_one_time_is_one_bag_but_for_what_two_sign() -> None:
    flagged: dict[str, Any] = {"extension": [{"url": MULTIDOSE, "valueBoolean": True}]}
    orders = [_order(NOW, id=key, **flagged) for key in ("a", "b")]
    orders += [_order(NOW, atc="L01BA01", id="risk", **flagged), _order(NOW, id="own")]
    later = _order(NOW + timedelta(minutes=30), id="later", **flagged)
    found = round_of(
        [[_standing(each)] for each in (*orders, later)], (), (), (), now=NOW, zone=OSLO,
        times=times_of(()),
    )  # fmt: skip
    (bag,) = found.bags
    assert bag.keys.split() == [key_of("a", NOW), key_of("b", NOW)]
    assert {row.order["id"] for row in found.single_rows} == {"risk", "own", "later"}


def test_a_round_is_narrowed_by_where_the_patient_is_and_by_route_and_hour() -> None:
    morning, noon = NOW - timedelta(hours=4), NOW
    oral = {"route": {"text": "Oral bruk"}}
    orders = [_order(morning, id="a"), _order(noon, id="b")]
    orders[1]["dosageInstruction"][0] |= oral
    found = round_of(
        [[_standing(each)] for each in orders], (), (), (), now=NOW, zone=OSLO, times=times_of(())
    )
    person: Any = SimpleNamespace(round=found, unit="Posten", room="Rom 4")
    offered = choices_of([person])
    assert [each["value"] for each in offered.hours] == ["09", "13"]
    for asked, kept in (
        ({}, ["a", "b"]), ({"hour": "09"}, ["a"]), ({"route": "Oral bruk"}, ["b"]),
        ({"hour": "09", "route": "Oral bruk"}, []),
    ):  # fmt: skip
        filters = Filters(**asked)
        assert [row.order["id"] for row in filters.of(found).rows] == kept
        assert filters.fits(person) is bool(kept)
    assert not Filters(room="Rom 5").fits(person)
    assert Filters(unit="Posten", room="Rom 4").query == "?unit=Posten&room=Rom+4"
