"""When doses are due: a pure function of an order's versions, the unit's times and leave.

What was due at a moment is what the version that stood at that moment says. So nothing that is
written afterwards, be it an edit, a stop or a leave, changes what was due before it was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from itertools import groupby
from typing import Any, Final

from msgspec import Struct

from helsevev.fhir import dates
from helsevev.fhir.reading import first, mapping, number, objects, text
from helsevev.fhir.recurrence import (
    Course,
    Span,
    Times,
    TimesFrom,
    Unplannable,
    after,
    moments,
)
from helsevev.medication.coding import OWN_MANAGED, flag

_ORDERS: Final = frozenset({
    "order", "original-order", "reflex-order", "filler-order", "instance-order",
})  # fmt: skip


class Standing(Struct, frozen=True):
    """One version of an order (MedicationRequest), and since when it has stood."""

    since: datetime
    order: Mapping[str, Any]


class Leave(Struct, frozen=True):
    """A time in which the patient was away, and when that was written down.

    `end` is None while nobody knows when the patient is back.
    """

    start: datetime
    end: datetime | None
    known: datetime

    def excuses(self, at: datetime) -> bool:
        """Whether it was known, when a dose was due, that the patient would be away."""
        return self.known <= at and self.covers(at)

    def covers(self, at: datetime) -> bool:
        """Whether the patient was away at a moment, whenever it was written down."""
        return self.start <= at and (self.end is None or at < self.end)


class Due(Struct, frozen=True):
    """One dose that is due: of which order and version of it, when, and by which dosage.

    `number` tells doses of one order apart that are due at the same moment.
    """

    order: str
    at: datetime
    number: int
    dosage: Mapping[str, Any]
    version: str

    @property
    def key(self) -> str:
        """What names this dose among all doses: the order, the moment in UTC, and its number."""
        return key_of(self.order, self.at, self.number)


class Unplanned(Struct, frozen=True):
    """A dosage whose time cannot be worked out, and why: somebody has to read its text."""

    dosage: Mapping[str, Any]
    why: str


def key_of(order: str, at: datetime, number: int = 0) -> str:
    """The name of a dose that is due, such as `ID/20261122T0700Z` (`.1` for a second one)."""
    minute = dates.moment(dates.microseconds(at)).strftime("%Y%m%dT%H%MZ")
    return f"{order}/{minute}" + (f".{number}" if number else "")


def is_planned(order: Mapping[str, Any]) -> bool:
    """Whether doses of this version are to be given: active, and not the patient's own."""
    return (
        order.get("status") == "active"
        and order.get("intent") in _ORDERS
        and order.get("doNotPerform") is not True
        and not flag(order, OWN_MANAGED)
    )


def due(
    history: Sequence[Standing],
    within: Span,
    zone: tzinfo,
    times: Times | Sequence[TimesFrom],
    leaves: Iterable[Leave] = (),
) -> list[Due]:
    """The doses due in a time, in order, by the version of the order that stood at each moment.

    `history` is the versions of one order, the oldest first. As-needed doses are never due, nor
    doses of an order that was paused or stopped, nor while the patient was known to be away.
    """
    away = list(leaves)
    found: list[Due] = []
    ends = [*(each.since for each in history[1:]), None]
    for standing, until in zip(history, ends, strict=True):
        span = within.meet(standing.since, until)
        if span.start >= span.end or not is_planned(standing.order):
            continue
        for part, applied in spans(span, times):
            found += _of_version(standing, part, zone, applied)
    return [dose for dose in found if not any(leave.excuses(dose.at) for leave in away)]


def spans(within: Span, times: Times | Sequence[TimesFrom]) -> Iterator[tuple[Span, Times]]:
    """A time in parts, each with the times of day that applied in it."""
    if isinstance(times, Times):
        yield within, times
        return
    ends = [*(each.since for each in times[1:]), None]
    for applied, until in zip(times, ends, strict=True):
        part = within.meet(applied.since or within.start, until)
        if part.start < part.end:
            yield part, applied.times


def unplanned(
    standing: Standing, zone: tzinfo, times: Times | Sequence[TimesFrom]
) -> list[Unplanned]:
    """The regular dosages of a version that do not say when: nothing of them is ever due."""
    if not is_planned(standing.order):
        return []
    now = Span(standing.since, standing.since)
    last = times if isinstance(times, Times) else times[-1].times
    found = []
    for dosage, course in _courses(standing, zone):
        try:
            _moments(dosage, course, now, zone, last)
        except Unplannable as problem:
            found.append(Unplanned(dosage, str(problem)))
    return found


