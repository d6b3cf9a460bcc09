"""Results by code: the latest value of each and the series behind it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from helsevev.fhir.reading import (
    codes,
    codings,
    concept_text,
    of_patient,
    sort_key,
    text,
)
from helsevev.observation.reading import Part, Reading, reading

# LOINC: the two readings of a blood pressure, upper before lower as everybody says it.
PAIRED: Final = (("8480-6", "8462-4"), ("271649006", "271650006"))
# http://terminology.hl7.org/CodeSystem/observation-category, in the order of the chart.
CATEGORIES: Final = (
    "vital-signs", "laboratory", "imaging", "survey", "exam", "procedure", "therapy",
    "activity", "social-history",
)  # fmt: skip
_CANCELLED: Final = frozenset({"cancelled", "entered-in-error"})


class Point(Struct, frozen=True):
    """One number in a curve: when (a FHIR dateTime), how much, how judged, by whom measured."""

    time: str
    value: Decimal
    interpretation: str
    source: str


class Line(Struct, frozen=True):
    """One curve: a part's title, its unit, its range and its points, oldest first."""

    code: str
    title: str
    unit: str
    low: Decimal | None
    high: Decimal | None
    points: tuple[Point, ...]


class Series(Struct, frozen=True):
    """Everything measured with one code, newest first.

    `key` is "system|code" (or the title when the sender used no code); `category` is the
    leading observation-category code, "" when none was sent.
    """

    key: str
    code: str
    title: str
    category: str
    readings: tuple[Reading, ...]

    @property
    def latest(self) -> Reading:
        """The newest reading."""
        return self.readings[0]

    @property
    def unit(self) -> str:
        """The unit of the newest value that has one."""
        return next(
            (p.amount.unit for r in self.readings for p in r.parts if p.amount is not None), ""
        )

    def lines(self) -> list[Line]:
        """One curve for each part with numbers, in the latest unit only.

        A value that is only a limit ("<5") is a point at its limit; other units are left to the
        table, since nothing is converted. The range is the newest one sent.
        """
        newest: dict[str, Part] = {}
        points: dict[str, list[Point]] = {}
        for taken in self.readings:
            for part in taken.parts:
                if part.amount is None or part.amount.value is None or taken.at is None:
                    continue
                key = part.code or part.title
                lead = newest.setdefault(key, part)
                if lead.amount is not None and lead.amount.unit == part.amount.unit:
                    code = part.judgement.code if part.judgement else ""
                    points.setdefault(key, []).append(
                        Point(taken.at.text, part.amount.value, code, taken.performer)
                    )
        return [_line(newest[key], found) for key, found in points.items()]


def _line(lead: Part, newest_first: list[Point]) -> Line:
    normal = lead.range
    return Line(
        lead.code,
        lead.title,
        lead.amount.unit if lead.amount else "",
        normal.low if normal else None,
        normal.high if normal else None,
        tuple(reversed(newest_first)),
    )


def results(
    resources: Iterable[Mapping[str, Any]],
    names: Mapping[str, str] | None = None,
    *,
    depth: int | None = None,
) -> list[Series]:
    """Observations grouped by code, by category in the chart's order, then by title.

    Cancelled and mistaken ones are left out, and headings that only point at their members.
    With `depth`, each series keeps only its first so many; the resources must then come newest
    first, as the record hands them out.
    """
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for resource in of_patient(resources):
        if text(resource.get("status")) not in _CANCELLED:
            group = groups[series_key(resource)]
            if depth is None or len(group) < depth:
                group.append(resource)
    found = []
    for key, group in groups.items():
        series = _series(key, group, names)
        if series is not None:
            found.append(series)
    order = {category: place for place, category in enumerate(CATEGORIES)}
    found.sort(key=lambda s: (order.get(s.category, len(order)), s.title.casefold()))
    return found


def series_key(resource: Mapping[str, Any]) -> str:
    """What an Observation is a measurement of: "system|code", else its title."""
    listed = codings(resource.get("code"))
    return "|".join(listed[0]) if listed else concept_text(resource.get("code"))


def category_of(resource: Mapping[str, Any]) -> str:
    """The leading observation-category code that the chart knows, "" when none was sent."""
    found = codes(resource.get("category"))
    return next((c for c in CATEGORIES if c in found), "")


def _newest(taken: Reading) -> tuple[datetime, str]:
    # Two rounds of the same minute: the one signed last is what holds.
    return sort_key(taken.at), taken.stored


def _series(
    key: str, group: list[Mapping[str, Any]], names: Mapping[str, str] | None
) -> Series | None:
    taken = [_in_order(reading(resource, names)) for resource in group]
    shown = sorted((r for r in taken if r.parts), key=_newest, reverse=True)
    if not shown:
        return None
    titled = next((t for r in group if (t := concept_text(r.get("code")))), "")
    return Series(
        key=key,
        code=key.rsplit("|", 1)[-1],
        title=titled,
        category=next((c for r in group if (c := category_of(r))), ""),
        readings=tuple(shown),
    )


def _in_order(taken: Reading) -> Reading:
    """Upper before lower pressure, whatever order the sender had."""
    have = {part.code for part in taken.parts}
    for upper, lower in PAIRED:
        if upper in have and lower in have:
            rank = {upper: 0, lower: 1}
            parts = sorted(taken.parts, key=lambda p: rank.get(p.code, 2))
            return replace(taken, parts=tuple(parts))
    return taken


def pair(taken: Reading) -> tuple[Part, Part] | None:
    """The two pressures of a reading, upper first; None when it is no such pair."""
    by_code = {part.code: part for part in taken.parts}
    for upper, lower in PAIRED:
        if upper in by_code and lower in by_code:
            return by_code[upper], by_code[lower]
    return None
