"""Looks for unusual reads as the trail grows: facts are gathered, the published rules asked."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec

from helsevev.access.audit.reads import NOBODY, STAFF, ZONE, Person, Reads, grouped, person_of
from helsevev.access.audit.rules import unusual
from helsevev.access.touch import touch_of
from helsevev.access.treatment_relation import GRACE
from helsevev.content.audit_shapes import ReadFacts
from helsevev.content.loading import unusual_reads
from helsevev.fhir import dates
from helsevev.kit import clock
from helsevev.kit.background import Background
from helsevev.record import keys
from helsevev.record.connection import Connection, DatabaseError
from helsevev.record.rows import token_hash
from helsevev.record.statements import load
from helsevev.record.store import Store, Stored

_SQL: Final = load("audit")
_PEOPLE: Final = load("people")
_log = logging.getLogger(__name__)
EVERY: Final = 20.0
"""Seconds between two looks."""

BATCH: Final = 2000
_USUAL: Final = timedelta(days=60)
_EMERGENCIES: Final = timedelta(days=90)
"""How far back what nobody else confirmed afterwards is looked for."""


@dataclass(frozen=True, slots=True)
class _Habit:
    """How many records somebody opens on a day, at which hours, and on how many days so far."""

    records: float = 0
    hours: tuple[int, ...] = ()
    days: int = 0
    today: int = 0


class Watcher(Background):
    """Goes through the trail once, in the background, and keeps what it finds."""

    name = "unusual reads"

    def __init__(self, store: Store) -> None:
        self._store = store
        self._database = store.roles.whole

    async def look(self) -> int:
        """Go through all that is new; how many rows that was. Raises `DatabaseError`."""
        total = 0
        while True:
            count = await self._look_once()
            total += count
            if count < BATCH:
                break
        await self._look_at_emergencies()
        await self._look_at_own_words()
        return total

    async def _look_once(self) -> int:
        async with self._database.transaction() as connection:
            place = await connection.fetchrow(_SQL["take_reader"])
            if place is None:
                return 0  # Another process is at it.
            rows = await connection.fetch(_SQL["of_time"], place["xid"], place["id"], BATCH)
            if not rows:
                return 0
            # Systems read most; nothing is made of their rows.
            of_staff = (touch_of(row) for row in rows if row["actor"].startswith(STAFF))
            groups = list(grouped(of_staff).values())
            await self._judge(connection, groups)
            await connection.execute(_SQL["move_reader"], rows[-1]["xid"], rows[-1]["id"])
            return len(rows)

    async def _judge(self, connection: Connection, groups: list[Reads]) -> None:
        if not groups:
            return
        habits = await self._habits(connection, groups)
        people = await self._people({each.patient for each in groups})
        staff = await self._staff({each.actor for each in groups})
        colleagues = await self._colleagues(connection, people)
        ends = await self._ends(connection, {each.patient for each in groups})
        found: list[tuple[Any, ...]] = []
        many: set[tuple[str, date]] = set()
        for reads in groups:
            reader, patient = staff.get(reads.actor, NOBODY), people.get(reads.patient, NOBODY)
            habit = habits[reads.actor, reads.day]
            facts = ReadFacts(
                reader_number=reader.number,
                patient_number=patient.number,
                reader_family=reader.family,
                patient_family=patient.family,
                reader_address=reader.address,
                patient_address=patient.address,
                is_colleague=reads.patient in colleagues and patient.number != reader.number,
                is_well_known=patient.is_well_known,
                is_emergency=reads.emergency,
                days_since_end=_days_since_end(reads, ends),
                records_today=habit.today,
                records_usual=habit.records,
                hour=reads.first.at.astimezone(ZONE).hour,
                usual_hours=habit.hours,
                days_known=habit.days,
            )
            for rule in unusual(facts):
                whose = 0 if rule.code in ("volume", "outside-shift") else reads.patient
                if whose == 0:
                    if (rule.code + reads.actor, reads.day) in many:
                        continue
                    many.add((rule.code + reads.actor, reads.day))
                found.append(_finding(reads, rule.code, rule.due_days, whose, facts))
        await _keep(connection, found)

    async def _habits(
        self, connection: Connection, groups: Collection[Reads]
    ) -> dict[tuple[str, date], _Habit]:
        """What is usual for each reader before the day, with the day itself counted up."""
        records = Counter((each.actor, each.day) for each in groups)
        hours: defaultdict[tuple[str, date], int] = defaultdict(int)
        for each in groups:
            hours[each.actor, each.day] |= 1 << each.first.at.astimezone(ZONE).hour
        first = min(day for _, day in records) - _USUAL
        known = await connection.fetch(_SQL["days"], [actor for actor, _ in records], first)
        days: defaultdict[str, list[Any]] = defaultdict(list)
        for row in known:
            days[row["actor"]].append(row)
        ordered = sorted(records)
        await connection.execute(
            _SQL["count_day"], [actor for actor, _ in ordered], [day for _, day in ordered],
            [records[key] for key in ordered], [hours[key] for key in ordered],
        )  # fmt: skip
        return {key: _habit(days[key[0]], key[1], records[key]) for key in records}

    async def _people(self, patients: set[int]) -> dict[int, Person]:
        rows = await self._database.fetch(_PEOPLE["patients"], list(patients))
        return {row["patient"]: person_of(Stored(*row).resource) for row in rows}

    async def _staff(self, actors: set[str]) -> dict[str, Person]:
        wanted = [("Practitioner", actor.partition("/")[2]) for actor in actors]
        found = await self._store.read_many(wanted)
        return {stored.reference: person_of(stored.resource) for stored in found.values()}

    async def _colleagues(self, connection: Connection, people: Mapping[int, Person]) -> set[int]:
        """The inhabitants who are registered as staff, by their national numbers."""
        numbers = {
            token_hash("identifier", None, person.number): patient
            for patient, person in people.items()
            if person.number
        }
        rows = await connection.fetch(_SQL["staff_numbered"], list(numbers)) if numbers else []
        return {numbers[row["number"]] for row in rows}

    async def _ends(
        self, connection: Connection, patients: set[int]
    ) -> dict[tuple[int, str], datetime]:
        rows = await connection.fetch(_SQL["ends"], list(patients))
        return {
            (row["patient"], row["source"]): datetime.fromtimestamp(row["end_at"] / 1e6, ZONE)
            for row in rows
            if row["end_at"] < dates.MAX
        }

    async def _look_at_emergencies(self) -> None:
        rule = next(r for r in unusual_reads().rule if r.code == "no-relation-afterwards")
        now = clock.now()
        until = now - timedelta(days=rule.threshold)
        rows = await self._database.fetch(
            _SQL["emergencies_without_relation"], until - _EMERGENCIES, until
        )
        found = [
            (
                *(row["patient"], keys.next_key(), now, row["started_at"]),
                *(now + timedelta(days=rule.due_days), 0, rule.code, row["actor"], row["actor"]),
                *(row["organisation"], row["started_at"].astimezone(ZONE).date().isoformat()),
                _json({"ground": row["ground"], "days": (now - row["started_at"]).days}),
            )
            for row in rows
        ]
        await _keep(self._database, found)

    async def _look_at_own_words(self) -> None:
        """Relations that somebody stated and wrote down, which nobody else has confirmed."""
        rule = next(r for r in unusual_reads().rule if r.code == "own-word")
        now = clock.now()
        until = now - timedelta(days=rule.threshold)
        rows = await self._database.fetch(_SQL["own_words_alone"], until - _EMERGENCIES, until)
        found = [
            (
                *(row["patient"], keys.next_key(), now, row["started_at"]),
                *(now + timedelta(days=rule.due_days), 0, rule.code, row["actor"], row["actor"]),
                *(row["organisation"], row["started_at"].astimezone(ZONE).date().isoformat()),
                _json({
                    "ground": row["ground"], "entry": row["source"],
                    "days": (now - row["started_at"]).days,
                }),
            )
            for row in rows
        ]  # fmt: skip
        await _keep(self._database, found)

    async def _go_on(self) -> None:
        while True:
            try:
                await self.look()
            except DatabaseError as problem:
                _log.warning("Unusual reads could not be looked for; trying again: %s", problem)
            await asyncio.sleep(EVERY)


async def _keep(database: Any, found: Iterable[tuple[Any, ...]]) -> None:
    # In one order, and each key once: one statement cannot meet a row twice.
    rows = {(row[0], row[7], row[6], row[10]): row for row in found}
    if rows:
        ordered = [rows[key] for key in sorted(rows)]
        await database.execute(_SQL["find"], *map(list, zip(*ordered, strict=True)))


def _finding(
    reads: Reads, rule: str, due_days: int, patient: int, facts: ReadFacts
) -> tuple[Any, ...]:
    now = clock.now()
    known: dict[str, dict[str, Any]] = {
        "volume": {"records": facts.records_today, "usual": round(facts.records_usual, 1)},
        "outside-shift": {"hour": facts.hour},
        "ended-relation": {"days": facts.days_since_end},
        "emergency": {"reason": reads.first.reason},
    }
    return (
        *(patient, keys.next_key(), now, reads.first.at, now + timedelta(days=due_days)),
        *(reads.count, rule, reads.actor, reads.name, reads.unit, reads.day.isoformat()),
        _json({**known.get(rule, {}), "number": reads.first.fhir_id}),
    )


def _habit(rows: Iterable[Any], day: date, more: int) -> _Habit:
    before = [row for row in rows if row["day"] < day]
    today = sum(row["records"] for row in rows if row["day"] == day) + more
    if not before:
        return _Habit(today=today)
    mask = 0
    for row in before:
        mask |= row["hours"]
    hours = tuple(hour for hour in range(24) if mask >> hour & 1)
    usual = sum(row["records"] for row in before) / len(before)
    return _Habit(usual, hours, len(before), today)


def _days_since_end(reads: Reads, ends: Mapping[tuple[int, str], datetime]) -> int:
    """For how long every relation that the reads rested on had ended; 0 when one had not."""
    passed = []
    for relation, at in reads.relations.items():
        end = ends.get((reads.patient, relation))
        if end is None:
            return 0
        # A relation still opens the record for some time after its end.
        passed.append((at - (end - GRACE)).days)
    return max(0, min(passed, default=0))


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
