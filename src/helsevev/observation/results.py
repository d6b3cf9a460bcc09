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
    Amount,
    amount,
    codes,
    codings,
    concept_text,
    mapping,
    moment_of,
    of_patient,
    sort_key,
    text,
)
from helsevev.observation.reading import TIMES, Part, Reading, reading

# LOINC: the two readings of a blood pressure, upper before lower as everybody says it.
PAIRED: Final = (("8480-6", "8462-4"), ("271649006", "271650006"))
# http://terminology.hl7.org/CodeSystem/observation-category, in the order of the chart.
CATEGORIES: Final = (
    "vital-signs", "laboratory", "imaging", "survey", "exam", "procedure", "therapy",
    "activity", "social-history",
)  # fmt: skip
_ORDER: Final = {category: place for place, category in enumerate(CATEGORIES)}
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


class Trend(Struct, frozen=True):
    """The newest reading of one code, and the numbers that led up to it.

    `amounts` are the first part's of each reading that has a number there, newest first; `key`,
    `code`, `title` and `category` as of the `Series`.
    """

    key: str
    code: str
    title: str
    category: str
    latest: Reading
    amounts: tuple[Amount, ...]


def results(
    resources: Iterable[Mapping[str, Any]], names: Mapping[str, str] | None = None
) -> list[Series]:
    """Observations grouped by code, by category in the chart's order, then by title.

    Cancelled and mistaken ones are left out, and headings that only point at their members.
    """
    found = []
    for key, group in _grouped(resources, None).items():
        taken = [_in_order(reading(resource, names)) for resource in group]
        shown = sorted((r for r in taken if r.parts), key=_newest, reverse=True)
        if shown:
            found.append(Series(key, _code(key), *_said_of(group), tuple(shown)))
    found.sort(key=_place)
    return found


def trends(
    resources: Iterable[Mapping[str, Any]],
    names: Mapping[str, str] | None = None,
    *,
    depth: int,
) -> list[Trend]:
    """The same as `results`, by the first `depth` of each code, and of all but the newest only
    the number: a third of the time.

    The resources must come newest first, as the record hands them out.
    """
    found = []
    for key, group in _grouped(resources, depth).items():
        shown = sorted((g for r in group if (g := _Glance.of(r))), key=_glanced, reverse=True)
        if shown:
            latest = _in_order(reading(shown[0].resource, names))
            amounts = tuple(g.amount for g in shown if g.amount is not None)
            found.append(Trend(key, _code(key), *_said_of(group), latest, amounts))
    found.sort(key=_place)
    return found


class _Glance(Struct, frozen=True):
    """What of a reading decides its place in a trend, and its number."""

    at: datetime
    stored: str
    amount: Amount | None
    resource: Mapping[str, Any]

    @staticmethod
    def of(resource: Mapping[str, Any]) -> _Glance | None:
        """None for what is no reading."""
        measured = None
        if "component" not in resource:
            measured = amount(resource.get("valueQuantity"))
        if measured is None:
            # What is no plain number is read whole.
            parts = _in_order(reading(resource)).parts
            if not parts:
                return None
            measured = parts[0].amount
        stored = text(mapping(resource.get("meta")).get("lastUpdated"))
        return _Glance(sort_key(moment_of(resource, *TIMES)), stored, measured, resource)


def _glanced(found: _Glance) -> tuple[datetime, str]:
    return found.at, found.stored


def _grouped(
    resources: Iterable[Mapping[str, Any]], depth: int | None
) -> dict[str, list[Mapping[str, Any]]]:
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for resource in of_patient(resources):
        if text(resource.get("status")) not in _CANCELLED:
            group = groups[series_key(resource)]
            if depth is None or len(group) < depth:
                group.append(resource)
    return groups


def _code(key: str) -> str:
    return key.rsplit("|", 1)[-1]


def _said_of(group: Iterable[Mapping[str, Any]]) -> tuple[str, str]:
    """What a group is called, and its category."""
    titled = next((t for r in group if (t := concept_text(r.get("code")))), "")
    return titled, next((c for r in group if (c := category_of(r))), "")


def _place(found: Series | Trend) -> tuple[int, str]:
    return _ORDER.get(found.category, len(_ORDER)), found.title.casefold()


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
