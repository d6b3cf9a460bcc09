"""A copy of the whole database, kept beside it on the same server, and put back within seconds.

A copy is made under a passing name, and takes its place by a change of names that is one
transaction. Whatever is interrupted, there is the old database or the new one, never half of one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

from helsevev.record.connection import DatabaseError
from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL: Final = load("keeping")
_MAINTENANCE: Final = "postgres"
"""The database that every server has, to be connected to while others change their names."""

_IN_USE: Final = "55006"


class CannotKeep(DatabaseError):
    """The database could not be kept or put back, and is as it was; the message says why."""


async def keep(url: str) -> None:
    """Keep the database as it is now, in place of what was kept before. Raises `CannotKeep`."""
    async with _Server.of(url) as server:
        await server.copy(server.name, server.coming)
        await server.take_place(server.coming, server.kept)


async def put_back(url: str, prepare: Callable[[Database], Awaitable[None]]) -> None:
    """Replace the database by a copy of the one that is kept.

    Nobody stays signed in; `prepare` is handed the copy before it takes its place. Raises
    `CannotKeep`, also when none is kept.
    """
    async with _Server.of(url) as server:
        if not await server.has(server.kept):
            raise CannotKeep(
                "Nothing is kept yet that could be put back: `helsevev region keep` keeps the"
                " record as it is."
            )
        await server.copy(server.kept, server.coming)
        made = await Database.open(_named(url, server.coming), size=1)
        try:
            await made.execute(_SQL["forget_visitors"])
            await prepare(made)
        finally:
            await made.close()
        await server.take_place(server.coming, server.name)


async def is_kept(url: str) -> bool:
    """Whether a copy is kept."""
    async with _Server.of(url) as server:
        return await server.has(server.kept)


class _Server:
    """The server's databases as seen from one that is not concerned."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self.name = name
        self.kept, self.coming, self.gone = f"{name}_kept", f"{name}_coming", f"{name}_gone"

    @classmethod
    @asynccontextmanager
    async def of(cls, url: str) -> AsyncIterator[_Server]:
        working = await Database.open(url, size=1)
        row = await working.fetchrow(_SQL["name"])
        await working.close()
        assert row is not None
        if not row["may_copy"]:
            raise CannotKeep(
                "The database's role may not make databases, which a copy needs. Its administrator"
                " can allow it: ALTER ROLE … CREATEDB."
            )
        database = await Database.open(_named(url, _MAINTENANCE), size=1)
        try:
            yield cls(database, row["name"])
        except DatabaseError as error:
            if error.sqlstate != _IN_USE:
                raise
            raise CannotKeep(
                "The database is in use. Stop the server and every import first."
            ) from error
        finally:
            await database.close()

    async def has(self, name: str) -> bool:
        return bool(await self._database.fetchval(_SQL["exists"], name))

    async def copy(self, original: str, copy: str) -> None:
        # What an interrupted run left behind.
        for leftover in (self.coming, self.gone):
            await self._drop(leftover)
        await self._database.execute(
            _SQL["copy"].format(copy=_quoted(copy), original=_quoted(original))
        )

    async def take_place(self, coming: str, place: str) -> None:
        """Rename all that has to be renamed at once, and drop what was there."""
        replaces = await self.has(place)
        async with self._database.transaction() as connection:
            if replaces:
                await connection.execute(_rename(place, self.gone))
            await connection.execute(_rename(coming, place))
        await self._drop(self.gone)

    async def _drop(self, name: str) -> None:
        await self._database.execute(_SQL["drop"].format(name=_quoted(name)))


def _rename(name: str, other: str) -> str:
    return _SQL["rename"].format(name=_quoted(name), other=_quoted(other))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _named(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()
