"""From what became of doses to figures: counts by unit and day, shares with their uncertainty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta, tzinfo
from math import sqrt
from typing import Any, Final

from msgspec import Struct

from helsevev.content.indicator_shapes import Indicator
from helsevev.fhir.reading import is_mistake
from helsevev.fhir.recurrence import Span
from helsevev.medication.administration import GIVES, moment_given
from helsevev.medication.figures import right_time
from helsevev.medication.figures.places import Places

PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "M1": (*right_time.COUNTED, right_time.ABSENT),
    "M2": ("stops", "acted-on", "other-stops", "administrations"),
    "M3": ("discrepancies", "medicines"),
}
"""What is counted for each figure, in the order that counts are kept in."""

_NUMERATOR: Final = {"M1": right_time.ON_TIME, "M2": "stops", "M3": "discrepancies"}
_DENOMINATOR: Final = {"M1": right_time.COUNTED, "M2": ("administrations",), "M3": ("medicines",)}
_95: Final = 1.959964

Place = tuple[str, date, str]
"""Of what counts are: a unit, a day and a figure."""


class Counts(Struct, frozen=True):
    """Counts of one figure; `None` parts mean that there was nothing to count from."""

    figure: str
    parts: Mapping[str, int]

    @property
    def numerator(self) -> int:
        """What is counted."""
        return self.parts.get(_NUMERATOR[self.figure], 0)

    @property
    def denominator(self) -> int:
        """Of how many."""
        return sum(self.parts.get(part, 0) for part in _DENOMINATOR[self.figure])


class Share(Struct, frozen=True):
    """A figure: per cent or per thousand, and the bounds of its 95 % confidence interval."""

    value: float
    low: float
    high: float


def share_of(counts: Counts, indicator: Indicator, fewest: int) -> Share | None:
    """The figure; None where there was nothing to count, or too few to tell.

    The interval is Wilson's (1927), which holds for small numbers and shares near none and all.
    """
    number, whole = counts.numerator, counts.denominator
    if whole < max(1, fewest):
        return None
    scale = 100 if indicator.measure == "share" else 1000
    part = number / whole
    middle = (part + _95**2 / (2 * whole)) / (1 + _95**2 / whole)
    # More stops than doses is no share; it has no interval of one.
    spread = sqrt(max(0.0, part * (1 - part)) / whole + _95**2 / (4 * whole**2))
    half = _95 * spread / (1 + _95**2 / whole)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Share(part * scale, low * scale, max(high, part) * scale)


def counted(kept: Mapping[Place, Sequence[int]]) -> dict[Place, Counts]:
    """Counts as they are kept, with what each is of."""
    return {
        place: Counts(place[2], dict(zip(PARTS[place[2]], counts, strict=False)))
        for place, counts in kept.items()
    }


def of_fates(fates: Iterable[right_time.Fate], zone: tzinfo) -> dict[Place, list[int]]:
    """M1 by unit and day; what is not decided yet is left out."""
    found: dict[Place, Counter[str]] = {}
    for fate in fates:
        if fate.what != right_time.OPEN:
            place = fate.unit, fate.dose.at.astimezone(zone).date(), "M1"
            found.setdefault(place, Counter())[fate.what] += 1
    return {place: [made[part] for part in PARTS["M1"]] for place, made in found.items()}


def given(
    administrations: Iterable[Mapping[str, Any]], places: Places, within: Span, zone: tzinfo
) -> Counter[tuple[str, date]]:
    """How many doses each unit gave on each day, planned and as needed."""
    found: Counter[tuple[str, date]] = Counter()
    for each in administrations:
        at = moment_given(each)
        if is_mistake(each) or each.get("status") not in GIVES or at is None:
            continue
        if within.start <= at < within.end and (place := places.at(at)) is not None:
            found[place.unit, at.astimezone(zone).date()] += 1
    return found


def week_of(day: date) -> date:
    """The Monday of the ISO week of a day."""
    return day - timedelta(days=day.weekday())
