"""Figures of how medicines are given: counted by hand, and never better for a plan edited after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from helsevev.content import loading
from helsevev.content.indicator_shapes import Indicators, OnTimeCase
from helsevev.fhir.recurrence import Times
from helsevev.medication.administration import DUE
from helsevev.medication.figures import right_time
from helsevev.medication.figures.counting import Counts, of_fates, share_of
from helsevev.medication.figures.counting import given as doses_given
from helsevev.medication.figures.handovers import agreement, stops
from helsevev.medication.figures.intervals import apart
from helsevev.medication.figures.places import Places
from helsevev.medication.figures.right_time import Told, day_span, fates
from helsevev.medication.reconciliation.record import LISTS, RECONCILIATION
from helsevev.medication.scanning import stops as scan_stops
from helsevev.medication.timing import Standing, due, key_of

OSLO = ZoneInfo("Europe/Oslo")
CONTENT = loading.medication_indicators()
WARD, HOME = "Organization/ward", "Organization/home-care"
TIMES = Times({"MORN": time(8)}, {1: (time(8),), 2: (time(8), time(20))}, {})
MONDAY = datetime(2026, 11, 9, tzinfo=OSLO)
ATC = {"usual": "N02BE01", "critical": "A10AB05", "weekly": "L04AX03"}
GIVING = frozenset(CONTENT.giving_services)
WITHIN = timedelta(minutes=CONTENT.tolerance[0].said_within)


def order(*hours: str, kind: str = "usual", **more: Any) -> dict[str, Any]:
    """An order of doses at hours of every day, or of every Monday."""
    repeat = {"period": 1, "periodUnit": "d", "timeOfDay": [f"{hour}:00" for hour in hours]}
    if kind == "weekly":
        repeat |= {"periodUnit": "wk", "dayOfWeek": ["mon"]}
    return {
        "resourceType": "MedicationRequest", "id": "o", "status": "active", "intent": "order",
        "medicationCodeableConcept": {
            "coding": [{"system": "http://www.whocc.no/atc", "code": ATC[kind]}]
        },
        "authoredOn": "2026-01-01T00:00:00Z", "dosageInstruction": [{"timing": {"repeat": repeat}}],
    } | more  # fmt: skip


def dose(
    at: datetime, key: str = "", status: str = "completed", reason: str = ""
) -> dict[str, Any]:
    """A dose that was given, or not."""
    made: dict[str, Any] = {
        "resourceType": "MedicationAdministration", "id": f"{at:%d%H%M%S}", "status": status,
        "request": {"reference": "MedicationRequest/o"}, "effectiveDateTime": at.isoformat(),
    }  # fmt: skip
    if key:
        made["identifier"] = [{"system": DUE, "value": key}]
    return made | ({"statusReason": [{"coding": [{"code": reason}]}]} if reason else {})


def stay(start: datetime = MONDAY - timedelta(days=90), **more: Any) -> dict[str, Any]:
    """A stay on the ward."""
    return {
        "resourceType": "Encounter", "id": "e", "status": "in-progress", "class": {"code": "IMP"},
        "serviceProvider": {"reference": WARD}, "period": {"start": start.isoformat()},
    } | more  # fmt: skip


def told(
    orders: Sequence[Sequence[Standing]], administrations: Sequence[dict[str, Any]],
    stays: Sequence[Standing] | None = None,
) -> Told:  # fmt: skip
    """What the record tells of somebody who has been on the ward since before all."""
    lies = [Standing(MONDAY - timedelta(days=90), stay())] if stays is None else stays
    return Told(
        orders, administrations, Places([lies], (), frozenset(CONTENT.giving_services), WITHIN)
    )


def counted(
    what: Told, first: datetime = MONDAY, days: int = 7, content: Indicators = CONTENT,
    now: datetime = MONDAY + timedelta(days=30),
) -> Counter[str]:  # fmt: skip
    """How many doses came to what."""
    within = day_span(first.date(), first.date() + timedelta(days=days - 1), OSLO)
    return Counter(each.what for each in fates(what, within, OSLO, {WARD: TIMES}, content, now))


@pytest.mark.parametrize("case", CONTENT.case, ids=lambda each: each.says)
def test_every_case_of_the_definition_comes_out_as_it_says(case: OnTimeCase) -> None:
    planned = MONDAY + timedelta(hours=8)
    key = key_of("o", planned)
    signed = []
    if case.minutes is not None:
        signed.append(dose(planned + timedelta(minutes=case.minutes), key))
    if case.reason:
        at = planned + timedelta(minutes=case.said_after)
        signed.append(dose(at, key, "not-done", case.reason))
    written = [[Standing(MONDAY - timedelta(days=60), order("08:00", kind=case.kind))]]
    asked = planned + timedelta(minutes=case.asked_after)
    assert counted(told(written, signed), days=1, now=asked) == {case.expects: 1}


def test_a_week_is_counted_as_by_hand() -> None:
    """Two a day for a week are 14: one late, one early, one refused, one forgotten, one away."""
    keys = [MONDAY + timedelta(days=day, hours=hour) for day in range(7) for hour in (8, 20)]
    moved = {0: 61, 1: -61, 2: 60}
    signed = [
        dose(at + timedelta(minutes=moved.get(n, 5)), key_of("o", at))
        for n, at in enumerate(keys) if n not in (3, 4, 5)
    ]  # fmt: skip
    signed.append(dose(keys[3], key_of("o", keys[3]), "not-done", "refused"))
    signed.append(dose(keys[5], key_of("o", keys[5]), "not-done", "absent"))
    what = told([[Standing(MONDAY - timedelta(days=1), order("08:00", "20:00"))]], signed)
    assert counted(what) == {
        "on-time": 9, "late": 1, "early": 1, "not-given": 1, "unanswered": 1, "absent": 1,
    }  # fmt: skip
    within = day_span(MONDAY.date(), MONDAY.date() + timedelta(days=6), OSLO)
    days = of_fates(fates(what, within, OSLO, {WARD: TIMES}, CONTENT, MONDAY + 2 * (WITHIN * 42)),
                    OSLO)  # fmt: skip
    total = [sum(column) for column in zip(*days.values(), strict=True)]
    week = Counts("M1", dict(zip(right_time.COUNTED, total, strict=False)))
    assert (week.numerator, week.denominator) == (9, 13)
    told_share = share_of(week, CONTENT.of("M1"), CONTENT.fewest)
    assert told_share is not None
    assert [round(n, 1) for n in (told_share.value, told_share.low, told_share.high)] == [
        69.2, 42.4, 87.3,
    ]  # fmt: skip
    gave = doses_given(signed, what.places, within, OSLO)
    assert sum(gave.values()) == 11
    assert days.keys() - {(WARD, day, "M1") for _unit, day in gave} == {
        (WARD, date(2026, 11, 11), "M1")
    }


def test_nothing_to_count_is_no_share_and_neither_are_four() -> None:
    for parts in ({}, {"on-time": 4}):
        assert share_of(Counts("M1", parts), CONTENT.of("M1"), CONTENT.fewest) is None
    assert share_of(Counts("M1", {"late": 5}), CONTENT.of("M1"), CONTENT.fewest) is not None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": "on-hold"}, 0),
        ({"status": "draft"}, 0),
        ({"dosageInstruction": [{"asNeededBoolean": True}]}, 0),
        ({"category": [{"coding": [{"code": "community"}]}]}, 0),
        ({"category": [{"coding": [{"code": "inpatient"}]}]}, 7),
        ({}, 7),
    ],
)
def test_what_is_paused_as_needed_or_for_another_place_is_not_due(
    changes: dict[str, Any], expected: int
) -> None:
    written = [[Standing(MONDAY - timedelta(days=1), order("08:00", **changes))]]
    assert counted(told(written, [])).total() == expected


def test_doses_count_where_the_patient_was_and_a_leave_that_was_known_leaves_them_out() -> None:
    written = [[Standing(MONDAY - timedelta(days=1), order("08:00"))]]
    versions = [
        Standing(MONDAY - timedelta(days=9), stay()),
        Standing(MONDAY + timedelta(days=2), stay(status="onleave")),
        Standing(MONDAY + timedelta(days=4), stay()),
        Standing(
            MONDAY + timedelta(days=6, hours=10),
            stay(status="finished", period={"end": (MONDAY + timedelta(days=5)).isoformat()}),
        ),
    ]
    # Monday, Tuesday, Friday; Saturday's end was written a day too late to take its dose away.
    assert counted(told(written, [], versions)) == {"unanswered": 4}


def test_a_service_that_gives_medicines_counts_where_there_is_no_stay() -> None:
    episode = {
        "resourceType": "EpisodeOfCare", "status": "active", "type": [{"coding": [{"code": "15"}]}],
        "managingOrganization": {"reference": HOME}, "period": {"start": "2026-01-01"},
    }  # fmt: skip
    other = episode | {"type": [{"coding": [{"code": "6"}]}]}
    since = MONDAY - timedelta(days=9)
    within = day_span(MONDAY.date(), MONDAY.date(), OSLO)
    for service, expected in ((episode, [HOME]), (other, [])):
        places = Places((), [[Standing(since, service)]], GIVING, WITHIN)
        what = Told([[Standing(since, order("08:00"))]], (), places)
        found = fates(what, within, OSLO, {HOME: TIMES}, CONTENT, MONDAY + 9 * WITHIN)
        assert [each.unit for each in found] == expected


def _stop(code: str, minutes: int | None = None, act: str = "changed", **more: Any) -> Any:
    """A stop at noon, and what came so many minutes after it."""
    at = MONDAY + timedelta(hours=12)
    made: dict[str, Any] = {
        "resourceType": "DetectedIssue", "status": "final", "identifiedDateTime": at.isoformat(),
        "code": {"coding": [{"system": scan_stops.STOPS, "code": code}]},
        "extension": [{"url": scan_stops.UNIT, "valueReference": {"reference": HOME}}],
    }  # fmt: skip
    if minutes is not None:
        action = {"coding": [{"system": scan_stops.ACTS, "code": act}]}
        date = (at + timedelta(minutes=minutes)).isoformat()
        made["mitigation"] = [{"action": action, "date": date}]
    return made | more


def test_stops_are_of_wrong_medicines_and_doses_and_acted_on_within_ten_minutes() -> None:
    found = [
        _stop("wrong-medicine", 10), _stop("wrong-strength", 11), _stop("wrong-medicine"),
        _stop("wrong-form", 2, "carry-on"), _stop("wrong-patient", 1), _stop("expired", 1),
        _stop("wrong-medicine", status="entered-in-error"), {"resourceType": "DetectedIssue"},
        _stop("wrong-medicine", identifiedDateTime=(MONDAY - timedelta(days=1)).isoformat()),
    ]  # fmt: skip
    within = day_span(MONDAY.date(), MONDAY.date(), OSLO)
    where = Places((), (), GIVING, WITHIN)
    assert stops(found, where, within, OSLO) == {
        (HOME, MONDAY.date()): {"stops": 4, "acted-on": 1, "other-stops": 2}
    }


def test_medicines_that_lists_do_not_agree_on_are_counted_where_the_patient_was() -> None:
    def reconciled(*states: str, **more: Any) -> dict[str, Any]:
        entries = [
            {"extension": [{"url": LISTS, "valueCode": state}] if state else []} for state in states
        ]
        return {
            "resourceType": "List", "status": "current", "entry": entries,
            "date": (MONDAY + timedelta(hours=9)).isoformat(),
            "code": {"coding": [{"system": RECONCILIATION, "code": "admission"}]},
        } | more  # fmt: skip

    found = [
        reconciled("same", "same", "changed", "only", "stopped"), reconciled("same"),
        reconciled("same", status="entered-in-error"), reconciled("", ""),
        reconciled("only", code={"coding": [{"code": "medications"}]}),
    ]  # fmt: skip
    within = day_span(MONDAY.date(), MONDAY.date(), OSLO)
    where = told([], []).places
    assert agreement(found, where, within, OSLO) == {
        (WARD, MONDAY.date()): {"medicines": 6, "discrepancies": 3}
    }


def test_a_dose_that_names_no_plan_answers_the_nearest_and_only_one() -> None:
    at = MONDAY + timedelta(hours=8)
    written = [[Standing(MONDAY - timedelta(days=1), order("08:00", "10:00"))]]
    signed = [dose(at + timedelta(minutes=40))]
    assert counted(told(written, signed), days=1) == {"on-time": 1, "unanswered": 1}


@pytest.mark.parametrize(
    ("repeat", "days"),
    [
        ({"period": 1, "periodUnit": "wk", "dayOfWeek": ["mon"]}, 7),
        ({"period": 1, "periodUnit": "wk", "dayOfWeek": ["mon", "thu"]}, 3.5),
        ({"period": 2, "periodUnit": "wk", "frequency": 1}, 14),
        ({"period": 168, "periodUnit": "h"}, 7),
        ({"period": 6, "periodUnit": "h"}, 0.25),
        ({"timeOfDay": ["08:00:00", "20:00:00"]}, 0.5),
        ({"period": 3, "periodUnit": "mo"}, 90),
    ],
)
def test_how_far_apart_doses_are_is_what_the_dosage_says(
    repeat: dict[str, Any], days: float
) -> None:
    dosage = {"timing": {"repeat": repeat}}
    assert apart({"dosageInstruction": [dosage]}, dosage) == timedelta(days=days)
    both = {"dosageInstruction": [dosage, {"timing": {"repeat": {"timeOfDay": ["08:00:00"]}}}]}
    assert apart(both, dosage) == min(timedelta(days=days), timedelta(days=1))


hours = st.lists(
    st.sampled_from(["06:30", "08:00", "12:00", "14:00", "18:00", "20:00", "22:00"]),
    min_size=1, max_size=4, unique=True,
)  # fmt: skip
plans = st.builds(
    lambda at, kind, status: order(*sorted(at), kind=kind, status=status),
    hours, st.sampled_from(["usual", "usual", "critical", "weekly"]),
    st.sampled_from(["active"] * 5 + ["on-hold", "stopped"]),
)  # fmt: skip
minutes = st.integers(-2 * 24 * 60, 9 * 24 * 60).map(lambda n: timedelta(minutes=n))


def _retroactive(plan: Mapping[str, Any], end: datetime) -> dict[str, Any]:
    dosage = plan["dosageInstruction"][0]
    said = dosage.get("timing", {}).get("repeat", {})
    repeat = {**said, "boundsPeriod": {"end": end.isoformat()}}
    return {**plan, "dosageInstruction": [{"timing": {"repeat": repeat}}]}


EDITS = ("move", "stop", "stop before", "mistake", "delete", "as needed", "own", "other place",
         "never authored", "do not perform")  # fmt: skip


def _edited(draw: st.DrawFn, plan: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """A plan as somebody would write it afterwards to look better, or because it was wrong."""
    match draw(st.sampled_from(EDITS)):
        case "move":
            return draw(plans)
        case "stop":
            return {**plan, "status": "stopped"}
        case "stop before":
            return _retroactive(plan, at - timedelta(days=draw(st.integers(0, 9))))
        case "mistake":
            return {**plan, "status": "entered-in-error"}
        case "delete":
            return {}
        case "as needed":
            return {**plan, "dosageInstruction": [{"asNeededBoolean": True}]}
        case "own":
            url = "http://helsevev.no/fhir/StructureDefinition/own-managed"
            return {**plan, "extension": [{"url": url, "valueBoolean": True}]}
        case "other place":
            return {**plan, "category": [{"coding": [{"code": "community"}]}]}
        case "never authored":
            return {**plan, "authoredOn": at.isoformat()}
    return {**plan, "doNotPerform": True}


@st.composite
def weeks(draw: st.DrawFn) -> tuple[Told, Told, datetime, Indicators]:
    """A week as it was, the same after edits, when those began, and a definition edited then."""
    history = [Standing(MONDAY - timedelta(days=3), draw(plans))]
    for since in sorted(draw(st.lists(minutes, max_size=3, unique=True))):
        history.append(Standing(max(MONDAY + since, history[-1].since), draw(plans)))
    span = day_span(MONDAY.date(), MONDAY.date() + timedelta(days=6), OSLO)
    signed = []
    for each in due(history, span, OSLO, TIMES):
        late = draw(st.one_of(st.none(), st.integers(-90, 300)))
        if late is None:
            continue
        key = each.key if draw(st.integers(0, 4)) else ""
        status, reason = draw(st.sampled_from(
            [("completed", "")] * 5 + [("not-done", "refused"), ("not-done", "absent")]
        ))  # fmt: skip
        signed.append(dose(each.at + timedelta(minutes=late), key, status, reason))
    edited = MONDAY + draw(st.integers(0, 12 * 24).map(lambda n: timedelta(hours=n)))
    assume(edited >= history[-1].since)
    after, at = list(history), edited
    for _ in range(draw(st.integers(1, 3))):
        after.append(Standing(at, _edited(draw, after[-1].order or history[0].order, at)))
        at += timedelta(minutes=draw(st.integers(0, 600)))
    # Doses of the edited plan, as if they had been due all the time.
    invented = [
        dose(each.at, each.key)
        for each in due([Standing(MONDAY, after[-1].order)], span, OSLO, TIMES)
        if draw(st.booleans())
    ]
    named = {each["identifier"][0]["value"] for each in signed if "identifier" in each}
    planned = {each.key for each in due(history, span, OSLO, TIMES)}
    invented = [each for each in invented if each["identifier"][0]["value"] not in named | planned]
    stays = [Standing(MONDAY - timedelta(days=90), stay())]
    later = [*stays, Standing(edited + WITHIN, draw(st.sampled_from([
        stay(status="finished", period={"end": MONDAY.isoformat()}), stay(status="onleave"),
        stay(status="entered-in-error"), stay(serviceProvider={"reference": HOME}), {},
    ])))]  # fmt: skip
    lenient = msgspec.structs.replace(
        CONTENT.tolerance[-1], since=edited.date() + timedelta(days=1), on_time=600, critical=600,
        said_within=10_000, absent=("absent", "refused"),
    )  # fmt: skip
    content = msgspec.structs.replace(CONTENT, tolerance=(*CONTENT.tolerance, lenient))
    before = told([history], signed, stays)
    return before, told([after], [*signed, *invented], later), edited, content


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(weeks())
def test_editing_a_plan_afterwards_never_improves_what_was_due_before(
    drawn: tuple[Told, Told, datetime, Indicators],
) -> None:
    before, after, edited, content = drawn
    span = day_span(MONDAY.date(), MONDAY.date() + timedelta(days=6), OSLO)
    now, times = MONDAY + timedelta(days=40), {WARD: TIMES, HOME: TIMES}
    was = [f for f in fates(before, span, OSLO, times, CONTENT, now) if f.dose.at < edited]
    found = [f for f in fates(after, span, OSLO, times, content, now) if f.dose.at < edited]
    assert [(f.dose.key, f.unit, f.what, f.limit) for f in found] == [
        (f.dose.key, f.unit, f.what, f.limit) for f in was
    ]


def test_a_new_tolerance_holds_from_its_day_on() -> None:
    wider = msgspec.structs.replace(CONTENT.tolerance[-1], since=date(2026, 11, 12), on_time=120)
    content = msgspec.structs.replace(CONTENT, tolerance=(*CONTENT.tolerance, wider))
    at = [MONDAY + timedelta(days=day, hours=8) for day in range(7)]
    signed = [dose(each + timedelta(minutes=90), key_of("o", each)) for each in at]
    what = told([[Standing(MONDAY - timedelta(days=1), order("08:00"))]], signed)
    assert counted(what, content=content) == {"late": 3, "on-time": 4}


def test_late_on_the_round_is_late_in_the_figures() -> None:
    rounds, newest = loading.rounds().tolerance, CONTENT.tolerance[-1]
    assert (newest.on_time, newest.critical, newest.weekly, newest.critical_atc) == (
        rounds.on_time, rounds.critical, rounds.weekly, rounds.critical_atc,
    )  # fmt: skip
    assert {each.code for each in loading.rounds().not_given} >= set(newest.absent)
