"""Counts what records come to, day by day, and keeps the counts fresh as records change.

A day is counted when it is over. What changes of it afterwards is counted anew; a week that has
been closed stays as it was, with what it would be now beside it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from msgspec import Struct

from helsevev.access.medicine_figures import HAPPENED, Changed, Kept, MedicineFigures, Version
from helsevev.access.services import Services
from helsevev.access.unit_times import TimesOfUnits, UnitTimes
from helsevev.content import loading
from helsevev.fhir import dates
from helsevev.fhir.reading import OSLO, text
from helsevev.fhir.recurrence import Span, Times, TimesFrom
from helsevev.kit import clock
from helsevev.kit.background import Background
from helsevev.medication.administration import due_key, due_moment, moment_given
from helsevev.medication.figures.counting import PARTS, given, of_fates, week_of
from helsevev.medication.figures.handovers import agreement, stops
from helsevev.medication.figures.places import Places, is_stay
from helsevev.medication.figures.right_time import Told, day_span, fates
from helsevev.medication.round_times import times_history, times_of
from helsevev.medication.timing import Standing

BATCH: Final = 100
"""Inhabitants whose records are read at once."""

_EVERY: Final = 60.0
_RESTING: Final = 5.0
_DAY: Final = timedelta(days=1)
_SETTLED: Final = timedelta(hours=3)
"""How long after midnight the day before is counted: evening doses may be signed late."""

_PLANS: Final = frozenset({"MedicationRequest", "Encounter", "EpisodeOfCare"})
_log = logging.getLogger(__name__)


class Tables(Struct, frozen=True):
    """The units' times of day, by unit and what it is part of, with what units have set."""

    lineages: Mapping[str, Sequence[str]]
    kept: Sequence[UnitTimes]

    def of(self, units: Iterable[str]) -> dict[str, Times | Sequence[TimesFrom]]:
        """The times of day of some units, as they stood; the same object where they are the same.

        What was set for a time that had passed holds from when it was set.
        """
        found: dict[str, Times | Sequence[TimesFrom]] = {}
        for unit in units:
            lineage = self.lineages.get(unit, (unit,))
            ours = [
                dataclasses.replace(each, since=max(each.since, each.written_at))
                for each in self.kept
                if each.unit in lineage
            ]
            found[unit] = times_history(lineage, ours) if ours else times_of(lineage)
        return found


async def tables_of(figures: MedicineFigures, unit_times: TimesOfUnits) -> Tables:
    """The times of day of all units."""
    return Tables(await figures.lineages(), await unit_times.known())


def told_of(versions: Iterable[Version]) -> Told:
    """What the versions of an inhabitant's resources tell."""
    content = loading.medication_indicators()
    histories: defaultdict[tuple[str, str], list[Standing]] = defaultdict(list)
    for each in versions:
        histories[each.type, each.id].append(Standing(each.since, each.resource))
    orders, stays, services = [], [], []
    happened: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for (kind, _id), history in histories.items():
        newest = history[-1].order
        if kind == "MedicationRequest":
            orders.append(history)
        elif kind == "EpisodeOfCare":
            services.append(history)
        elif kind == "Encounter" and any(is_stay(each.order) for each in history):
            stays.append(history)
        elif kind in HAPPENED:
            happened[kind].append(newest)
    within = timedelta(minutes=max(each.said_within for each in content.tolerance))
    places = Places(stays, services, frozenset(content.giving_services), within)
    administrations = happened["MedicationAdministration"]
    return Told(orders, administrations, places, happened["DetectedIssue"], happened["List"])


def counts_of(told: Told, within: Span, tables: Tables, now: datetime) -> dict[Any, Sequence[int]]:
    """What an inhabitant's record comes to: counts by (unit, day, figure)."""
    content = loading.medication_indicators()
    times = tables.of(told.places.units())
    found: dict[Any, Sequence[int]] = {}
    if times:
        found.update(of_fates(fates(told, within, OSLO, times, content, now), OSLO))
    where = told.places, within, OSLO
    stopped = stops(told.stops, *where, told.administrations)
    doses = given(told.administrations, *where)
    for unit, day in stopped.keys() | doses.keys():
        parts = stopped.get((unit, day), Counter()) + Counter(administrations=doses[unit, day])
        found[unit, day, "M2"] = [parts[part] for part in PARTS["M2"]]
    for (unit, day), parts in agreement(told.lists, *where).items():
        found[unit, day, "M3"] = [parts[part] for part in PARTS["M3"]]
    return found


