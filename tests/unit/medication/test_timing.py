"""When doses are due: equal to a slow and obvious reference, whatever the plan and the clock do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helsevev.fhir.recurrence import Span, Times, TimesFrom
from helsevev.medication.timing import Due, Leave, Standing, due, unplanned

from .slow_plan import ALWAYS, DAILY, EVENTS, Away, Saying, Table, Version, as_order, reference

TIMES = Times(EVENTS, DAILY, {"BID": {"frequency": 2, "period": 1, "periodUnit": "d"}})
OSLO = ZoneInfo("Europe/Oslo")
ZONES: list[tzinfo] = [
    OSLO,
    UTC,
    *map(ZoneInfo, ("America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")),
]
# Days on which clocks are changed somewhere, and one on which they are not.
DAYS = [
    datetime(2026, 3, 27, tzinfo=UTC), datetime(2026, 10, 23, tzinfo=UTC),
    datetime(2026, 4, 3, tzinfo=UTC), datetime(2026, 3, 6, tzinfo=UTC),
    datetime(2026, 12, 30, tzinfo=UTC), datetime(2028, 2, 27, tzinfo=UTC),
]  # fmt: skip

quarter = st.integers(0, 95).map(lambda n: time(n // 4, n % 4 * 15))
clock = st.lists(quarter, min_size=1, max_size=4, unique=True).map(
    lambda found: tuple(sorted(found))
)
weekdays = st.frozensets(st.integers(0, 6), min_size=1)
sayings = st.one_of(
    st.builds(Saying, at=clock, days_apart=st.integers(1, 4), count=st.sampled_from([0, 0, 1, 5])),
    st.builds(Saying, at=clock, weekdays=weekdays, weeks_apart=st.integers(0, 3)),
    st.builds(Saying, at=clock, weeks_apart=st.integers(1, 2)),
    st.builds(Saying, at=clock, months_apart=st.integers(1, 3)),
    st.builds(
        Saying,
        events=st.sets(st.sampled_from(sorted(EVENTS)), min_size=1).map(lambda e: tuple(sorted(e))),
        offset=st.sampled_from([0, 15, 45, 120]),
    ),
    st.builds(Saying, hours_apart=st.integers(1, 72), count=st.sampled_from([0, 0, 3])),
    st.builds(Saying, times_a_day=st.integers(1, 3)),
    st.builds(Saying, times_a_day=st.integers(1, 3), weekdays=weekdays),
    st.builds(Saying, at=clock, cycle=st.sampled_from([(3, 5), (21, 28), (1, 2)])),
    st.builds(Saying, at=clock, as_needed=st.just(True)),
    st.builds(Saying, infusion=st.just(True), lasts_hours=st.sampled_from([0, 12])),
)  # fmt: skip


def _hours(low: int, high: int) -> st.SearchStrategy[timedelta]:
    return st.integers(low * 4, high * 4).map(lambda n: timedelta(minutes=15 * n))


def _after(start: datetime, most: int) -> st.SearchStrategy[datetime]:
    return _hours(0, most).map(start.__add__)


@st.composite
def versions(draw: st.DrawFn, day: datetime) -> list[Version]:
    """An order as it was written, edited, paused and stopped."""
    since = day - draw(_hours(0, 72))
    made = []
    for _ in range(draw(st.integers(1, 3))):
        authored = since + draw(_hours(-48, 12))
        steps = draw(st.lists(sayings, min_size=1, max_size=2))
        is_sequence = draw(st.booleans())
        if is_sequence:
            lasts = draw(st.integers(1, 4))
            steps = [replace(each, lasts_days=lasts, lasts_hours=0, count=0) for each in steps]
        elif draw(st.booleans()) and not steps[0].infusion:
            begins = authored + draw(_hours(-12, 24))
            ends = draw(st.one_of(st.none(), _after(begins, 60)))
            steps[0] = replace(steps[0], from_moment=begins, to_moment=ends)
        status = draw(st.sampled_from(["active"] * 4 + ["on-hold", "stopped", "draft"]))
        made.append(Version(since, status, authored, tuple(steps), is_sequence))
        since += draw(_hours(0, 36)) + timedelta(minutes=15)
    return made


@st.composite
def leaves(draw: st.DrawFn, day: datetime) -> list[Away]:
    """Times away, of which some were written down late."""
    made = []
    for _ in range(draw(st.integers(0, 2))):
        start = day + draw(_hours(-24, 72))
        end = draw(st.one_of(st.none(), _after(start, 48)))
        made.append(Away(start, end, start + draw(_hours(-24, 24))))
    return made


@st.composite
def tables(draw: st.DrawFn, day: datetime) -> list[Table]:
    """A unit's times of day, set anew once or twice in the days that are asked about."""
    made = [ALWAYS]
    since = day + draw(_hours(-24, 48))
    for _ in range(draw(st.integers(0, 2))):
        daily = {n: draw(st.lists(quarter, min_size=n, max_size=n, unique=True)) for n in DAILY}
        events = {event: draw(quarter) for event in EVENTS}
        made.append(Table(since, events, {n: tuple(sorted(at)) for n, at in daily.items()}))
        since += draw(_hours(1, 36))
    return made


