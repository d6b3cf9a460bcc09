"""M1, right time: what became of each dose that was due, by the plan as it stood when it was due.

Nothing that is written into a plan afterwards takes a dose away that was due, or moves it: doses
come of the versions that stood (`timing.due`), units of what was written of stays and services at
the time (`places`), and limits of the day that the dose was due (content medication/indicators).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final

from msgspec import Struct

from helsevev.content.indicator_shapes import Indicators, OnTime
from helsevev.fhir import dates
from helsevev.fhir.reading import codes, is_mistake, objects, reference_key, text
from helsevev.fhir.recurrence import Span, Times, TimesFrom
from helsevev.medication.administration import (
    ANSWERS,
    OUTSIDE_PLAN,
    due_key,
    moment_given,
    substance_codes,
)
from helsevev.medication.figures.intervals import apart
from helsevev.medication.figures.places import Places
from helsevev.medication.round_times import WEEK, is_among
from helsevev.medication.timing import Due, Standing, due

ON_TIME: Final = "on-time"
EARLY: Final = "early"
LATE: Final = "late"
NOT_GIVEN: Final = "not-given"
UNANSWERED: Final = "unanswered"
ABSENT: Final = "absent"
OPEN: Final = "open"
COUNTED: Final = (ON_TIME, EARLY, LATE, NOT_GIVEN, UNANSWERED)
"""What may become of a dose that counts; `ABSENT` is left out, and `OPEN` not decided yet."""

_WITHOUT_NAME: Final = timedelta(hours=6)
"""How far from its time an administration may be that does not name the dose it answers."""


class Told(Struct, frozen=True):
    """What an inhabitant's record tells: versions of orders, doses given and not, and places.

    `stops` are what scanning stopped, `lists` the reconciliations that were signed.
    """

    orders: Sequence[Sequence[Standing]]
    administrations: Sequence[Mapping[str, Any]]
    places: Places
    stops: Sequence[Mapping[str, Any]] = ()
    lists: Sequence[Mapping[str, Any]] = ()


class Fate(Struct, frozen=True):
    """One dose that was due at a unit, what became of it, and within what limit of its time."""

    dose: Due
    order: Mapping[str, Any]
    unit: str
    what: str
    limit: timedelta
    given_at: datetime | None = None

    @property
    def counts(self) -> bool:
        """Whether it is among the doses due of the figure."""
        return self.what in COUNTED


def day_span(first: date, last: date, zone: tzinfo) -> Span:
    """The time from the beginning of a day to the end of another, by the clocks of a zone."""
    start, end = (
        datetime(day.year, day.month, day.day, tzinfo=zone)
        for day in (first, last + timedelta(days=1))
    )
    return Span(start, end)


def fates(
    told: Told,
    within: Span,
    zone: tzinfo,
    times: Mapping[str, Times | Sequence[TimesFrom]],
    content: Indicators,
    now: datetime,
) -> list[Fate]:
    """What became of each dose due in a time, in order; `times` are the units' times of day."""
    answers = _Answers(told.administrations)
    # What names no dose may have answered one of the day before.
    asked = Span(within.start - timedelta(days=1), within.end) if answers.nameless else within
    leaves = told.places.leaves()
    tables = {id(table): table for table in times.values()}
    found: list[Fate] = []
    for history in told.orders:
        for table in tables.values():
            for dose in due(history, asked, zone, table, leaves):
                place = told.places.at(dose.at)
                if place is None or times.get(place.unit) is not table:
                    continue
                order = _stood(history, dose.at)
                if _governs(order, is_stay=place.is_stay):
                    limits = content.tolerance_on(dose.at.astimezone(zone).date())
                    limit = limit_of(order, dose.dosage, limits)
                    found.append(Fate(dose, order, place.unit, "", limit))
    found.sort(key=lambda each: (each.dose.at, each.dose.key))
    settled = [_settled(each, answers, zone, content, now) for each in found]
    return [each for each in settled if each.dose.at >= within.start]


def limit_of(order: Mapping[str, Any], dosage: Mapping[str, Any], limits: OnTime) -> timedelta:
    """How far from its time a dose by one dosage of an order is on time."""
    if apart(order, dosage) >= WEEK:
        return timedelta(minutes=limits.weekly)
    critical = is_among(substance_codes(order), limits.critical_atc)
    return timedelta(minutes=limits.critical if critical else limits.on_time)


def became(
    at: datetime,
    limit: timedelta,
    answer: Mapping[str, Any] | None,
    limits: OnTime,
    now: datetime,
) -> str:
    """What became of a dose due `at`, by what was signed for it (None: nothing)."""
    said = moment_given(answer) if answer is not None else None
    if answer is None or said is None:
        return OPEN if now <= at + limit else UNANSWERED
    if answer.get("status") == "not-done":
        is_away = not codes(answer.get("statusReason")).isdisjoint(limits.absent)
        in_time = said <= at + timedelta(minutes=limits.said_within)
        return ABSENT if is_away and in_time else NOT_GIVEN
    if abs(said - at) <= limit:
        return ON_TIME
    return EARLY if said < at else LATE


def _settled(
    fate: Fate, answers: _Answers, zone: tzinfo, content: Indicators, now: datetime
) -> Fate:
    answer = answers.of(fate.dose)
    limits = content.tolerance_on(fate.dose.at.astimezone(zone).date())
    what = became(fate.dose.at, fate.limit, answer, limits, now)
    given = moment_given(answer) if answer is not None and what != ABSENT else None
    return Fate(fate.dose, fate.order, fate.unit, what, fate.limit, given)


class _Answers:
    """What was signed for planned doses: by the name of the dose, else by order and nearness."""

    def __init__(self, administrations: Iterable[Mapping[str, Any]]) -> None:
        self._named: dict[str, Mapping[str, Any]] = {}
        self.nameless: dict[str, list[Mapping[str, Any]]] = {}
        for each in sorted(administrations, key=_said):
            if is_mistake(each) or each.get("status") not in ANSWERS:
                continue
            if key := due_key(each):
                self._named.setdefault(key, each)
            elif not _is_outside_plan(each):
                order = reference_key(each.get("request")).partition("/")[2]
                self.nameless.setdefault(order, []).append(each)

    def of(self, dose: Due) -> Mapping[str, Any] | None:
        """What was signed for a dose; what names no dose answers one only."""
        if (named := self._named.get(dose.key)) is not None:
            return named
        near = [
            (abs(at - dose.at), n)
            for n, each in enumerate(self.nameless.get(dose.order, ()))
            if (at := moment_given(each)) is not None and abs(at - dose.at) <= _WITHOUT_NAME
        ]
        return self.nameless[dose.order].pop(min(near)[1]) if near else None


def _said(administration: Mapping[str, Any]) -> tuple[datetime, str]:
    at = moment_given(administration) or dates.moment(dates.MAX - 1)
    return at, text(administration.get("id"))


def _is_outside_plan(administration: Mapping[str, Any]) -> bool:
    return any(e.get("url") == OUTSIDE_PLAN for e in objects(administration.get("extension")))


def _stood(history: Sequence[Standing], at: datetime) -> Mapping[str, Any]:
    return next(each.order for each in reversed(history) if each.since <= at)


def _governs(order: Mapping[str, Any], *, is_stay: bool) -> bool:
    """During a stay the orders of the stay are given by, else those at home; some say neither."""
    said = codes(order.get("category"))
    return not said or ("inpatient" in said) == is_stay
