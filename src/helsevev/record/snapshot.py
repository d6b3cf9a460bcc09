"""One moment of the whole record, read page by page: what exports and views are made of.

All pages come from one repeatable-read transaction, in the order of the primary key; a page holds
so many bytes at most, so that memory stays flat whatever the record holds.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from helsevev.fhir.search_query import Query
from helsevev.record import keys
from helsevev.record.connection import Connection
from helsevev.record.database import Database
from helsevev.record.search import Search
from helsevev.record.statements import load
from helsevev.record.store import Stored

_SQL: Final = load("export")
PAGE: Final = 1000
PAGE_BYTES: Final = 4 * 1024 * 1024
"""Most compressed bytes of a page; they expand to some ten times as much, one by one."""

_PLACEHOLDER: Final = re.compile(r"\$(\d+)")
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_LATEST: Final = datetime.max.replace(tzinfo=UTC)
_START: Final = (-(2**63), *keys.BEFORE_ALL)
_NO_INHABITANT: Final = -(2**62)


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a snapshot is read. `patients` are inhabitants' keys, None: of all.

    Without `reference` only what is kept with inhabitants. Empty `types`: all of them. `since` is
    inclusive, `until` exclusive.
    """

    types: tuple[str, ...] = ()
    patients: tuple[int, ...] | None = None
    reference: bool = True
    since: datetime = _EARLIEST
    until: datetime = _LATEST

    @property
    def least(self) -> int:
        """The smallest inhabitant's key that is read."""
        return _NO_INHABITANT if self.reference else keys.REFERENCE + 1

    @property
    def owners(self) -> list[int] | None:
        """The inhabitants' keys for a statement."""
        return None if self.patients is None else sorted(self.patients)


class Snapshot:
    """The record as it was when the snapshot was opened."""

    def __init__(self, connection: Connection, at: datetime) -> None:
        self.at = at
        self._connection = connection

    async def expected(self) -> int:
        """About how many resources the record holds."""
        found: int = await self._connection.fetchval(_SQL["expected"])
        return max(found, 0)

    async def pages(self, selection: Selection) -> AsyncIterator[list[Stored]]:
        """Everything selected, in the order of inhabitant, type and id."""
        place: tuple[int, str, str] = _START
        given = (selection.least, selection.owners, list(selection.types))
        while True:
            rows = await self._connection.fetch(
                _SQL["page"], *place, PAGE, PAGE_BYTES, *given, selection.since, selection.until
            )
            if not rows:
                return
            page = [Stored(*row) for row in rows]
            yield page
            place = (page[-1].patient, page[-1].type, page[-1].id)

    async def matching(
        self, search: Search, queries: Sequence[Query], selection: Selection
    ) -> AsyncIterator[list[Stored]]:
        """Of what is selected, the resources that one of some searches of one type finds."""
        alternatives: list[str] = []
        values: list[Any] = []
        for query in queries:
            sql, arguments = await search.condition(query)
            alternatives.append(f"({_renumbered(sql, len(values))})")
            values += arguments

        def given(value: Any, sql_type: str) -> str:
            values.append(value)
            return f"${len(values)}::{sql_type}"

        wanted = [
            f"({' OR '.join(alternatives)})",
            f"r.patient >= {given(selection.least, 'bigint')}",
        ]
        if selection.patients is not None:
            wanted.append(f"r.patient = ANY ({given(selection.owners, 'bigint[]')})")
        wanted.append(f"r.last_updated >= {given(selection.since, 'timestamptz')}")
        wanted.append(f"r.last_updated < {given(selection.until, 'timestamptz')}")
        patient, resource_id = given(_START[0], "bigint"), given("", "text")
        # One type is read, so that the inhabitant and the id are the place.
        statement = (
            "SELECT r.patient, r.type, r.id, r.version, r.last_updated, false, r.body"
            f" FROM resource r WHERE {' AND '.join(wanted)}"
            f" AND (r.patient, r.id) > ({patient}, {resource_id})"
            f" ORDER BY r.patient, r.id LIMIT {PAGE // 4}"
        )
        while True:
            rows = await self._connection.fetch(statement, *values)
            if not rows:
                return
            page = [Stored(*row) for row in rows]
            yield page
            values[-2:] = [page[-1].patient, page[-1].id]

    async def deletions(self, selection: Selection) -> AsyncIterator[Sequence[tuple[str, str]]]:
        """(type, id) of what is selected and was deleted in the selection's time."""
        place: tuple[int, str, str] = _START
        given = (selection.least, selection.owners, list(selection.types))
        while True:
            rows = await self._connection.fetch(
                _SQL["deletions"], selection.since, selection.until, *place, PAGE, *given
            )
            if not rows:
                return
            yield [(row["type"], row["id"]) for row in rows]
            place = tuple(rows[-1])

    async def lock(self, name: str) -> bool:
        """Whether nobody else holds the name; then it is held until the snapshot is closed."""
        held: bool = await self._connection.fetchval(_SQL["lock"], name)
        return held


def _renumbered(sql: str, by: int) -> str:
    return _PLACEHOLDER.sub(lambda match: f"${int(match[1]) + by}", sql)


@asynccontextmanager
async def opened_snapshot(database: Database) -> AsyncIterator[Snapshot]:
    """A snapshot of now, for as long as the block lasts. Raises `DatabaseError`."""
    async with database.transaction() as connection:
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        at: datetime = await connection.fetchval(_SQL["now"])
        yield Snapshot(connection, at)
