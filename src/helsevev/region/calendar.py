"""Time in a region: whole minutes on the clock in Oslo, so that a life is told without objects."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

DAY = 1440
"""Minutes in a day."""
YEAR = 365.25
"""Days in a year."""

_OSLO = ZoneInfo("Europe/Oslo")
_CLOCK = tuple(f"{minute // 60:02d}:{minute % 60:02d}:00" for minute in range(DAY))


def clock(day: int, hour: int, minute: int = 0) -> int:
    """The instant `hour:minute` on a day: minutes of local time since day 0.

    A day is a proleptic Gregorian ordinal, as `date.toordinal` gives it.
    """
    return day * DAY + hour * 60 + minute


def stamp(instant: int) -> str:
    """A FHIR dateTime to the second, with the zone's offset that day.

    The hour that a spring night skips is told an hour later; the hour that an autumn night repeats
    is its first.
    """
    day, minute = divmod(instant, DAY)
    written, early, late = _day(day)
    if early is late or minute >= 180:
        return f"{written}T{_CLOCK[minute]}{late}"
    if early < late and minute >= 120:
        return f"{written}T{_CLOCK[minute + 60]}{late}"
    return f"{written}T{_CLOCK[minute]}{early}"


def iso(day: int) -> str:
    """A FHIR date."""
    return _day(day)[0]


@cache
def weekday(day: int) -> int:
    """0 for Monday to 6 for Sunday."""
    return (day + 6) % 7


@cache
def month_of(day: int) -> int:
    """1 for January to 12 for December."""
    return date.fromordinal(day).month


def workday(day: int) -> int:
    """The day itself, or the Monday after a weekend."""
    over = weekday(day) - 4
    return day if over <= 0 else day + 3 - over


def age_on(born: int, years: int) -> int:
    """The day of a birthday; 29 February becomes 1 March in other years."""
    birth = date.fromordinal(born)
    try:
        return birth.replace(year=birth.year + years).toordinal()
    except ValueError:
        return date(birth.year + years, 3, 1).toordinal()


@cache
def _day(day: int) -> tuple[str, str, str]:
    """The date, the offset in its first hours and the offset from three o'clock on."""
    that = date.fromordinal(day)
    return that.isoformat(), _offset(that, 0), _offset(that, 12)


@cache
def _written(minutes: int) -> str:
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _offset(that: date, hour: int) -> str:
    found = datetime(that.year, that.month, that.day, hour, tzinfo=_OSLO).utcoffset()
    return _written(0 if found is None else found // timedelta(minutes=1))
