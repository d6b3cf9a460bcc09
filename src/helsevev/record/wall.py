"""The wall below the application: who asks on somebody's behalf sees only whom they are tied to.

Each request is answered behind the wall, where nothing about any inhabitant is there until the gate
has found the ties of the one who asks (`reach`). What it then reads, it reads in a transaction that
PostgreSQL holds to those inhabitants, by a role that has no right to any table about them: only to
the windows of schema `shown` (migration 0016). What the program does by itself has no wall.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any, Final

from helsevev.record import keys
from helsevev.record.connection import Connection, Row
from helsevev.record.database import Database

ROLE: Final = "helsevev_asker"
"""The role of PostgreSQL by which windows are looked through, and nothing else."""

_SESSION: Final = {"role": ROLE, "search_path": 'shown, "$user", public'}


class Asking:
    """What one request may reach: reference data, and the inhabitants that the gate has named."""

    __slots__ = ("_text", "patients", "whole")

    def __init__(self) -> None:
        self.whole = False
        self.patients: set[int] = {keys.REFERENCE}
        self._text: str | None = None

    def add(self, patients: Iterable[int]) -> None:
        """From here on these inhabitants are seen."""
        if not self.patients.issuperset(patients := set(patients)):
            self.patients |= patients
            self._text = None

    def drop(self, patient: int) -> None:
        """From here on this inhabitant is not seen."""
        if patient in self.patients and patient != keys.REFERENCE:
            self.patients.remove(patient)
            self._text = None

    @property
    def text(self) -> str:
        """The inhabitants as setting `helsevev.scope`: their keys in order."""
        if self._text is None:
            self._text = f"{{{','.join(map(str, sorted(self.patients)))}}}"
        return self._text


_ASKING: Final[ContextVar[Asking | None]] = ContextVar("asking", default=None)


@contextmanager
def behind() -> Iterator[Asking]:
    """Answer a request behind the wall, where nobody is seen yet."""
    asking = Asking()
    token = _ASKING.set(asking)
    try:
        yield asking
    finally:
        _ASKING.reset(token)


@contextmanager
def beyond() -> Iterator[None]:
    """Do what the program has to do by itself in a request, such as finding who signs in."""
    token = _ASKING.set(None)
    try:
        yield
    finally:
        _ASKING.reset(token)


def asking() -> Asking | None:
    """What is held behind the wall now; None: nothing is, the whole record is reached."""
    found = _ASKING.get()
    return None if found is None or found.whole else found


def sees(patient: int) -> bool:
    """Whether the wall lets this inhabitant be seen now."""
    held = asking()
    return held is None or patient in held.patients


def see_whole() -> None:
    """The one who asks has the right to the whole record: a system, known by its token."""
    found = _ASKING.get()
    if found is not None:
        found.whole = True


class Walled(Database):
    """The record as the request that is being answered may see it, for reading.

    Outside requests, and for systems, it is the whole record, by the connections of `database`.
    """

    def __init__(self, database: Database) -> None:
        self._whole = database
        self._windows = database.beside(_SESSION)
        self.origins = database.origins

    async def fetch(self, statement: str, *arguments: Any) -> list[Row]:
        """As `Database.fetch`."""
        if asking() is None:
            return await self._whole.fetch(statement, *arguments)
        async with self._within(statement) as connection:
            return await connection.fetch(statement, *arguments)

    async def fetch_within(self, seconds: float, statement: str, *arguments: Any) -> list[Row]:
        """As `Database.fetch_within`."""
        if asking() is None:
            return await self._whole.fetch_within(seconds, statement, *arguments)
        async with self._within(statement) as connection:
            return await connection.fetch_within(seconds, statement, *arguments)

    async def fetchrow(self, statement: str, *arguments: Any) -> Row | None:
        """As `Database.fetchrow`."""
        if asking() is None:
            return await self._whole.fetchrow(statement, *arguments)
        async with self._within(statement) as connection:
            return await connection.fetchrow(statement, *arguments)

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        """As `Database.fetchval`."""
        if asking() is None:
            return await self._whole.fetchval(statement, *arguments)
        async with self._within(statement) as connection:
            return await connection.fetchval(statement, *arguments)

    async def execute(self, statement: str, *arguments: Any) -> str:
        """As `Database.execute`; behind the wall nothing can be changed."""
        if asking() is None:
            return await self._whole.execute(statement, *arguments)
        async with self._within(statement) as connection:
            return await connection.execute(statement, *arguments)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection to oneself; behind the wall in a transaction that reads what is in reach."""
        held = asking()
        if held is None:
            async with self._whole.connection() as connection:
                yield connection
            return
        async with self._within("") as connection:
            yield connection

    @asynccontextmanager
    async def _within(self, statement: str) -> AsyncIterator[Connection]:
        """A connection that is fit for the statement, in a transaction that reads what is seen."""
        held = asking() or Asking()
        async with self._windows.fit_for(statement).connection() as connection:
            try:
                await _begin(connection, held.text)
                yield connection
                await connection.execute("COMMIT")
            except BaseException:
                await connection.abandon()
                raise

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """As `Database.transaction`; behind the wall for reading."""
        held = self._whole.transaction() if asking() is None else self.connection()
        async with held as connection:
            yield connection


async def _begin(connection: Connection, scope: str) -> None:
    """One round trip; the setting ends with the transaction."""
    await connection.execute(f"BEGIN READ ONLY; SET LOCAL helsevev.scope = '{scope}'")