def dosages_at(standing: Standing, at: datetime, zone: tzinfo) -> list[Mapping[str, Any]]:
    """The regular dosages of a version that hold at a moment."""
    return [
        dosage
        for dosage, course in _courses(standing, zone)
        if course and course.start <= at and (course.end is None or at < course.end)
    ]


def starts_of(standing: Standing, zone: tzinfo) -> list[tuple[datetime, Mapping[str, Any]]]:
    """When each regular dosage of a version begins to hold."""
    return [(course.start, dosage) for dosage, course in _courses(standing, zone) if course]


def is_as_needed(dosage: Mapping[str, Any]) -> bool:
    """Whether it is taken when there is need, and so is never due."""
    return dosage.get("asNeededBoolean") is True or bool(dosage.get("asNeededCodeableConcept"))


def _of_version(standing: Standing, span: Span, zone: tzinfo, times: Times) -> list[Due]:
    made: list[tuple[datetime, int, Mapping[str, Any]]] = []
    for place, (dosage, course) in enumerate(_courses(standing, zone)):
        try:
            made += [(at, place, dosage) for at in _moments(dosage, course, span, zone, times)]
        except Unplannable:
            continue  # Told by `unplanned`, beside the doses.
    made.sort(key=lambda each: each[:2])
    order = text(standing.order.get("id"))
    version = text(mapping(standing.order.get("meta")).get("versionId"))
    return [
        Due(order, at, number, dosage, version)
        for at, together in groupby(made, key=lambda each: each[0])
        for number, (_, _, dosage) in enumerate(together)
    ]


def _moments(
    dosage: Mapping[str, Any], course: Course | None, span: Span, zone: tzinfo, times: Times
) -> list[datetime]:
    if course is None:
        raise Unplannable("It follows a step that has no end.")
    timing = mapping(dosage.get("timing"))
    if not timing.get("repeat") and not timing.get("event") and not timing.get("code"):
        return _once(dosage, course, span)
    repeat = mapping(timing.get("repeat"))
    says_only_bounds = (
        not timing.get("event")
        and not timing.get("code")
        and all(name.startswith(("bounds", "duration")) for name in repeat)
    )
    if says_only_bounds:
        return _once(dosage, course, span)
    return moments(timing, course, span, zone, times)


def _once(dosage: Mapping[str, Any], course: Course, span: Span) -> list[datetime]:
    """An infusion without a timing is started once, when its course begins."""
    given = first(dosage.get("doseAndRate"))
    if not any(name.startswith("rate") for name in given):
        raise Unplannable("No time is said.")
    return [course.start] if span.start <= course.start < span.end else []


def _courses(standing: Standing, zone: tzinfo) -> list[tuple[Mapping[str, Any], Course | None]]:
    """Each regular dosage and when it holds: steps with a sequence follow one another.

    None where a step follows one without an end.
    """
    listed = objects(standing.order.get("dosageInstruction"))
    listed.sort(key=_sequence)
    authored = dates.bounds(text(standing.order.get("authoredOn")))
    follows: datetime | None = dates.moment(authored[0]) if authored else standing.since
    made: list[tuple[Mapping[str, Any], Course | None]] = []
    for _, together in groupby(listed, key=_sequence):
        ends: list[datetime | None] = []
        for dosage in together:
            course = _course(dosage, follows, zone)
            ends.append(course.end if course else None)
            if not is_as_needed(dosage):
                made.append((dosage, course))
        known = [end for end in ends if end is not None]
        follows = max(known) if len(known) == len(ends) else None
    return made


def _sequence(dosage: Mapping[str, Any]) -> int:
    return int(number(dosage.get("sequence")) or 0)


def _course(dosage: Mapping[str, Any], follows: datetime | None, zone: tzinfo) -> Course | None:
    repeat = mapping(mapping(dosage.get("timing")).get("repeat"))
    period = mapping(repeat.get("boundsPeriod"))
    low, high = (dates.bounds(text(period.get(name))) for name in ("start", "end"))
    start = dates.moment(low[0]) if low else follows
    if start is None:
        return None
    if high:
        return Course(start, dates.moment(high[1]))
    length = mapping(repeat.get("boundsDuration")) or mapping(
        mapping(repeat.get("boundsRange")).get("high")
    )
    return Course(start, after(start, length, zone) if length else None)
