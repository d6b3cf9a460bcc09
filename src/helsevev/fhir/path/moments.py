"""Dates, date-times and times of any precision: comparing them, moving them, their boundaries.

A moment is its text. Two that are equal as far as both are known are neither equal nor ordered
(http://hl7.org/fhirpath/N1/#datetime-equality). A time of day without a zone is read where the
record is kept.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Final

from helsevev.fhir.dates import LOCAL
from helsevev.fhir.path.syntax import PathError

_DATE: Final = r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?"
_CLOCK: Final = r"(\d\d)(?::(\d\d)(?::(\d\d(?:\.\d+)?))?)?"
_MOMENT: Final = re.compile(rf"{_DATE}(?:T(?:{_CLOCK})?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_TIME: Final = re.compile(rf"T?{_CLOCK}", re.ASCII)
_LENGTHS: Final = (4, 6, 8, 10, 12, 17)
_TIME_LENGTHS: Final = (2, 4, 9)
_MILLISECONDS: Final = {
    "week": 604_800_000, "day": 86_400_000, "hour": 3_600_000, "minute": 60_000, "second": 1000,
    "millisecond": 1,
}  # fmt: skip

Parts = tuple[int | Decimal, ...]
"""Year, month, day, hour, minute, second as far as known; or hour, minute, second."""


@lru_cache(maxsize=65536)
def parts(text: str) -> tuple[Parts, str | None] | None:
    """What is known of a date or date-time, and its zone as written; None when it is neither."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    *numbers, zone = match.groups()
    known = _known(numbers)
    return (known, zone) if _is_real(known) else None


@lru_cache(maxsize=4096)
def time_parts(text: str) -> Parts | None:
    """What is known of a time of day; None when it is none."""
    match = _TIME.fullmatch(text)
    known = _known(list(match.groups())) if match else ()
    return known if known and known[0] < 24 and _below(known[1:], 60) else None


def _known(numbers: list[str | None]) -> Parts:
    found: list[int | Decimal] = []
    for place, text in enumerate(numbers):
        if text is None:
            break
        found.append(Decimal(text) if place == len(numbers) - 1 else int(text))
    return tuple(found)


def _below(numbers: Parts, most: int) -> bool:
    return all(number < most for number in numbers)


def _is_real(known: Parts) -> bool:
    try:
        day = int(known[2]) if len(known) > 2 else 1
        datetime(int(known[0]), int(known[1]) if len(known) > 1 else 1, day, tzinfo=UTC)
    except ValueError:
        return False
    return len(known) < 4 or (known[3] < 24 and _below(known[4:5], 60) and _below(known[5:], 61))


def compare(left: str, right: str, kind: str) -> int | None:
    """-1, 0 or 1; None when it is not known, or when one of them is no moment of the kind.

    `kind` is "Time", or else anything.
    """
    if kind == "Time":
        one, other = time_parts(left), time_parts(right)
        return None if one is None or other is None else _order(one, other)
    first, second = parts(left), parts(right)
    if first is None or second is None:
        return None
    one, other = first[0], second[0]
    if len(one) > 3 and len(other) > 3 and first[1] != second[1]:
        one, other = _at_utc(*first), _at_utc(*second)
    return _order(one, other)


def _order(one: Parts, other: Parts) -> int | None:
    for left, right in zip(one, other, strict=False):
        if left != right:
            return -1 if left < right else 1
    return 0 if len(one) == len(other) else None


def _at_utc(known: Parts, zone: str | None) -> Parts:
    moment = _moment(known).replace(tzinfo=_zone(zone))
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        return known
    shifted: Parts = (moment.year, moment.month, moment.day, moment.hour, moment.minute)
    return (*shifted, *known[5:])[: max(len(known), 4)]


def _moment(known: Parts) -> datetime:
    numbers = [int(part) for part in known[:5]]
    return datetime(*(numbers + [1, 1, 1, 0, 0][len(numbers) :]))  # type: ignore[arg-type]  # noqa: DTZ001


def _zone(zone: str | None) -> timezone:
    if zone is None:
        return LOCAL  # type: ignore[return-value]
    if zone == "Z":
        return UTC
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
    return timezone(-offset if zone[0] == "-" else offset)


def text_of(known: Parts, zone: str | None, *, time: bool = False) -> str:
    """The moment as FHIR writes it."""
    if time:
        return ":".join(_two(part) for part in known)
    date = "-".join([f"{known[0]:04}", *(_two(part) for part in known[1:3])])
    if len(known) <= 3:
        return date
    return f"{date}T{':'.join(_two(part) for part in known[3:])}{zone or ''}"


def _two(part: int | Decimal) -> str:
    whole, dot, fraction = str(part).partition(".")
    return f"{whole:>02}{dot}{fraction}"


