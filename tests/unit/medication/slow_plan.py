"""When doses are due, told slowly: every quarter of an hour is asked whether a dose is due then.

A plan is drawn as what somebody would say of it ("two days apart at 08:00"). From that saying comes
the FHIR Dosage, which the program reads, and a question about one moment, which is asked here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any

QUARTER = timedelta(minutes=15)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVENTS = {"MORN": time(8), "ACV": time(16, 30), "PCV": time(17, 30), "HS": time(22)}
DAILY = {1: (time(8),), 2: (time(8), time(20)), 3: (time(8), time(14), time(20))}


@dataclass(frozen=True)
class Saying:
    """What is said of one dosage; only what is not empty is said."""

    at: tuple[time, ...] = ()
    events: tuple[str, ...] = ()
    offset: int = 0
    days_apart: int = 1
    weeks_apart: int = 0
    months_apart: int = 0
    weekdays: frozenset[int] = frozenset()
    hours_apart: int = 0
    times_a_day: int = 0
    cycle: tuple[int, int] = (0, 0)
    fixed: tuple[datetime, ...] = ()
    count: int = 0
    lasts_days: int = 0
    lasts_hours: int = 0
    from_moment: datetime | None = None
    to_moment: datetime | None = None
    as_needed: bool = False
    infusion: bool = False


@dataclass(frozen=True)
class Table:
    """A unit's times of day, and from when they applied (None: always)."""

    since: datetime | None
    events: Mapping[str, time]
    daily: Mapping[int, tuple[time, ...]]


ALWAYS = Table(None, EVENTS, DAILY)


@dataclass(frozen=True)
class Version:
    """One version of an order as it is said, and since when it stood."""

    since: datetime
    status: str
    authored: datetime
    steps: tuple[Saying, ...]
    is_sequence: bool = False


@dataclass(frozen=True)
class Away:
    """A leave as it is said."""

    start: datetime
    end: datetime | None
    known: datetime


def quarters(start: datetime, end: datetime) -> Iterator[datetime]:
    """Every quarter of an hour from `start`, `end` not included."""
    at = start
    while at < end:
        yield at
        at += QUARTER


def reference(
    versions: Sequence[Version],
    start: datetime,
    end: datetime,
    zone: tzinfo,
    aways: Sequence[Away] = (),
    tables: Sequence[Table] = (ALWAYS,),
) -> list[datetime]:
    """The moments at which a dose is due, one for each dose, by the times that applied then."""
    due: list[datetime] = []
    for at in quarters(start, end):
        stood = [version for version in versions if version.since <= at]
        if not stood or stood[-1].status != "active":
            continue
        if any(a.known <= at and a.start <= at and (a.end is None or at < a.end) for a in aways):
            continue
        table = [each for each in tables if each.since is None or each.since <= at][-1]
        due += [at] * sum(
            _gives(stood[-1], number, at, zone, table) for number in range(len(stood[-1].steps))
        )
    return due


def _gives(version: Version, number: int, at: datetime, zone: tzinfo, table: Table) -> bool:
    saying = version.steps[number]
    begins, ends = _holds(version, number, zone)
    if saying.as_needed or at < begins or (ends is not None and at >= ends):
        return False
    if not _is_moment(saying, begins, at, zone, table):
        return False
    if not saying.count:
        return True
    earlier = sum(_is_moment(saying, begins, each, zone, table) for each in quarters(begins, at))
    return earlier < saying.count


@lru_cache(maxsize=10_000)
def _holds(version: Version, number: int, zone: tzinfo) -> tuple[datetime, datetime | None]:
    begins: datetime | None = version.authored
    ends: datetime | None = None
    for place in range(number + 1) if version.is_sequence else (number,):
        saying = version.steps[place]
        begins = saying.from_moment or (ends if version.is_sequence and place else version.authored)
        assert begins is not None
        ends = saying.to_moment
        if saying.lasts_hours:
            ends = begins + timedelta(hours=saying.lasts_hours)
        if saying.lasts_days:
            local = begins.astimezone(zone)
            ends = shown(local.date() + timedelta(days=saying.lasts_days), local.time(), zone)
    assert begins is not None
    return begins, ends


def _is_moment(saying: Saying, begins: datetime, at: datetime, zone: tzinfo, table: Table) -> bool:
    if saying.infusion:
        return at == begins
    if saying.fixed:
        return at in saying.fixed
    if saying.hours_apart:
        return (at - begins) % timedelta(hours=saying.hours_apart) == timedelta(0)
    first_day = begins.astimezone(zone).date()
    about = at.astimezone(zone).date()
    return any(
        at == wall
        for day in (about - timedelta(days=1), about, about + timedelta(days=1))
        if _is_day(saying, first_day, day)
        for wall in _walls(saying, day, zone, table)
    )


def _is_day(saying: Saying, first_day: date, day: date) -> bool:
    if saying.cycle != (0, 0):
        on, length = saying.cycle
        return (day - first_day).days % length < on
    if saying.months_apart:
        return _falls_monthly(first_day, day, saying.months_apart)
    if saying.weekdays:
        monday = first_day - timedelta(days=first_day.weekday())
        weeks = (day - monday).days // 7
        return day.weekday() in saying.weekdays and weeks % max(1, saying.weeks_apart) == 0
    if saying.weeks_apart:
        return (day - first_day).days % (7 * saying.weeks_apart) == 0
    return (day - first_day).days % saying.days_apart == 0