def _applied(drawn: list[Table]) -> list[TimesFrom]:
    return [TimesFrom(t.since, Times(t.events, t.daily, TIMES.codes)) for t in drawn]


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[Version], list[Away], datetime, tzinfo]:
    """An order with its history, leave, the time asked about and the zone of the clocks."""
    day = draw(st.sampled_from(DAYS))
    zone = draw(st.sampled_from(ZONES))
    return draw(versions(day)), draw(leaves(day)), day, zone


def _due(drawn: list[Version], aways: list[Away], span: Span, zone: tzinfo) -> list[Due]:
    history = [Standing(v.since, as_order(v, n)) for n, v in enumerate(drawn, 1)]
    return due(history, span, zone, TIMES, [Leave(a.start, a.end, a.known) for a in aways])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(situations())
def test_the_doses_due_are_those_that_a_slow_reference_finds(
    situation: tuple[list[Version], list[Away], datetime, tzinfo],
) -> None:
    drawn, aways, day, zone = situation
    span = Span(day, day + timedelta(days=4))
    found = _due(drawn, aways, span, zone)
    assert [dose.at for dose in found] == reference(drawn, span.start, span.end, zone, aways)
    assert len({dose.key for dose in found}) == len(found)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(situations(), st.data())
def test_a_dose_is_due_by_the_times_of_day_that_the_unit_had_then(
    situation: tuple[list[Version], list[Away], datetime, tzinfo], data: st.DataObject
) -> None:
    drawn, aways, day, zone = situation
    applied = data.draw(tables(day))
    span = Span(day, day + timedelta(days=4))
    history = [Standing(v.since, as_order(v, n)) for n, v in enumerate(drawn, 1)]
    away = [Leave(a.start, a.end, a.known) for a in aways]
    found = due(history, span, zone, _applied(applied), away)
    slow = reference(drawn, span.start, span.end, zone, aways, applied)
    assert [dose.at for dose in found] == slow
    # What is set from a moment on moves nothing that was due before it.
    since = span.start + data.draw(_hours(0, 96))
    later = [*applied, Table(since, dict.fromkeys(EVENTS, time(3)), ALWAYS.daily)]
    later = [
        each for each in later if each is later[-1] or each.since is None or each.since < since
    ]
    after = due(history, span, zone, _applied(later), away)
    assert [d.at for d in after if d.at < since] == [d.at for d in found if d.at < since]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(situations(), st.data())
def test_nothing_written_afterwards_changes_what_was_due_before(
    situation: tuple[list[Version], list[Away], datetime, tzinfo], data: st.DataObject
) -> None:
    drawn, aways, day, zone = situation
    span = Span(day - timedelta(days=2), day + timedelta(days=6))
    at = max(drawn[-1].since, day) + data.draw(_hours(1, 72))
    edits = [
        replace(each, since=at + (each.since - day)) for each in data.draw(versions(day))
        if each.since >= day
    ] or [Version(at, "stopped", at, drawn[-1].steps)]  # fmt: skip
    later = [replace(each, known=max(each.known, at)) for each in data.draw(leaves(day))]
    before = [dose for dose in _due(drawn, aways, span, zone) if dose.at < at]
    after = [dose for dose in _due(drawn + edits, aways + later, span, zone) if dose.at < at]
    assert before == after


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(situations(), _hours(0, 96))
def test_a_time_asked_about_in_two_parts_has_the_same_doses(
    situation: tuple[list[Version], list[Away], datetime, tzinfo], cut: timedelta
) -> None:
    drawn, aways, day, zone = situation
    end = day + timedelta(days=4)
    parts = [Span(day, day + cut), Span(day + cut, end)]
    found = [dose.key for part in parts for dose in _due(drawn, aways, part, zone)]
    assert found == [dose.key for dose in _due(drawn, aways, Span(day, end), zone)]


def _local(order: dict[str, object], first: datetime, days: int) -> list[str]:
    history = [Standing(first, order)]
    found = due(history, Span(first, first + timedelta(days=days)), OSLO, TIMES)
    return [f"{dose.at.astimezone(OSLO):%d.%m %H:%M}" for dose in found]


