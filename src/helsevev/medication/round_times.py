"""A round's content as the program uses it: times of day by unit, and how late is late."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from typing import Any

from helsevev.content import loading
from helsevev.content.round_shapes import DayTimes, TimingCode
from helsevev.medication.recurrence import Times

WEEK = timedelta(days=7)


def times_of(units: Iterable[str]) -> Times:
    """The times of day at the nearest of some units (references, nearest first)."""
    days = loading.rounds().day
    for unit in units:
        for day in days:
            if unit in day.units:
                return _times(days.index(day))
    return _times(next(n for n, day in enumerate(days) if not day.units))


@cache
def all_times() -> tuple[Times, ...]:
    """The times of day of every table there is: at which unit somebody was is not in an order."""
    return tuple(_times(number) for number in range(len(loading.rounds().day)))


@cache
def _times(number: int) -> Times:
    content = loading.rounds()
    day: DayTimes = content.day[number]
    return Times(
        events=day.events,
        daily={int(often): listed for often, listed in day.daily.items()},
        codes={each.code: _repeat(each) for each in content.code},
    )


def _repeat(code: TimingCode) -> dict[str, Any]:
    found: dict[str, Any] = {"period": code.period, "periodUnit": code.unit}
    return found | ({"when": list(code.when)} if code.when else {"frequency": code.frequency})


def is_among(codes: Iterable[str], beginnings: tuple[str, ...]) -> bool:
    """Whether one of a medicine's ATC codes is one of these, or below it."""
    return any(code.startswith(beginnings) for code in codes) if beginnings else False


def on_time(codes: Iterable[str], apart: timedelta | None) -> timedelta:
    """How far from its time a dose is still on time; `apart` is how far its doses are planned."""
    limits = loading.rounds().tolerance
    if apart is not None and apart >= WEEK:
        return timedelta(minutes=limits.weekly)
    critical = is_among(codes, limits.critical_atc)
    return timedelta(minutes=limits.critical if critical else limits.on_time)


def earliest(apart: timedelta | None) -> timedelta:
    """How long before its time a dose may be given."""
    limits = loading.rounds().tolerance
    weekly = apart is not None and apart >= WEEK
    return timedelta(minutes=limits.weekly_early if weekly else limits.early)
