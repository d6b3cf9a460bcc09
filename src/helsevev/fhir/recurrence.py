"""One FHIR Timing as moments: days that fit and times of day, even steps of time, or fixed moments.

http://hl7.org/fhir/R4/datatypes.html#Timing. Times of day are local: a time that a change to
summer time leaves out comes as much later as the clock moved, one that comes twice is its first.
Steps in hours and minutes are time that passes, whatever the clock is set to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from msgspec import Struct

from helsevev.fhir import dates
from helsevev.fhir.reading import codings, mapping, number, objects, text, texts

DAYS_OF_CYCLE: Final = "http://hl7.org/fhir/StructureDefinition/timing-daysOfCycle"
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_STEPS: Final = {
    "s": timedelta(seconds=1), "min": timedelta(minutes=1), "h": timedelta(hours=1),
    "d": timedelta(days=1), "wk": timedelta(weeks=1),
}  # fmt: skip
_MONTHS: Final = {"mo": 1, "a": 12}
_SHORTEST_STEP: Final = timedelta(minutes=1)


class Unplannable(ValueError):
    """The timing does not say when; the message says what is missing."""


class Times(Struct, frozen=True):
    """A unit's times of day: of FHIR's events, of so many doses a day, and of timing codes.

    A code stands for the elements of Timing.repeat that it is short for.
    """

    events: Mapping[str, time]
    daily: Mapping[int, tuple[time, ...]]
    codes: Mapping[str, Mapping[str, Any]]


class TimesFrom(Struct, frozen=True):
    """The times of day that apply from a moment on (None: always until the next)."""

    since: datetime | None
    times: Times


class Course(Struct, frozen=True):
    """From when a dosage holds and until when (not including it; None: it goes on)."""

    start: datetime
    end: datetime | None


class Span(Struct, frozen=True):
    """The time that is asked about, its end not included."""

    start: datetime
    end: datetime

    def meet(self, start: datetime, end: datetime | None) -> Span:
        """What of it lies within another; it may be empty."""
        return Span(max(self.start, start), self.end if end is None else min(self.end, end))


Fits = Callable[[date], bool]


def moments(
    timing: Mapping[str, Any], course: Course, within: Span, zone: tzinfo, times: Times
) -> list[datetime]:
    """The moments of a Timing in a course, those `within`, in UTC and in order.

    Raises `Unplannable` when the timing does not say when.
    """
    repeat = _repeat(timing, times)
    sought = within.meet(course.start, course.end)
    listed = texts(timing.get("event"))
    count = number(repeat.get("count"))
    if not listed and count is None:
        return list(_each(repeat, course, sought, zone, times))
    # What is counted is counted from the beginning.
    whole = Span(course.start, sought.end)
    made = _listed(listed, zone, times) if listed else _each(repeat, course, whole, zone, times)
    kept: Iterator[datetime] = (at for at in made if at >= course.start)
    if count is not None:
        kept = islice(kept, int(count))
    return [at for at in kept if sought.start <= at < sought.end]


def after(start: datetime, length: Mapping[str, Any], zone: tzinfo) -> datetime | None:
    """The end of a Duration that begins at `start`; days and longer by the calendar."""
    value, unit = number(length.get("value")), text(length.get("code")) or text(length.get("unit"))
    if value is None or value < 0:
        return None
    local = start.astimezone(zone)
    if unit in _MONTHS and value == int(value):
        day = _months_on(local.date(), int(value) * _MONTHS[unit])
        return instant(day, local.time().replace(tzinfo=None), zone)
    if unit in ("d", "wk") and value == int(value):
        day = local.date() + _STEPS[unit] * int(value)
        return instant(day, local.time().replace(tzinfo=None), zone)
    if unit in _STEPS:
        return start + _times(_STEPS[unit], value)
    return None


def instant(day: date, at: time, zone: tzinfo) -> datetime:
    """The moment in UTC of a local time, also of one that the clock leaves out or shows twice."""
    return datetime.combine(day, at, zone).astimezone(UTC)


def _repeat(timing: Mapping[str, Any], times: Times) -> Mapping[str, Any]:
    """Timing.repeat, with what Timing.code is short for."""
    repeat = mapping(timing.get("repeat"))
    for _system, code in codings(timing.get("code")):
        if code in times.codes:
            repeat = {**times.codes[code], **repeat}
    for extension in objects(timing.get("extension")):
        if extension.get("url") == DAYS_OF_CYCLE:
            repeat = {**repeat, "_cycle": [
                part.get("valueInteger") for part in objects(extension.get("extension"))
            ]}  # fmt: skip
    return repeat


def _each(
    repeat: Mapping[str, Any], course: Course, sought: Span, zone: tzinfo, times: Times
) -> Iterator[datetime]:
    period, unit = number(repeat.get("period")), text(repeat.get("periodUnit"))
    if period is not None and (period <= 0 or unit not in _STEPS.keys() | _MONTHS.keys()):
        raise Unplannable("The period is not one.")
    minutes = _named_minutes(repeat, times)
    first_day = course.start.astimezone(zone).date()
    if not minutes and _passes(period, unit):
        return _steps(_step(repeat, period, unit), course.start, sought)
    if not minutes and period is None and not repeat.get("dayOfWeek"):
        if number(repeat.get("count")) == 1:
            return iter([course.start])
        raise Unplannable("Neither a time nor a period is said.")
    if not minutes:
        fits, daily = _spread(repeat, first_day)
        minutes = _daily_minutes(daily, times)
    else:
        fits = _fitting(repeat, first_day)
    return _on_days(fits, minutes, sought, zone)


def _passes(period: Decimal | None, unit: str) -> bool:
    """Whether the period is time that passes, not days of the calendar."""
    if period is None or unit in _MONTHS:
        return False
    return unit in ("s", "min", "h") or period != int(period)


def _step(repeat: Mapping[str, Any], period: Decimal | None, unit: str) -> timedelta:
    step = _times(_STEPS[unit], (period or Decimal(1)) / _often(repeat))
    if step < _SHORTEST_STEP:
        raise Unplannable("The steps are shorter than a minute.")
    return step


def _often(repeat: Mapping[str, Any]) -> Decimal:
    often = number(repeat.get("frequency"))
    if often is not None and often < 1:
        raise Unplannable("It is said to be given no times.")
    return Decimal(1) if often is None else often


def _times(step: timedelta, factor: Decimal) -> timedelta:
    return timedelta(microseconds=int((step // timedelta(microseconds=1)) * factor))


def _steps(step: timedelta, start: datetime, sought: Span) -> Iterator[datetime]:
    skipped = max(0, -((start - sought.start) // step))
    at = start + skipped * step
    while at < sought.end:
        if at >= sought.start:
            yield at
        at += step


def _on_days(fits: Fits, minutes: Iterable[int], sought: Span, zone: tzinfo) -> Iterator[datetime]:
    """Every minute of the days that fit; a minute before or after a meal may fall on its eve."""
    if sought.start >= sought.end:
        return
    day = sought.start.astimezone(zone).date() - timedelta(days=1)
    last = sought.end.astimezone(zone).date() + timedelta(days=1)
    made = set()
    while day <= last:
        if fits(day):
            for minute in minutes:
                wall = datetime.combine(day, time()) + timedelta(minutes=minute)
                made.add(instant(wall.date(), wall.time(), zone))
        day += timedelta(days=1)
    yield from sorted(at for at in made if sought.start <= at < sought.end)


def _named_minutes(repeat: Mapping[str, Any], times: Times) -> list[int]:
    """Minutes since midnight of the times of day and events that the timing names."""
    named = [_minute(_time(said)) for said in texts(repeat.get("timeOfDay"))]
    offset = int(number(repeat.get("offset")) or 0)
    for event in texts(repeat.get("when")):
        if event not in times.events:
            raise Unplannable(f"The unit has no time of day for {event}.")
        before = event.startswith("AC")
        named.append(_minute(times.events[event]) + (-offset if before else offset))
    return sorted(set(named))


def _time(said: str) -> time:
    try:
        return time.fromisoformat(said)
    except ValueError:
        raise Unplannable(f"{said} is no time of day.") from None


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def _daily_minutes(often: int, times: Times) -> list[int]:
    if often in times.daily:
        return sorted({_minute(at) for at in times.daily[often]})
    first = _minute(times.daily[1][0])
    return sorted({(first + i * 1440 // often) % 1440 for i in range(often)})


def _fitting(repeat: Mapping[str, Any], first_day: date) -> Fits:
    """The days of a timing that names its times: so many days, weeks or months apart."""
    period, unit = number(repeat.get("period")), text(repeat.get("periodUnit"))
    weekdays = {_WEEKDAYS.index(d) for d in texts(repeat.get("dayOfWeek")) if d in _WEEKDAYS}
    if (cycle := repeat.get("_cycle")) and period is not None and unit in ("d", "wk"):
        length = int(period) * (7 if unit == "wk" else 1)
        return lambda day: (day - first_day).days % length + 1 in cycle
    if weekdays:
        weeks = int(period) if period is not None and unit == "wk" else 1
        monday = first_day - timedelta(days=first_day.weekday())
        return lambda day: (
            day.weekday() in weekdays and ((day - monday).days // 7) % max(1, weeks) == 0
        )
    if period is None or unit in ("s", "min") or (unit == "h" and period < 24):
        return lambda day: day >= first_day - timedelta(days=1)
    if unit in _MONTHS:
        return _monthly(first_day, int(period) * _MONTHS[unit])
    days = period * {"h": Decimal(1) / 24, "d": Decimal(1), "wk": Decimal(7)}[unit]
    if days != int(days):
        raise Unplannable("Times of day do not fit a period of part of a day.")
    return lambda day: (day - first_day).days % int(days) == 0


def _spread(repeat: Mapping[str, Any], first_day: date) -> tuple[Fits, int]:
    """(days, doses a day) of a timing that says how often, not at what times."""
    period, unit = number(repeat.get("period")) or Decimal(1), text(repeat.get("periodUnit")) or "d"
    often = int(_often(repeat))
    days = set(texts(repeat.get("dayOfWeek"))) & set(_WEEKDAYS)
    if repeat.get("_cycle"):
        return _fitting(repeat, first_day), often
    if days:
        each = often if unit == "d" else often // len(days) if often % len(days) == 0 else 1
        return _fitting(repeat, first_day), max(1, each)
    if unit in _MONTHS:
        if often > 1:
            raise Unplannable("Several times a month, without days.")
        return _fitting(repeat, first_day), 1
    length = int(period) * (7 if unit == "wk" else 1)
    if often % length == 0:
        return (lambda day: day >= first_day), often // length
    if often > length:
        raise Unplannable("The doses do not fall evenly on the days.")
    chosen = {i * length // often for i in range(often)}
    return (lambda day: (day - first_day).days % length in chosen), 1


def _monthly(first_day: date, months: int) -> Fits:
    """Every so many months on the day of the first, or on the last day of a shorter month."""

    def fits(day: date) -> bool:
        apart = (day.year - first_day.year) * 12 + day.month - first_day.month
        return apart % months == 0 and day == _months_on(first_day, apart)

    return fits


def _months_on(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (following - timedelta(days=1)).day))


def _listed(listed: Iterable[str], zone: tzinfo, times: Times) -> list[datetime]:
    """The moments of Timing.event; a day alone is at the unit's time of one dose a day."""
    made: list[datetime] = []
    for said in listed:
        found = dates.bounds(said)
        if found is None:
            raise Unplannable(f"{said} is no date.")
        if "T" in said:
            made.append(dates.moment(found[0]))
        elif len(said) == len("2026-11-22"):
            made.append(instant(date.fromisoformat(said), times.daily[1][0], zone))
        else:
            raise Unplannable(f"{said} is no day.")
    return sorted(set(made))