def _order(
    *dosages: dict[str, object], authored: str = "2026-11-20T10:00:00+01:00"
) -> dict[str, object]:
    return {
        "resourceType": "MedicationRequest", "id": "o", "status": "active", "intent": "order",
        "authoredOn": authored, "dosageInstruction": list(dosages),
    }  # fmt: skip


FRIDAY = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("repeat", "expected"),
    [
        ({"frequency": 1, "period": 2, "periodUnit": "wk"}, []),
        ({"frequency": 2, "period": 1, "periodUnit": "wk"}, ["23.11 08:00"]),
        ({"frequency": 3, "period": 1, "periodUnit": "wk", "dayOfWeek": ["sat", "sun", "tue"]},
         ["21.11 08:00", "22.11 08:00", "24.11 08:00"]),
        ({"frequency": 4, "period": 1, "periodUnit": "d", "count": 3},
         ["20.11 14:00", "20.11 20:00", "21.11 02:00"]),
        ({"period": 1, "periodUnit": "mo", "timeOfDay": ["12:00:00"]}, ["20.11 12:00"]),
        ({"frequency": 2, "period": 24, "periodUnit": "h", "count": 3},
         ["20.11 10:00", "20.11 22:00", "21.11 10:00"]),
        ({"frequency": 1, "period": 1.5, "periodUnit": "d"},
         ["20.11 10:00", "21.11 22:00", "23.11 10:00"]),
    ],
)  # fmt: skip
def test_what_prescribers_write_falls_on_the_days_they_mean(
    repeat: dict[str, object], expected: list[str]
) -> None:
    assert _local(_order({"timing": {"repeat": repeat}}), FRIDAY, 4) == expected


def test_a_taper_goes_on_where_the_step_before_it_ended() -> None:
    days = {"when": ["MORN"], "boundsDuration": {"value": 2, "code": "d"}}
    steps: list[dict[str, object]] = [{"sequence": n, "timing": {"repeat": days}} for n in (2, 1)]
    assert _local(_order(*steps), FRIDAY, 9) == [f"{day}.11 08:00" for day in range(21, 25)]


def test_summer_time_leaves_out_no_dose_and_winter_time_gives_none_twice() -> None:
    night = _order(
        {"timing": {"repeat": {"timeOfDay": ["02:30:00"]}}}, authored="2026-03-01T00:00:00Z"
    )
    spring, autumn = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert _local(night, spring, 1) == ["29.03 03:30"]
    assert _local(night, autumn, 1) == ["25.10 02:30"]


@pytest.mark.parametrize(
    "timing",
    [
        {},
        {"repeat": {"when": ["CM"]}},
        {"repeat": {"frequency": 3, "period": 2, "periodUnit": "d"}},
        {"repeat": {"frequency": 2, "period": 1, "periodUnit": "mo"}},
        {"repeat": {"frequency": 0, "period": 1, "periodUnit": "d"}},
        {"event": ["2026-11"]},
        {"code": {"text": "ved behov eller som avtalt"}},
    ],
)
def test_a_dosage_that_does_not_say_when_is_told_and_never_guessed(
    timing: dict[str, object],
) -> None:
    order = _order({"text": "Se eget skjema", "timing": timing})
    assert _local(order, FRIDAY, 4) == []
    assert [each.dosage["text"] for each in unplanned(Standing(FRIDAY, order), OSLO, TIMES)] == [
        "Se eget skjema"
    ]


def test_an_order_that_was_imported_today_has_no_doses_before_and_counts_from_its_start() -> None:
    """What was given before we knew of it is not known: nothing of it was missed."""
    start = datetime(2026, 11, 12, 7, tzinfo=UTC)
    imported = datetime(2026, 11, 22, 9, tzinfo=UTC)
    step = {"timing": {"repeat": {
        "timeOfDay": ["08:00:00"], "boundsDuration": {"value": 9, "code": "d"},
    }}}  # fmt: skip
    course = {"id": "o", "status": "active", "intent": "order", "authoredOn": start.isoformat(),
              "dosageInstruction": [{"sequence": 1, **step}, {"sequence": 2, **step}]}  # fmt: skip
    found = due([Standing(imported, course)], Span(start, start + timedelta(days=30)), OSLO, TIMES)
    assert [dose.at.day for dose in found] == [*range(23, 30)]
    # The tenth to the eighteenth day are the second step.
    assert {dose.dosage["sequence"] for dose in found} == {2}
    counted = {"timing": {"repeat": {"timeOfDay": ["08:00:00"], "count": 12}}}
    order = {**course, "dosageInstruction": [counted]}
    found = due([Standing(imported, order)], Span(start, start + timedelta(days=30)), OSLO, TIMES)
    assert [dose.at.day for dose in found] == [23]
