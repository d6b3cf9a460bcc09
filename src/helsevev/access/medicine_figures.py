"""Counts of how medicines are given: what they are counted of, by unit and day, and who sees them.

What is counted, and how, is the medication chapter's; here are the rows it is counted from, and
those it is kept in. Whole records are read for counting alone: what is handed on names nobody.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.access.gate import Gate
from helsevev.access.people import Found, People
from helsevev.access.policy import Decision, Facts, decide
from helsevev.fhir import dates
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.changes import Place
from helsevev.record.statements import load
from helsevev.record.store import Stored

_SQL: Final = load("figures")
_STORE: Final = load("store")
_PEOPLE: Final = load("people")
REFUSED: Final = "Figures of a unit are for those who lead it."
_BEHIND: Final = timedelta(days=35)
"""How long before a time a stay may have ended that was thought to last into it."""

_AROUND: Final = timedelta(days=2)
"""How far from its time a dose may be given, and still answer it."""

HAPPENED: Final = ("MedicationAdministration", "DetectedIssue", "List")
"""Types of what happens at a moment, and is counted of."""

_CHANGES: Final = 2000
_FURTHEST: Final = 2**62
_PARENTS: Final = 12
Kept = tuple[int, date, str, str, Sequence[int]]
"""Counts of one inhabitant, on a day, of a figure, at a unit."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a resource: since when it stood, and its content (empty: deleted)."""

    type: str
    id: str
    since: datetime
    resource: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Week:
    """A unit's week of one figure; `as_of` is when it was closed, None while it is counted on."""

    unit: str
    week: date
    figure: str
    counts: tuple[int, ...]
    definition: str = ""
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far counting has come: the last day counted for all, the last week closed, the feed."""

    day: date | None
    week: date | None
    place: Place


@dataclass(frozen=True, slots=True)
class Changed:
    """What one transaction changed of an inhabitant: (type, id) of each resource."""

    patient: int
    resources: tuple[tuple[str, str], ...]


class MedicineFigures:
    """Keeps the counts, and opens them to those who look after a unit."""

    def __init__(self, gate: Gate, people: People) -> None:
        self._gate = gate
        self._people = people
        self._whole = gate.store.roles.whole
        self._database = gate.store.database

    # What is seen, decided and traced.

    async def units_of(self, actor: Actor) -> dict[str, str]:
        """The actor's unit and those below it, with their names. Raises `Refused`."""
        own = actor.unit[0] if actor.unit else ""
        await self.decide(actor, own)
        parts = await self._parts()
        found = [own] if own else []
        for unit in found:
            found += [each for each, part_of in parts.items() if part_of == unit]
        stored = await self._gate.store.read_many(_place(unit) for unit in found)
        names = {each.reference: str(each.resource.get("name", "")) for each in stored.values()}
        return {unit: names[unit] for unit in found if unit in names}

    async def decide(self, actor: Actor, unit: str) -> None:
        """That the actor looks after the unit: their own, or one below it. Raises `Refused`."""
        own = actor.unit[0] if actor.unit else ""
        is_own = bool(own) and own in await self.lineage(unit)
        if not decide(actor, "see-figures", Facts("reference", own=is_own)).allowed:
            closed = Decision(False, "none", REFUSED)
            await self._gate.refuse(actor, keys.REFERENCE, closed, "figures")

    async def weeks(self, actor: Actor, units: Sequence[str], since: date) -> list[Week]:
        """Weeks since a Monday, as they are counted now and as they were closed; traced."""
        for unit in units:
            await self.decide(actor, unit)
        await self._gate.trace_nothing(actor, "figures", " ".join(units)[:200])
        now = await self._whole.fetch(_SQL["weeks_counted"], list(units), since)
        closed = await self._database.fetch(_SQL["weeks_closed"], list(units), since)
        return [
            *(Week(r["unit"], r["week"], r["figure"], tuple(r["counts"])) for r in now),
            *(
                Week(r["unit"], r["week"], r["figure"], tuple(r["counts"]), r["definition"],
                     r["as_of"])
                for r in closed
            ),
        ]  # fmt: skip

    async def people_of_week(
        self, actor: Actor, unit: str, week: date
    ) -> list[tuple[Found, dict[str, tuple[int, ...]]]]:
        """Those whom a unit's week was counted of, as a list of people shows them; traced."""
        await self.decide(actor, unit)
        rows = await self._whole.fetch(_SQL["patients_of_week"], unit, week)
        counts: dict[int, dict[str, tuple[int, ...]]] = {}
        for row in rows:
            counts.setdefault(row["patient"], {})[row["figure"]] = tuple(row["counts"])
        stored = [
            Stored(*row) for row in await self._gate.store.roles.people.fetch(
                _PEOPLE["patients"], list(counts)
            )
        ]  # fmt: skip
        found = await self._people.listed(actor, stored, "figures")
        return [(each, counts[keys.patient_key(each.patient_id)]) for each in found]

    async def told_of_one(self, patient_id: str, start: datetime, end: datetime) -> list[Version]:
        """What one inhabitant's open record tells of a time, as it is counted."""
        patient = keys.patient_key(patient_id)
        return (await self.told([patient], start, end)).get(patient, [])

    async def progress(self) -> Progress:
        """How far counting has come."""
        return _progress(await self._database.fetchrow(_SQL["progress"]))

    # What is counted, by the program itself.

    async def treated(self, start: datetime, end: datetime, batch: int) -> AsyncIterator[list[int]]:
        """The keys of those whom anybody treated in a time, some at once."""
        after = 0
        span = dates.microseconds(start), dates.microseconds(end)
        while rows := await self._whole.fetch(_SQL["treated"], *span, after, batch):
            found = [row["patient"] for row in rows]
            yield found
            after = found[-1]

    async def treated_total(self, start: datetime, end: datetime) -> int:
        """How many that are."""
        span = dates.microseconds(start), dates.microseconds(end)
        total: int = await self._whole.fetchval(_SQL["treated_total"], *span)
        return total

    async def told(
        self, patients: Sequence[int], start: datetime, end: datetime
    ) -> dict[int, list[Version]]:
        """What some inhabitants' records tell of a time: every version of orders, stays and
        services, and what happened in it.
        """
        moments = (start - _BEHIND, end + _AROUND, start - _AROUND)
        span = [dates.microseconds(each) for each in moments]
        rows = await self._whole.fetch(_SQL["told"], list(patients), *span, list(HAPPENED))
        return {
            patient: list(_versions(list(of_one)))
            for patient, of_one in groupby(rows, key=lambda row: row["patient"])
        }

    async def keep(
        self, patients: Sequence[int], first: date, last: date, kept: Iterable[Kept]
    ) -> None:
        """Replace what is counted of inhabitants on some days."""
        rows = [(*each[:4], "{" + ",".join(map(str, each[4])) + "}") for each in kept]
        async with self._whole.transaction() as connection:
            await connection.execute(_SQL["forget"], list(patients), first, last)
            if rows:
                await connection.execute(_SQL["keep"], *map(list, zip(*rows, strict=True)))

    async def close_weeks(self, after: date, last: date, definitions: Mapping[str, str]) -> None:
        """Keep the weeks after one and up to another as they are now, for good."""
        await self._whole.execute(
            _SQL["close_weeks"], after, last, list(definitions), list(definitions.values()),
            clock.now(),
        )  # fmt: skip

    async def note(self, progress: Progress) -> None:
        """Keep how far counting has come."""
        place = progress.place
        await self._database.execute(
            _SQL["move_progress"], progress.day, progress.week, place.xid, place.seq
        )  # fmt: skip

    async def settled(self) -> Place:
        """The place after all that can be shown, for a count of the whole that begins now."""
        return Place(await self._whole.fetchval(_STORE["now_settled"]), _FURTHEST)

    async def changes(self, after: Place) -> tuple[list[Changed], Place]:
        """Some of what was changed after a place in the feed, and the place after that."""
        # A place from before the record was restored may lie beyond all that is written now.
        after = min(after, await self.settled())
        rows = await self._whole.fetch(_STORE["changes_after"], after.xid, after.seq, _CHANGES)
        changed = [
            Changed(row["patient"], tuple(zip(row["types"], row["ids"], strict=True)))
            for row in rows
            if row["patient"] > 0
        ]
        return changed, Place(rows[-1]["xid"], rows[-1]["seq"]) if rows else after

    async def versions(self, changed: Iterable[tuple[int, str, str]]) -> list[tuple[int, Version]]:
        """Every version of some resources (patient, type, id), with whose they are."""
        wanted = list(changed)
        rows = await self._whole.fetch(_SQL["versions"], *map(list, zip(*wanted, strict=True)))
        return [(row["patient"], version) for row in rows for version in _versions([row])]

    async def lineages(self) -> dict[str, tuple[str, ...]]:
        """Every unit with what it is part of, nearest first, itself in front."""
        parts = await self._parts()
        return {unit: tuple(_upward(unit, parts)) for unit in parts}

    async def lineage(self, unit: str) -> tuple[str, ...]:
        """A unit and what it is part of."""
        return (await self.lineages()).get(unit, (unit,))

    async def _parts(self) -> dict[str, str]:
        rows = await self._database.fetch(_SQL["organisations"])
        return {f"Organization/{row['id']}": row["part_of"] for row in rows}


def _versions(rows: Sequence[Any]) -> Iterator[Version]:
    for row in rows:
        stored = Stored(*row)
        yield Version(
            stored.type, stored.id, stored.last_updated, {} if stored.deleted else stored.resource
        )


def _progress(row: Any) -> Progress:
    place = Place(row["xid"], row["seq"])
    return Progress(row["day"], row["week"], place)


def _upward(unit: str, parts: Mapping[str, str]) -> Iterator[str]:
    for _ in range(_PARENTS):
        if not unit:
            return
        yield unit
        unit = parts.get(unit, "")


def _place(reference: str) -> tuple[str, str]:
    kind, _, own_id = reference.partition("/")
    return kind, own_id
