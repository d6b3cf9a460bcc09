"""NEWS2 from the values at hand, by the points that the content lists.

Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017. The points and limits
are content; here they are only looked up and added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from msgspec import Struct

AIR: Final = "air"
OXYGEN: Final = "oxygen"


class Band(Struct, frozen=True):
    """Points for values up to and including `upto`; None is without upper end."""

    upto: Decimal | None
    points: int


class Scale(Struct, frozen=True):
    """One part of the score: which measurement it reads, its codes, and its points.

    Numbers have `bands`; choices (consciousness, oxygen) have `choices`: value -> points.
    """

    key: str
    measure: str
    code: str
    bands: tuple[Band, ...] = ()
    choices: Mapping[str, int] = {}


class Threshold(Struct, frozen=True):
    """What a total means: from `least` points on (or one part with `single` points)."""

    level: str
    least: int
    single: int | None = None


class Part(Struct, frozen=True):
    """What one part was given."""

    key: str
    measure: str
    code: str
    points: int


class Score(Struct, frozen=True):
    """The score; `total` is None while a part is missing, `subtotal` counts what is there."""

    total: int | None
    subtotal: int
    level: str
    parts: tuple[Part, ...]
    missing: tuple[str, ...]


def score(
    values: Mapping[str, Decimal | str],
    scales: Sequence[Scale],
    thresholds: Sequence[Threshold],
) -> Score:
    """NEWS2 of measurement key -> value. Nothing missing is taken to be normal.

    `thresholds` stand from the gravest down; the first that is met gives the level, which is ""
    while parts are missing, unless what is there already reaches the gravest.
    """
    parts: list[Part] = []
    missing: list[str] = []
    for scale in scales:
        points = _points(scale, values.get(scale.measure))
        if points is None:
            missing.append(scale.measure)
        else:
            parts.append(Part(scale.key, scale.measure, scale.code, points))
    subtotal = sum(part.points for part in parts)
    highest = max((part.points for part in parts), default=0)
    level = next((t.level for t in thresholds if _is_met(t, subtotal, highest)), "")
    if missing and not (thresholds and level == thresholds[0].level):
        level = ""
    return Score(None if missing else subtotal, subtotal, level, tuple(parts), tuple(missing))


def _points(scale: Scale, value: Decimal | str | None) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return scale.choices.get(value)
    for band in scale.bands:
        if band.upto is None or value <= band.upto:
            return band.points
    return None


def _is_met(threshold: Threshold, total: int, highest: int) -> bool:
    by_one_part = threshold.single is not None and highest >= threshold.single
    return total >= threshold.least or by_one_part
