"""Curves and sparklines drawn on the server: values in, the numbers an SVG needs out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from helsevev.screens.formatting import OSLO, as_moment, number
from helsevev.screens.interpretation import abnormality

_HOUR, _DAY = 3600.0, 86400.0
# A mistyped year must not stop a curve: what lies outside these centuries stands at the edge.
_EARLIEST = datetime(1800, 1, 2, tzinfo=OSLO).timestamp()
_LATEST = datetime(2300, 1, 1, tzinfo=OSLO).timestamp()


@dataclass(frozen=True, slots=True)
class Tick:
    """One line of the grid: where it is (SVG units) and what stands beside it."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Dot:
    """One measured point: where it is, and the point it was drawn from."""

    x: float
    y: float
    point: Any
    abnormal: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A curve as numbers; `band` is the reference range as (top, height) or None."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    path: str
    band: tuple[float, float] | None
    dots: tuple[Dot, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Spark:
    """A sparkline as numbers; `last` is where the newest value is."""

    width: int
    height: int
    path: str
    band: tuple[float, float] | None
    last: tuple[float, float] | None


def part(point: Any, name: str, default: Any = None) -> Any:
    """Return an optional part of something that is a mapping or an object."""
    if isinstance(point, Mapping):
        return point.get(name, default)
    return getattr(point, name, default)


def curve(
    points: Iterable[Any],
    *,
    low: object = None,
    high: object = None,
    width: int = 720,
    height: int = 240,
) -> Drawing:
    """Draw points (each with `time` and `value`) against time; points without a value are left out.

    Axes get round numbers and round times; the range band is cut to what is shown.
    """
    known = [point for point in points if part(point, "value") not in (None, "")]
    known.sort(key=lambda point: _seconds(part(point, "time")))
    times = [_seconds(part(point, "time")) for point in known]
    values = [float(part(point, "value")) for point in known]
    limits = [float(str(limit)) for limit in (low, high) if limit not in (None, "")]
    steps = _value_steps([*values, *limits] or [0.0, 1.0])
    bottom_value, top_value = steps[0], steps[-1]
    labels = [number(_trimmed(step)) for step in steps]
    left, right = 14 + 8 * max(len(label) for label in labels), width - 20
    top, bottom = 10, height - 26
    start, end = _time_span(times)

    def across(seconds: float) -> float:
        return round(left + (seconds - start) / (end - start) * (right - left), 1)

    def upward(value: float) -> float:
        share = (value - bottom_value) / (top_value - bottom_value)
        return round(bottom - share * (bottom - top), 1)

    dots = tuple(
        Dot(
            x=across(when),
            y=upward(value),
            point=point,
            abnormal=abnormality(
                part(point, "value"), low, high, part(point, "interpretation", "") or ""
            ),
        )
        for point, when, value in zip(known, times, values, strict=True)
    )
    return Drawing(
        width=width,
        height=height,
        left=left,
        right=right,
        top=top,
        bottom=bottom,
        path=_path([(dot.x, dot.y) for dot in dots]),
        band=_band(low, high, upward, top, bottom),
        dots=dots,
        across=tuple(
            Tick(across(when), label)
            for when, label in _time_steps(start, end, max(2, (right - left) // 90))
        ),
        up=tuple(Tick(upward(step), label) for step, label in zip(steps, labels, strict=True)),
    )


def sparkline(
    points: Sequence[Any],
    low: object = None,
    high: object = None,
    width: int = 88,
    height: int = 24,
) -> Spark:
    """Draw the last values (numbers, or points with `value`) side by side, oldest first."""
    raw = [
        point if isinstance(point, (int, float, Decimal)) else part(point, "value")
        for point in points
    ]
    values = [float(value) for value in raw if value not in (None, "")]
    limits = [float(str(limit)) for limit in (low, high) if limit not in (None, "")]
    least, most = min([*values, *limits], default=0.0), max([*values, *limits], default=1.0)
    room = (most - least) or 1.0
    top, bottom = 3.0, height - 3.0

    def upward(value: float) -> float:
        return round(bottom - (value - least) / room * (bottom - top), 1)

    step = (width - 8) / max(1, len(values) - 1)
    places = [(round(4 + index * step, 1), upward(value)) for index, value in enumerate(values)]
    if len(places) == 1:
        places = [(width - 4.0, places[0][1])]
    return Spark(
        width=width,
        height=height,
        path=_path(places),
        band=_band(low, high, upward, top, bottom),
        last=places[-1] if places else None,
    )


def _seconds(moment: Any) -> float:
    when = as_moment(moment)
    if not isinstance(when, datetime):
        when = datetime.combine(when, time(12), OSLO)
    return min(max(when.timestamp(), _EARLIEST), _LATEST)


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in places) if len(places) > 1 else ""


def _band(
    low: object, high: object, upward: Any, top: float, bottom: float
) -> tuple[float, float] | None:
    if low in (None, "") and high in (None, ""):
        return None
    upper = top if high in (None, "") else max(top, upward(float(str(high))))
    lower = bottom if low in (None, "") else min(bottom, upward(float(str(low))))
    return round(upper, 1), round(max(0.0, lower - upper), 1)


def _trimmed(value: float) -> Decimal:
    exact = Decimal(f"{value:.6g}").normalize()
    return exact.quantize(Decimal(1)) if exact == exact.to_integral() else exact


def _value_steps(values: Sequence[float]) -> list[float]:
    """Return three to seven round numbers that embrace the values."""
    least, most = min(values), max(values)
    if most - least <= max(abs(least), abs(most), 1e-6) * 1e-4:
        # What is never below zero is not drawn with room for it.
        floor = 0.0 if least >= 0 else -math.inf
        least, most = max(floor, least - abs(least) * 0.1 - 1), most + abs(most) * 0.1 + 1
    rough = (most - least) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1, 2, 2.5, 5, 10) if size * power >= rough * 0.999)
    first, last = math.floor(least / step), math.ceil(most / step)
    return [float(f"{index * step:.12g}") for index in range(first, last + 1)]


