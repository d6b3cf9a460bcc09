"""FHIR's partial dates and times as ranges of microseconds since 1970 (UTC)."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

# Dates without a zone are read where the record is kept.
LOCAL = ZoneInfo("Europe/Oslo")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000

# The first and the last moment that a FHIR date can name: open ends of periods.
MIN = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
MAX = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND + 1

_PARTIAL = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)"
    r"(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)


@lru_cache(maxsize=16_384)
def bounds(text: str) -> tuple[int, int] | None:
    """The moments that `text` may mean: `(low, high)` in µs since 1970, high exclusive.

    Takes date, dateTime and instant of any precision (http://hl7.org/fhir/R4/datatypes.html#dateTime),
    also minutes without seconds as searches use them. A missing zone is Europe/Oslo. None when
    the text is no date or names a day that does not exist.
    """
    match = _PARTIAL.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        if hour is not None:
            moment = datetime(
                int(year), int(month), int(day), int(hour), int(minute),
                # A leap second is kept as the second before it, as POSIX time does.
                min(int(second or 0), 59), tzinfo=_zone(zone),
            )  # fmt: skip
            if second is not None and int(second) > 60:
                return None
            return _moment_bounds(microseconds(moment), second, fraction)
        if day is not None:
            low = datetime(int(year), int(month), int(day), tzinfo=LOCAL)
            return microseconds(low), _next_day(low)
        if month is not None:
            low = datetime(int(year), int(month), 1, tzinfo=LOCAL)
            last = low.replace(day=monthrange(low.year, low.month)[1])
            return microseconds(low), _next_day(last)
        low = datetime(int(year), 1, 1, tzinfo=LOCAL)
        return microseconds(low), _next_day(low.replace(month=12, day=31))
    except ValueError:
        return None


def period_bounds(start: object, end: object) -> tuple[int, int] | None:
    """The bounds of a Period; a missing start or end is MIN or MAX. None when both are missing."""
    low = bounds(start) if isinstance(start, str) else None
    high = bounds(end) if isinstance(end, str) else None
    if low is None and high is None:
        return None
    return (MIN if low is None else low[0]), (MAX if high is None else high[1])


def exists(text: str) -> bool:
    """True when the date, dateTime or instant names a day and a time that exist."""
    return bounds(text) is not None


def moment(microseconds: int) -> datetime:
    """The moment as an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def microseconds(aware: datetime) -> int:
    """An aware datetime as µs since 1970, kept within MIN and MAX."""
    try:
        return max(MIN, min(MAX, (aware - _EPOCH) // _MICROSECOND))
    except OverflowError:
        return MIN if aware.year < 1970 else MAX


def _moment_bounds(low: int, second: str | None, fraction: str | None) -> tuple[int, int]:
    if second is None:
        return low, min(MAX, low + 60 * _SECOND)
    if not fraction:
        return low, min(MAX, low + _SECOND)
    low += int(fraction[:6].ljust(6, "0"))
    return low, low + 10 ** max(0, 6 - len(fraction))


def _next_day(day: datetime) -> int:
    try:
        return microseconds(day + timedelta(days=1))
    except OverflowError:
        return MAX


@lru_cache(maxsize=64)
def _zone(text: str | None) -> ZoneInfo | timezone:
    if text is None:
        return LOCAL
    if text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-offset if text[0] == "-" else offset)
