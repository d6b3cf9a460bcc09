"""Opening the record: the embedded PostgreSQL or a server by URL, with this program's schema."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from helsevev.kit.settings import Settings
from helsevev.record import body, sealed
from helsevev.record.connection import DatabaseError
from helsevev.record.database import Database
from helsevev.record.embedded import EmbeddedPostgres, embedded
from helsevev.record.keeper.places import program_url
from helsevev.record.migration import migrate
from helsevev.record.roles import PROGRAM, let_sign_in
from helsevev.record.statements import load
from helsevev.record.subscriptions import settle_restored

_SQL: Final = load("store")


class UnfitDictionary(DatabaseError):
    """The record's bodies were packed with another dictionary of the same number."""

    def __init__(self) -> None:
        super().__init__(
            "This record was written by a build whose dictionary differs from this one's, so its"
            " bodies cannot be read here. Use that build, or start with an empty data folder."
        )


@asynccontextmanager
async def reached(settings: Settings) -> AsyncIterator[str]:
    """The URL of the record's database; an embedded PostgreSQL runs at least until the block ends.

    Raises what `embedded` raises.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    async with embedded(settings.data) as url:
        yield url


@contextmanager
def held(settings: Settings) -> Iterator[None]:
    """Keep the embedded PostgreSQL for a block that has no event loop, and may fork in it.

    Raises what `embedded` raises. Who uses the database in the block opens it by itself.
    """
    if settings.database_url is not None:
        yield
        return
    server = EmbeddedPostgres(settings.data)
    asyncio.run(server.start())
    try:
        yield
    finally:
        asyncio.run(server.stop())


@asynccontextmanager
async def opened(settings: Settings, connections: int = 8) -> AsyncIterator[Database]:
    """The record's database, migrated and ready, until the block ends.

    Raises what `embedded`, `Database.open` and `migrate` raise, each with what to do about it.
    """
    async with reached(settings) as url, _connected(url, connections) as database:
        database.login = settings.database_program_url
        if settings.database_url is None:
            database.login = program_url(url, PROGRAM)
            await let_sign_in(database, database.login)
        yield database


@asynccontextmanager
async def _connected(url: str, connections: int) -> AsyncIterator[Database]:
    database = await Database.open(url, size=connections)
    try:
        await migrate(database)
        await database.execute(_SQL["store_dictionary"], body.CURRENT_ID, body.dictionary_bytes())
        if await database.fetchval(_SQL["dictionary"], body.CURRENT_ID) != body.dictionary_bytes():
            raise UnfitDictionary
        await settle_restored(database)
        await database.execute(_SQL["settle_restored_changes"])
        await sealed.settle_restored(database)
        yield database
    finally:
        await database.close()