def _time_span(times: Sequence[float]) -> tuple[float, float]:
    start, end = min(times, default=0.0), max(times, default=_DAY)
    margin = (end - start) * 0.03 or _HOUR * 6
    return start - margin, end + margin


def _time_steps(start: float, end: float, most: int) -> list[tuple[float, str]]:
    """Return at most `most` round moments with labels: hours, days, months or years apart."""
    span = end - start
    for hours in (1, 2, 4, 6, 12):
        if span / (hours * _HOUR) <= most:
            return _hour_steps(start, end, hours)
    for days in (1, 2, 7, 14):
        if span / (days * _DAY) <= most:
            return _day_steps(start, end, days)
    for months in (1, 2, 3, 6):
        if span / (months * 30.44 * _DAY) <= most:
            return _month_steps(start, end, months)
    years = max(1, math.ceil(span / (365.25 * _DAY) / most))
    return _month_steps(start, end, 12 * years)


def _hour_steps(start: float, end: float, hours: int) -> list[tuple[float, str]]:
    day = datetime.combine(datetime.fromtimestamp(start, OSLO).date(), time(0), OSLO)
    steps: list[tuple[float, str]] = []
    while day.timestamp() < end:
        for hour in range(0, 24, hours):
            moment = day.replace(hour=hour)
            if start <= moment.timestamp() <= end:
                label = f"{moment:%d.%m.}" if hour == 0 else f"{moment:%H:%M}"
                steps.append((moment.timestamp(), label))
        day = datetime.combine(day.date() + timedelta(days=1), time(0), OSLO)
    return steps


def _day_steps(start: float, end: float, days: int) -> list[tuple[float, str]]:
    day: date = datetime.fromtimestamp(start, OSLO).date()
    steps: list[tuple[float, str]] = []
    while (at := datetime.combine(day, time(0), OSLO).timestamp()) < end:
        if at >= start:
            steps.append((at, f"{day:%d.%m.}"))
            day += timedelta(days=days)
        else:
            day += timedelta(days=1)
    return steps


def _month_steps(start: float, end: float, months: int) -> list[tuple[float, str]]:
    first = datetime.fromtimestamp(start, OSLO).date()
    index = first.year * 12 + first.month - 1
    steps: list[tuple[float, str]] = []
    while True:
        if index % min(months, 12) == 0 and (months < 12 or (index // 12) % (months // 12) == 0):
            day = date(index // 12, index % 12 + 1, 1)
            at = datetime.combine(day, time(0), OSLO).timestamp()
            if at > end:
                return steps
            if at >= start:
                steps.append((at, f"{day:%Y}" if months >= 12 else f"{day:%m.%y}"))
        index += 1
