"""The record's rows: read one, read versions, write many at once, take one out of the present.

Nothing here decides who may: only `access` calls it. A write is one statement that leaves current
rows, superseded versions, search rows, audit trail and change feed, or nothing at all.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from helsevev.kit.gathering import Gathering
from helsevev.kit.projection import Projection
from helsevev.record import audit, keys
from helsevev.record.appending import append, columns
from helsevev.record.audit import Author, audit_row
from helsevev.record.connection import (
    Connection,
    ConnectionLost,
    DatabaseError,
    UniqueViolation,
    VersionMismatch,
)
from helsevev.record.custom_parameters import CustomParameters
from helsevev.record.database import Database
from helsevev.record.roles import OfOne, Roles
from helsevev.record.rows import Row
from helsevev.record.statements import load
from helsevev.record.turns import TurnTaken, take
from helsevev.record.versions import Remembered, Stored, Write, trace_arguments, write_arguments
from helsevev.record.wall import Asking, asking

_SQL = load("store")
MANY: Final = 64
"""From so many new rows on, COPY is faster than one statement."""

FEW: Final = 8
"""Up to so many new rows are written together with those of others."""

_TRIES: Final = 4
Place = tuple[str, str]
OUTDATED: Final = "HV410"
"""SQLSTATE of a write that did not know every search parameter that was added."""


class Store:
    """Current rows and their versions, over one database.

    What is read for somebody is read from `shown`, and written by `roles.changed`: behind the wall.
    """

    def __init__(self, roles: Roles | Database, projections: Iterable[Projection] = ()) -> None:
        self.roles = roles if isinstance(roles, Roles) else OfOne(roles)
        self.database = self.roles.program
        """For what is about nobody, and what the gate decides by: no content of any record."""
        self.shown = self.roles.shown
        self.custom = CustomParameters(self.database)
        self._projections = tuple(projections)
        self.projected = frozenset(t for p in self._projections for t in p.sources)
        """Types that a chapter keeps a read model of."""
        self._reads: Gathering[tuple[str, str], Stored | None] = Gathering(
            self._read_group, final=(ConnectionLost,), at_once=2
        )
        # Only what is new: it waits for no other writer's rows, and lets none behind it wait.
        self._creates: Gathering[Write, None] = Gathering(
            self._write_group, final=(ConnectionLost,), at_once=2
        )

    @property
    def beyond(self) -> Store:
        """The same record without a wall, for those who decide by what stands in it."""
        whole = copy.copy(self)
        whole.shown = self.roles.whole
        return whole

    async def read(self, resource_type: str, resource_id: str) -> Stored | None:
        """The newest version, a deletion included; None when there never was such a resource.

        What is asked for at the same time is read together, but for those behind the wall.
        """
        if self.shown is not self.roles.whole and asking() is not None:
            return (await self._read_from(self.shown, [(resource_type, resource_id)]))[0]
        return await self._reads.ask((resource_type, resource_id))

    async def _read_group(self, wanted: Sequence[Place]) -> list[Stored | None]:
        return await self._read_from(self.roles.whole, wanted)

    async def _read_from(self, database: Database, wanted: Sequence[Place]) -> list[Stored | None]:
        places = await self.places_of(wanted)
        found = await self._current(database, places)
        for asked in places.keys() - found.keys():
            place = (places[asked], *asked)
            row = await database.fetchrow(_SQL["latest_superseded"], *place)
            if row is not None:
                found[asked] = Stored(*row)
        return [found.get(asked) for asked in wanted]

    async def read_version(
        self, resource_type: str, resource_id: str, version: int
    ) -> Stored | None:
        """One version, or None."""
        patient = await self._place(resource_type, resource_id)
        if patient is None:
            return None
        place = (patient, resource_type, resource_id, version)
        row = await self.shown.fetchrow(_SQL["read_version"], *place)
        return Stored(*row) if row else None

    async def read_many(self, wanted: Iterable[Place]) -> dict[Place, Stored]:
        """The current versions of those (type, id) that have one."""
        return await self._current(self.shown, await self.places_of(wanted))

    async def _current(self, database: Database, places: dict[Place, int]) -> dict[Place, Stored]:
        rows = await database.fetch(
            _SQL["read_many"], *columns(((p, t, i) for (t, i), p in places.items()), 3)
        )
        return {(row[1], row[2]): Stored(*row) for row in rows}

    async def newest_versions(
        self, wanted: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[int, bool]]:
        """Of those (type, id) that ever existed: the newest version, whether it is a deletion."""
        places = await self.places_of(wanted)
        rows = await self.shown.fetch(
            _SQL["versions_many"], *columns(((p, t, i) for (t, i), p in places.items()), 3)
        )
        return {(row["type"], row["id"]): (row["version"], row["deleted"]) for row in rows}

    async def places_of(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Where each (type, id) is kept, as far as its id or the directory tells."""
        places: dict[tuple[str, str], int] = {}
        unknown: dict[int, tuple[str, str]] = {}
        for resource_type, resource_id in wanted:
            place = keys.locality(resource_type, resource_id)
            if place is None:
                key = keys.directory_key(resource_type, resource_id)
                unknown[key] = (resource_type, resource_id)
            else:
                places[resource_type, resource_id] = place
        if unknown:
            rows = await self.database.fetch(_SQL["directory_many"], list(unknown))
            places.update({unknown[row["key"]]: row["patient"] for row in rows})
        return places

    async def _place(self, resource_type: str, resource_id: str) -> int | None:
        place = keys.locality(resource_type, resource_id)
        if place is None:
            key = keys.directory_key(resource_type, resource_id)
            place = await self.database.fetchval(_SQL["directory"], key)
        return place

    async def slices(self, patient: int, wanted: dict[str, int]) -> dict[str, list[Stored]]:
        """An inhabitant's newest resources by clinical date, so many of each type."""
        rows = await self.shown.fetch(_SQL["slices"], patient, list(wanted), list(wanted.values()))
        found: dict[str, list[Stored]] = {resource_type: [] for resource_type in wanted}
        for row in rows:
            stored = Stored(patient, row[0], row[1], row[2], row[3], False, row[4])
            found[stored.type].append(stored)
        return found

    async def write(self, write: Write) -> None:
        """Take `write.deletions` out of the present, and make `write.rows` current.

        Each row's version must follow the newest there is. Raises `VersionMismatch` or
        `UniqueViolation` when one does not, or when its id or the idempotency key was taken
        meanwhile, and `TurnTaken` for its turns; then nothing is stored. What creates at the same
        time is written with one statement, and yet each write stands or falls by itself.
        """
        await audit.keep_origins(self.database, (write.author.origin,))
        for attempt in range(_TRIES):
            state = self.custom.extend(write.rows)
            try:
                return await self._write(write, state)
            except DatabaseError as problem:
                if problem.sqlstate != OUTDATED or attempt == _TRIES - 1:
                    raise
                # A search parameter was added meanwhile; it finds these rows too.
                await self.custom.refresh()

        return None

    async def _write(self, write: Write, state: str) -> None:
        is_new = all(row.version == 1 for row in write.rows)
        if (held := asking()) is not None:
            await self._admit_newcomers(held, write.rows)
        elif len(write.rows) >= MANY and is_new:
            await self._append(write, state)
            return
        projected = any(row.type in self.projected for row in write.rows)
        if not projected and not write.deletions and not write.turns:
            if len(write.rows) <= FEW and is_new and held is None:
                await self._creates.ask(write)
            else:
                await self._write_in(self.roles.changed, [write])
            return
        arguments = write_arguments([write])
        async with self._written_on(write) as connection:
            if write.rows or write.remember:
                await connection.fetchval(_SQL["write"], *arguments, state)
                await self.project(connection, write.rows)

    async def _admit_newcomers(self, held: Asking, rows: Sequence[Row]) -> None:
        """Whose record begins with this write is not in reach, since nothing of it is there."""
        new = {row.patient for row in rows if row.type == "Patient" and row.version == 1}
        if new := new - held.patients:
            known = await self.roles.whole.fetch(_SQL["known_inhabitants"], list(new))
            held.add(new.difference(row["patient"] for row in known))

    async def _write_group(self, writes: Sequence[Write]) -> list[None]:
        return await self._write_in(self.roles.whole, writes)

    async def _write_in(self, database: Database, writes: Sequence[Write]) -> list[None]:
        states = [self.custom.extend(write.rows) for write in writes]
        await database.fetchval(_SQL["write"], *write_arguments(writes), states[-1])
        return [None] * len(writes)

    async def _append(self, write: Write, state: str) -> None:
        """The same for many new rows: by COPY, at a fraction of the cost."""
        async with self._written_on(write, self.roles.owner) as connection:
            stamp = (write.transaction, write.at)
            await append(connection, write.rows, *stamp, write.author.actor)
            await connection.execute(_SQL["append"], *trace_arguments([write]))
            await self.project(connection, write.rows)
            await connection.fetchval(_SQL["require_state"], state)

    @asynccontextmanager
    async def _written_on(
        self, write: Write, database: Database | None = None
    ) -> AsyncIterator[Connection]:
        """A transaction in which the turns are taken, and the deletions out."""
        async with (database or self.roles.changed).transaction() as connection:
            await take(connection, write.turns, write.at)
            for gone in write.deletions:
                await self._take_out(connection, gone, write.transaction, write.at, write.author)
            yield connection

    async def project(
        self, connection: Connection, rows: Sequence[Row], *, anew: bool = False
    ) -> None:
        """Bring the chapters' read models in line with `rows`, in their transaction.

        `anew` is for rows that may have been projected already, by other rules.
        """
        for projection in self._projections:
            concerned = [row for row in rows if row.type in projection.sources]
            if not concerned:
                continue
            sources = [(row.patient, row.type, row.id) for row in concerned]
            both = zip(sources, concerned, strict=True)
            superseding = [source for source, row in both if anew or row.version > 1]
            if superseding:
                await connection.execute(projection.forget, *columns(superseding, 3))
            made = [
                (*source, *projected)
                for source, row in zip(sources, concerned, strict=True)
                for projected in projection.rows(row.resource)
            ]
            if made:
                await connection.execute(
                    projection.add, *columns(made, 3 + len(projection.columns))
                )

    async def delete(self, current: Stored, transaction: int, at: datetime, author: Author) -> None:
        """Take `current` out of the present. Raises `VersionMismatch` when it is not the newest."""
        await audit.keep_origins(self.database, (author.origin,))
        async with self.roles.changed.transaction() as connection:
            await self._take_out(connection, current, transaction, at, author)

    async def _take_out(
        self, connection: Connection, gone: Stored, transaction: int, at: datetime, author: Author
    ) -> None:
        await connection.fetchval(
            _SQL["delete"],
            *(gone.patient, gone.type, gone.id, gone.version),
            *(transaction, at, author.actor),
        )
        trace = audit_row(gone.patient, transaction, at, author, gone.reference)
        await audit.keep_known(connection, [trace])
        for projection in self._projections:
            if gone.type in projection.sources:
                source = [(gone.patient, gone.type, gone.id)]
                await connection.execute(projection.forget, *columns(source, 3))

    async def remembered(self, actor: str, key: str) -> tuple[bytes, str] | None:
        """The fingerprint and result that this actor's idempotency key stands for."""
        row = await self.database.fetchrow(_SQL["idempotent_result"], actor, key)
        return (row["fingerprint"], row["result"]) if row else None


__all__ = [
    "Author",
    "Remembered",
    "Store",
    "Stored",
    "TurnTaken",
    "UniqueViolation",
    "VersionMismatch",
    "Write",
    "audit_row",
    "write_arguments",
]