def moved(text: str, amount: Decimal, unit: str, kind: str) -> str | None:
    """`text` moved by so many calendar units, in its own precision; None when it is no moment.

    Raises `PathError` for a unit that no calendar has, and for what lies beyond the calendar.
    """
    try:
        if kind == "Time":
            return _moved_time(text, amount, unit)
        found = parts(text)
        return None if found is None else _moved(found[0], found[1], amount, unit)
    except (OverflowError, ValueError) as beyond:
        if isinstance(beyond, PathError):
            raise
        raise PathError(f"{text} moved by {amount} {unit} lies outside the calendar.") from None


def _moved(known: Parts, zone: str | None, amount: Decimal, unit: str) -> str:
    if unit not in ("year", "month"):
        return _moved_exactly(known, zone, amount, unit)
    months = int(amount) * (12 if unit == "year" else 1)
    if len(known) == 1:
        years = int(known[0]) + int(Decimal(months) / 12)
        return text_of((datetime(years, 1, 1, tzinfo=UTC).year,), zone)
    year, month = divmod(int(known[0]) * 12 + int(known[1]) - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError
    result: list[int | Decimal] = [year, month + 1]
    if len(known) > 2:
        result.append(min(int(known[2]), monthrange(year, month + 1)[1]))
    return text_of((*result, *known[3:]), zone)


def _moved_exactly(known: Parts, zone: str | None, amount: Decimal, unit: str) -> str:
    step = _MILLISECONDS.get(unit)
    if step is None:
        raise PathError(f"{unit!r} is no calendar unit; use days, months or the like.")
    milliseconds = int(amount * step)
    days = int(Decimal(milliseconds) / _MILLISECONDS["day"])
    if len(known) == 1:
        return _moved(known, zone, Decimal(days) / 365, "year")
    if len(known) == 2:
        return _moved(known, zone, Decimal(days) / 30, "month")
    if len(known) == 3:
        moment = _moment(known) + timedelta(days=days)
        return text_of((moment.year, moment.month, moment.day), zone)
    second = known[5] if len(known) > 5 else Decimal(0)
    moment = _moment(known) + timedelta(milliseconds=milliseconds + int(second * 1000))
    result: Parts = (moment.year, moment.month, moment.day, moment.hour, moment.minute)
    return text_of((*result, _seconds(moment, second))[: len(known)], zone)


def _seconds(moment: datetime, before: int | Decimal) -> Decimal:
    milliseconds = moment.microsecond // 1000
    if milliseconds or "." in str(before):
        return Decimal(f"{moment.second}.{milliseconds:03}")
    return Decimal(moment.second)


def _moved_time(text: str, amount: Decimal, unit: str) -> str | None:
    known = time_parts(text)
    if known is None:
        return None
    moved_day = _moved((2000, 1, 1, *known), None, amount, unit)
    return moved_day.partition("T")[2]


def boundary(text: str, kind: str, digits: int | None, *, high: bool) -> str | None:
    """The first or the last moment that `text` may mean, with so many digits.

    http://hl7.org/fhirpath/#lowboundaryprecision-integer-decimal-date-datetime-time.
    """
    if kind == "Time":
        known = time_parts(text)
        least: Parts = (23, 59, Decimal("59.999")) if high else (0, 0, Decimal("0.000"))
        count = _count(_TIME_LENGTHS, digits, 9)
        if known is None or count is None:
            return None
        return text_of(_filled(known, least, high)[:count], None, time=True)
    found = parts(text)
    count = _count(_LENGTHS, digits, 8 if kind == "Date" else 17)
    if found is None or count is None:
        return None
    known, zone = found
    month = int(known[1]) if len(known) > 1 else 12 if high else 1
    last = monthrange(int(known[0]), month)[1]
    edge: Parts = (
        (9999, 12, last, 23, 59, Decimal("59.999")) if high else (1, 1, 1, 0, 0, Decimal("0.000"))
    )
    # Where no zone is given, the moment may be anywhere on Earth.
    zone = zone or ("-12:00" if high else "+14:00")
    return text_of(_filled(known, edge, high)[:count], zone)


def _filled(known: Parts, edge: Parts, high: bool) -> Parts:
    if len(known) < len(edge):
        return (*known, *edge[len(known) :])
    digits = len(str(known[-1]).partition(".")[2])
    second = Decimal(known[-1])
    if digits < 3:
        step = Decimal(1).scaleb(-digits)
        second = (second + (step - Decimal("0.001") if high else 0)).quantize(Decimal("0.001"))
    return (*known[:-1], second)


def _count(lengths: tuple[int, ...], digits: int | None, most: int) -> int | None:
    wanted = most if digits is None else digits
    return lengths.index(wanted) + 1 if wanted in lengths else None