def _falls_monthly(first_day: date, day: date, months: int) -> bool:
    apart = (day.year * 12 + day.month) - (first_day.year * 12 + first_day.month)
    if apart % months:
        return False
    is_last_of_month = (day + timedelta(days=1)).month != day.month
    return day.day == first_day.day or (is_last_of_month and first_day.day > day.day)


def _walls(saying: Saying, day: date, zone: tzinfo, table: Table) -> list[datetime]:
    if saying.times_a_day:
        return [shown(day, at, zone) for at in table.daily[saying.times_a_day]]
    walls = {shown(day, at, zone) for at in saying.at}
    for event in saying.events:
        moved = timedelta(minutes=-saying.offset if event.startswith("AC") else saying.offset)
        local = datetime.combine(day, table.events[event]) + moved
        walls.add(shown(local.date(), local.time(), zone))
    return sorted(walls)


@lru_cache(maxsize=50_000)
def shown(day: date, at: time, zone: tzinfo) -> datetime:
    """When clocks first show this time on this day; if they leave it out, as much later."""
    wanted = datetime.combine(day, at)
    moments, shows = _clock_of(day, zone)
    if wanted in shows:
        return moments[shows.index(wanted)]
    before = max(i for i, wall in enumerate(shows) if wall < wanted)
    left_out = shows[before + 1] - shows[before] - QUARTER
    return moments[shows.index(wanted + left_out)]


@lru_cache(maxsize=5_000)
def _clock_of(day: date, zone: tzinfo) -> tuple[list[datetime], list[datetime]]:
    """The quarters around a day, and what a clock on the wall shows at each."""
    noon = datetime.combine(day, time(12), UTC)
    moments = list(quarters(noon - timedelta(hours=30), noon + timedelta(hours=30)))
    return moments, [moment.astimezone(zone).replace(tzinfo=None) for moment in moments]


def as_order(version: Version, number: int = 1) -> dict[str, Any]:
    """The version as a MedicationRequest."""
    return {
        "resourceType": "MedicationRequest",
        "id": "order",
        "meta": {"versionId": str(number)},
        "status": version.status,
        "intent": "order",
        "authoredOn": version.authored.isoformat(),
        "dosageInstruction": [
            {**_dosage(saying), **({"sequence": place} if version.is_sequence else {})}
            for place, saying in enumerate(version.steps, 1)
        ],
    }


def _dosage(saying: Saying) -> dict[str, Any]:
    dosage: dict[str, Any] = {"timing": _timing(saying)}
    if saying.as_needed:
        dosage["asNeededBoolean"] = True
    if saying.infusion:
        dosage["doseAndRate"] = [{"rateQuantity": {"value": 40, "unit": "ml/h"}}]
    return dosage


def _timing(saying: Saying) -> dict[str, Any]:
    repeat: dict[str, Any] = _bounds(saying)
    put: Callable[..., None] = repeat.update
    if saying.at:
        put(timeOfDay=[f"{at:%H:%M:%S}" for at in saying.at])
    if saying.events:
        put(when=list(saying.events), offset=saying.offset)
    if saying.times_a_day:
        put(frequency=saying.times_a_day, period=1, periodUnit="d")
    if saying.days_apart > 1:
        put(period=saying.days_apart, periodUnit="d")
    if saying.weekdays:
        put(dayOfWeek=[WEEKDAYS[day] for day in sorted(saying.weekdays)])
    if saying.weeks_apart:
        put(period=saying.weeks_apart, periodUnit="wk")
    if saying.months_apart:
        put(period=saying.months_apart, periodUnit="mo")
    if saying.hours_apart:
        put(frequency=1, period=saying.hours_apart, periodUnit="h")
    if saying.count:
        put(count=saying.count)
    timing: dict[str, Any] = {}
    if saying.cycle != (0, 0):
        on, length = saying.cycle
        put(period=length, periodUnit="d")
        days = [{"url": "day", "valueInteger": day} for day in range(1, on + 1)]
        url = "http://hl7.org/fhir/StructureDefinition/timing-daysOfCycle"
        timing["extension"] = [{"url": url, "extension": days}]
    if saying.fixed:
        timing["event"] = [moment.isoformat() for moment in saying.fixed]
    return {**timing, "repeat": repeat} if repeat else timing


def _bounds(saying: Saying) -> dict[str, Any]:
    if saying.lasts_days:
        return {"boundsDuration": {"value": saying.lasts_days, "code": "d"}}
    if saying.lasts_hours:
        return {"boundsDuration": {"value": saying.lasts_hours, "code": "h"}}
    period = {}
    if saying.from_moment:
        period["start"] = saying.from_moment.isoformat()
    if saying.to_moment:
        # A FHIR period holds its last moment; the plan here ends before it.
        period["end"] = (saying.to_moment - timedelta(seconds=1)).isoformat()
    return {"boundsPeriod": period} if period else {}
