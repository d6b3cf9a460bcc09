"""Works out anew what every resource is found by, when the rules for that have changed.

Beside everybody's work, one inhabitant after another, in steps that are transactions of their own
and note how far they came. Rows that are as the rules of now would make them are left alone.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from helsevev.record import rows
from helsevev.record.appending import add_search_rows, columns
from helsevev.record.connection import Connection, DatabaseError
from helsevev.record.indexing import LOCK
from helsevev.record.rows import RULES, Row, array_text
from helsevev.record.statements import load
from helsevev.record.store import OUTDATED, Store, Stored

STEP: Final = 500
"""Resources that are looked at in one transaction."""

_SQL: Final = load("reindexing")
_STORE: Final = load("store")
_WAIT: Final = 0.2
"""Seconds until the next try when a writer or the indexer of added parameters was in the way."""

_IN_THE_WAY: Final = frozenset({"55P03", "40P01", OUTDATED})
"""Lock not available in time, deadlock, a search parameter added meanwhile: nothing was changed."""

Place = tuple[str, str]
Found = tuple[list[Any], list[Any], list[Any]]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: resources looked at, how many of them were changed, and about how many."""

    done: int
    changed: int
    total: int
    finished: bool


class Reindexer:
    """The one record of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._database = store.roles.owner

    async def progress(self) -> Progress | None:
        """How far the rules of now have come; None when nobody has begun."""
        row = await self._database.fetchrow(_SQL["place"], RULES)
        if row is None:
            return None
        total = max(await self._database.fetchval(_SQL["total"]), row["done"])
        return Progress(row["done"], row["changed"], total, row["finished"])

    async def is_done(self) -> bool:
        """Whether all rows are as the rules of now make them."""
        found: bool = await self._database.fetchval(_SQL["is_extracted"], RULES)
        return found

    async def project_types(self, types: Sequence[str]) -> None:
        """Make the read models of all resources of some types anew, and nothing else.

        Raises `DatabaseError`.
        """
        place: tuple[int, str, str] = (-(2**63), "", "")
        while found := await self._database.fetch(_SQL["of_types"], list(types), *place, STEP):
            stored = [Stored(*each) for each in found]
            place = (stored[-1].patient, stored[-1].type, stored[-1].id)
            for patient in dict.fromkeys(each.patient for each in stored):
                made = [
                    rows.build(each.resource, each.version, each.patient)
                    for each in stored
                    if each.patient == patient
                ]
                async with self._database.transaction() as connection:
                    await self._project(connection, made)

    async def run(
        self, tell: Callable[[Progress], None], *, again: bool = False, pause: float = 0
    ) -> Progress:
        """Go on where it was until everything is done; from the beginning with `again`.

        `pause` is for how many seconds others have the machine after each step. Raises
        `DatabaseError`; what was done until then stays.
        """
        if again:
            await self._database.execute(_SQL["again"], RULES)
        await self._database.execute(_SQL["begin"], RULES)
        await self._store.custom.refresh()
        while True:
            progress = await self.progress()
            assert progress is not None
            tell(progress)
            if progress.finished:
                return progress
            try:
                moved = await self._step()
            except DatabaseError as problem:
                if problem.sqlstate not in _IN_THE_WAY:
                    raise
                moved = False
                await self._store.custom.refresh()
            await asyncio.sleep(pause if moved else _WAIT)

    async def _step(self) -> bool:
        """The next resources of one inhabitant; False when somebody else is at it."""
        async with self._database.transaction() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK):
                return False
            await connection.execute(_SQL["wait_at_most"])
            at: Any = await connection.fetchrow(_SQL["place"], RULES)
            if at is None or at["finished"]:
                return True
            place = (at["patient"], at["type"], at["id"])
            found = await connection.fetch(_SQL["next"], *place, STEP)
            if not found:
                await connection.execute(_SQL["finished"], RULES)
                return True
            changed = await self._rework(connection, found)
            last = (found[-1]["patient"], found[-1]["type"], found[-1]["id"])
            await connection.execute(_SQL["reached"], RULES, *last, len(found), changed)
        return True

    async def _rework(self, connection: Connection, found: Sequence[Any]) -> int:
        stored = [Stored(*tuple(row)[:7]) for row in found]
        made = [rows.build(each.resource, each.version, each.patient) for each in stored]
        state = self._store.custom.extend(made)
        differing = await _differing(connection, found, made)
        if differing:
            patient = differing[0].patient
            there = await connection.fetch(_SQL["rework"], patient, *_replaced(differing))
            kept = {(row["type"], row["id"]) for row in there}
            await add_search_rows(connection, [r for r in differing if (r.type, r.id) in kept])
            await connection.fetchval(_STORE["require_state"], state)
        await self._project(connection, made)
        return len(differing)

    async def _project(self, connection: Connection, made: Sequence[Row]) -> None:
        """The read models too, of those that nobody has changed since they were looked at."""
        concerned = [row for row in made if row.type in self._store.projected]
        if not concerned:
            return
        places = columns([(row.type, row.id, row.version) for row in concerned], 3)
        held = await connection.fetch(_SQL["hold"], concerned[0].patient, *places)
        there = {(row["type"], row["id"]) for row in held}
        kept = [row for row in concerned if (row.type, row.id) in there]
        await self._store.project(connection, kept, anew=True)


async def _differing(connection: Connection, found: Sequence[Any], made: list[Row]) -> list[Row]:
    """The rows that are not as they are in the tables."""
    patient = made[0].patient
    places = columns([(row.type, row.id) for row in made], 2)
    held: defaultdict[Place, Found] = defaultdict(lambda: ([], [], []))
    for number, table in enumerate(("strings", "dates", "quantities")):
        for row in await connection.fetch(_SQL[table], patient, *places):
            held[row["type"], row["id"]][number].append(tuple(row)[2:])
    texts = [(r.type, r.id, *(r.words or (None, None))) for r in made]
    other_words = {
        tuple(row) for row in await connection.fetch(_SQL["texts"], patient, *columns(texts, 4))
    }
    differing = []
    for now, row in zip(found, made, strict=True):
        place = (row.type, row.id)
        as_now = (
            place not in other_words
            and (now["code"], now["date_low"], now["date_high"], now["token_set"])
            == (row.code, row.date_low, row.date_high, row.token_set)
            and set(now["keys"]) == set(row.keys)
            and tuple(map(sorted, held[place]))
            == (sorted(row.strings), sorted(row.dates), sorted(row.quantities))
        )
        if not as_now:
            differing.append(row)
    return differing


def _replaced(differing: Sequence[Row]) -> list[Any]:
    sets = {row.token_set: sorted(set(row.tokens)) for row in differing if row.tokens}
    current = [
        (
            *(row.type, row.id, row.version, row.code, row.date_low, row.date_high),
            *(array_text(row.keys), row.token_set),
        )
        for row in differing
    ]
    return [
        *columns(current, 8),
        sorted(sets),
        [array_text(sets[number]) for number in sorted(sets)],
        *columns(sorted({coding for row in differing for coding in row.codings}), 4),
    ]
