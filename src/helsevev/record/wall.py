"""The wall below the application: who asks on somebody's behalf sees only whom they are tied to.

Each request is answered behind the wall, where nothing about any inhabitant is there until the gate
has found the ties of the one who asks (`reach`). What it then reads or writes, PostgreSQL holds to
those inhabitants, by roles that have no right to any table about them: only to the windows of
schema `shown` (migrations 0016 and 0022). What the program does by itself has no wall.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any, Final

from helsevev.record import keys
from helsevev.record.connection import Connection, Row
from helsevev.record.database import Database, DatabaseError

ROLE: Final = "helsevev_asker"
"""The role of PostgreSQL by which windows are looked through, and nothing else."""

AUTHOR: Final = "helsevev_author"
"""The role by which they are written through too."""

_PATH: Final = 'shown, "$user", public'
_SCOPE: Final = "SELECT set_config('helsevev.scope', $1, false)"


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


class OutOfReach(DatabaseError):
    """Something about an inhabitant who is not seen was about to be shown."""

    def __init__(self) -> None:
        super().__init__("What is about this inhabitant is out of reach.", "42501")


class Windows(Database):
    """Connections by a role that sees through windows only, each told in time whom it may see.

    A connection keeps what it was told, so that a page's many statements tell it once.
    """

    async def _acquire(self) -> Connection:
        scope = (asking() or _NOBODY).text
        for place, idle in enumerate(self._idle):
            if idle.scope == scope and not idle.closed:
                return self._idle.pop(place)
        connection = await super()._acquire()
        if connection.scope != scope:
            try:
                await connection.fetchval(_SCOPE, scope)
            except BaseException:
                # What it was told last is not known.
                connection.driver.terminate()
                self._release(connection)
                raise
            connection.scope = scope
        return connection


_NOBODY: Final = Asking()


class Walled(Database):
    """The record as the request that is being answered may reach it.

    Outside requests, and for systems, it is the whole record, by the connections of `whole`.
    """

    def __init__(
        self, whole: Database, owner: Database, role: str = ROLE, login: str | None = None
    ) -> None:
        self._whole = whole
        session = {"role": role, "search_path": _PATH}
        self._windows = owner.beside(session, url=login, kind=Windows)
        self.origins = owner.origins

    @property
    def _held(self) -> Database:
        return self._whole if asking() is None else self._windows

    async def fetch(self, statement: str, *arguments: Any) -> list[Row]:
        """As `Database.fetch`."""
        return await self._held.fetch(statement, *arguments)

    async def fetch_within(self, seconds: float, statement: str, *arguments: Any) -> list[Row]:
        """As `Database.fetch_within`."""
        return await self._held.fetch_within(seconds, statement, *arguments)

    async def fetchrow(self, statement: str, *arguments: Any) -> Row | None:
        """As `Database.fetchrow`."""
        return await self._held.fetchrow(statement, *arguments)

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        """As `Database.fetchval`."""
        return await self._held.fetchval(statement, *arguments)

    async def execute(self, statement: str, *arguments: Any) -> str:
        """As `Database.execute`."""
        return await self._held.execute(statement, *arguments)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection to oneself, which reaches what is in reach now."""
        async with self._held.connection() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """As `Database.transaction`."""
        async with self._held.transaction() as connection:
            yield connection
