"""A round's content as the program uses it: times of day by unit, and how late is late."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import time, timedelta
from functools import cache, lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from helsevev.access.unit_times import KNOWN, UnitTimes
from helsevev.content import loading
from helsevev.content.round_shapes import DayTimes, TimingCode
from helsevev.fhir.recurrence import Times, TimesFrom

WEEK = timedelta(days=7)


class OwnTimes(Struct, frozen=True, forbid_unknown_fields=True):
    """What a unit has set: times of FHIR's events, and of so many doses a day."""

    events: dict[str, time] = {}
    daily: dict[str, tuple[time, ...]] = {}


def times_of(units: Iterable[str]) -> Times:
    """The times of day at the nearest of some units (references, nearest first)."""
    days = loading.rounds().day
    for unit in units:
        for day in days:
            if unit in day.units:
                return _times(days.index(day))
    return _times(next(n for n, day in enumerate(days) if not day.units))


def times_history(units: Sequence[str], kept: Iterable[UnitTimes]) -> tuple[TimesFrom, ...]:
    """The times of day at the nearest of some units (nearest first), with those they have set.

    The first holds from ever. What a unit sets goes before the content's table, and before what
    the units have set that it is part of.
    """
    ours = [each for each in kept if each.unit in units]
    found = [TimesFrom(None, times_of(units))]
    for since in sorted({each.since for each in ours}):
        stand = [each for each in ours if each.since <= since]
        nearest = min((each.unit for each in stand), key=units.index)
        body = max((e for e in stand if e.unit == nearest), key=lambda e: e.since).body
        found.append(TimesFrom(since, over(found[0].times, body)))
    return tuple(found)


@lru_cache(maxsize=500)
def _over(number: int, body: str) -> Times:
    return over(_times(number), body)


def over(content: Times, body: str) -> Times:
    """The times of day that a unit has set (JSON), the rest as in the content.

    Raises `ValueError` for what is no such table.
    """
    try:
        said = msgspec.json.decode(body, type=OwnTimes)
        daily = {**content.daily, **{int(n): tuple(sorted(at)) for n, at in said.daily.items()}}
    except (msgspec.ValidationError, msgspec.DecodeError) as problem:
        raise ValueError(str(problem)) from problem
    if any(len(at) != often for often, at in daily.items()):
        raise ValueError("So many doses a day have so many times.")
    return Times({**content.events, **said.events}, daily, content.codes)


def all_times() -> tuple[Times, ...]:
    """Every table there is, of content and of units: where somebody was is not in an order."""
    count = len(loading.rounds().day)
    own = {each.body for each in KNOWN.get()}
    return (
        *(_times(number) for number in range(count)),
        *(_over(number, body) for body in sorted(own) for number in range(count)),
    )


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
