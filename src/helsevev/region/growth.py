"""Children's growth along WHO's percentiles: a value for an age and a z-score, and back again."""

from __future__ import annotations

from bisect import bisect_right
from functools import cache
from math import exp, log

from .facts import facts

Rows = tuple[tuple[float, float, float, float], ...]


def value(what: str, months: float, z: float, *, girl: bool) -> float:
    """The `weight` (kg), `length`, `head` (cm) or `bmi` (kg/m²) of a child at a z-score.

    The LMS method (Cole): M (1 + L S z)^(1/L), or M exp(S z) where L is 0. Ages
    beyond the table take its nearest row.
    """
    skew, median, spread = _between(_rows(what, girl), months)
    if abs(skew) < 1e-4:
        return median * exp(spread * z)
    found: float = median * max(0.05, 1 + skew * spread * z) ** (1 / skew)
    return found


def z_score(what: str, months: float, measured: float, *, girl: bool) -> float:
    """How many deviations from the median a measurement is."""
    skew, median, spread = _between(_rows(what, girl), months)
    if abs(skew) < 1e-4:
        return log(measured / median) / spread
    found: float = ((measured / median) ** skew - 1) / (skew * spread)
    return found


@cache
def _rows(what: str, girl: bool) -> Rows:
    return tuple(tuple(row) for row in facts("growth")["girl" if girl else "boy"][what])


def _between(rows: Rows, months: float) -> tuple[float, float, float]:
    place = bisect_right(rows, months, key=lambda row: row[0])
    if place == 0:
        return rows[0][1:]
    if place == len(rows):
        return rows[-1][1:]
    left, right = rows[place - 1], rows[place]
    share = (months - left[0]) / (right[0] - left[0])
    skew, median, spread = (a + (b - a) * share for a, b in zip(left[1:], right[1:], strict=True))
    return skew, median, spread