class Counting:
    """Counts days of inhabitants, and keeps the counts."""

    def __init__(self, figures: MedicineFigures, unit_times: TimesOfUnits) -> None:
        self._figures = figures
        self._unit_times = unit_times

    async def days(
        self, patients: Sequence[int], first: date, last: date, tables: Tables | None = None
    ) -> None:
        """Count some inhabitants' days anew."""
        tables = tables or await self._tables()
        within = day_span(first, last, OSLO)
        told = await self._figures.told(patients, within.start, within.end)
        now = clock.now()
        kept: list[Kept] = []
        for patient, versions in told.items():
            counts = counts_of(told_of(versions), within, tables, now)
            kept += [
                (patient, day, figure, unit, made) for (unit, day, figure), made in counts.items()
            ]
        await self._figures.keep(patients, first, last, kept)

    async def rebuild(self, first: date, tell: Callable[[int, int], None] | None = None) -> int:
        """Count everybody's days anew from a day on; how many inhabitants that was.

        Weeks that are closed stay closed. Those who work meanwhile go on: what they change is
        counted again when this is done.
        """
        place = await self._figures.settled()
        done = await self._everybody(first, last_day(clock.now()), tell)
        progress = await self._figures.progress()
        await self._figures.note(dataclasses.replace(progress, place=place))
        await self.close_weeks()
        return done

    async def follow(self) -> bool:
        """Count anew what was changed of days that have been counted; whether there may be more."""
        progress = await self._figures.progress()
        if progress.day is None:
            return False  # Everything is counted first, whatever was written before.
        changed, place = await self._figures.changes(progress.place)
        if place == progress.place:
            return False
        await self._recount(changed, progress.day)
        await self._figures.note(dataclasses.replace(progress, place=place))
        return bool(changed)

    async def next_days(self) -> bool:
        """Count the days that are over and have not been counted; False when there are none."""
        progress, last = await self._figures.progress(), last_day(clock.now())
        if progress.day is None:
            await self.rebuild(first_day(last))
        elif progress.day < last:
            # Of the last day that was counted, weekly doses could still be given.
            await self._everybody(progress.day, last)
        else:
            return False
        return True

    async def _everybody(
        self, first: date, last: date, tell: Callable[[int, int], None] | None = None
    ) -> int:
        within = day_span(first, last, OSLO)
        total = await self._figures.treated_total(within.start, within.end) if tell else 0
        tables, done = await self._tables(), 0
        async for patients in self._figures.treated(within.start, within.end, BATCH):
            await self.days(patients, first, last, tables)
            done += len(patients)
            if tell:
                tell(done, total)
            await asyncio.sleep(0)
        progress = await self._figures.progress()
        await self._figures.note(dataclasses.replace(progress, day=last))
        return done

    async def close_weeks(self) -> None:
        """Keep the weeks that are over, and were long enough ago, as they are counted now."""
        content, progress = loading.medication_indicators(), await self._figures.progress()
        if progress.day is None:
            return
        over = progress.day - timedelta(days=content.closes_after_days)
        last = week_of(over + _DAY) - timedelta(weeks=1)
        before = progress.week or last - timedelta(weeks=content.weeks_shown)
        if last > before:
            versions: dict[str, str] = {each.id: each.version for each in content.indicator}
            await self._figures.close_weeks(before, last, versions)
            await self._figures.note(dataclasses.replace(progress, week=last))

    async def _tables(self) -> Tables:
        return await tables_of(self._figures, self._unit_times)

    async def _recount(self, changed: Iterable[Changed], counted_to: date) -> None:
        days: defaultdict[int, set[date]] = defaultdict(set)
        looked_up = []
        for each in changed:
            for kind, own_id in each.resources:
                if kind in _PLANS:
                    days[each.patient].add(counted_to)
                elif kind in HAPPENED:
                    looked_up.append((each.patient, kind, own_id))
        if looked_up:
            for patient, version in await self._figures.versions(looked_up):
                days[patient] |= _days_of(version)
        by_days: defaultdict[tuple[date, date], list[int]] = defaultdict(list)
        for patient, touched in days.items():
            for day in touched:
                if day <= counted_to:
                    by_days[day, day].append(patient)
        tables = await self._tables() if by_days else None
        for (first, last), patients in by_days.items():
            for start in range(0, len(patients), BATCH):
                await self.days(patients[start : start + BATCH], first, last, tables)
                await asyncio.sleep(0)


def first_day(last: date) -> date:
    """The Monday from which weeks are shown."""
    return week_of(last) - timedelta(weeks=loading.medication_indicators().weeks_shown)


def last_day(now: datetime) -> date:
    """The last day that is over and can be counted."""
    return (now.astimezone(OSLO) - _SETTLED).date() - _DAY


def _days_of(version: Version) -> set[date]:
    """The days that what was given, or not, may count on."""
    happened = [
        dates.moment(bounds[0])
        for name in ("identifiedDateTime", "date")
        if (bounds := dates.bounds(text(version.resource.get(name))))
    ]
    moments = (moment_given(version.resource), due_moment(due_key(version.resource)), *happened)
    found = {at.astimezone(OSLO).date() for at in moments if at is not None}
    # What names no dose may answer one of the evening before or the morning after.
    return (
        found
        if len(found) != 1 or due_key(version.resource)
        else {day + n * _DAY for day in found for n in (-1, 0, 1)}
    )


class FiguresKept(Background):
    """Counts on for as long as the program works."""

    name = "medicine figures"

    def __init__(self, services: Services) -> None:
        self._counting = Counting(services.medicine_figures, services.unit_times)

    async def _go_on(self) -> None:
        while True:
            try:
                while await self._counting.follow() or await self._counting.next_days():
                    await asyncio.sleep(0)
                await self._counting.close_weeks()
            except Exception as problem:  # noqa: BLE001 - figures wait; care does not
                _log.warning("Medicine figures could not be counted; trying again: %s", problem)
                await asyncio.sleep(_RESTING)
            await asyncio.sleep(_EVERY)
