"""Opening the record: the embedded PostgreSQL or a server by URL, with this program's schema."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from helsevev.kit.settings import Settings
from helsevev.record import body
from helsevev.record.connection import DatabaseError
from helsevev.record.database import Database
from helsevev.record.embedded import embedded
from helsevev.record.migration import migrate
from helsevev.record.statements import load

_SQL: Final = load("store")


class UnfitDictionary(DatabaseError):
    """The record's bodies were packed with another dictionary of the same number."""

    def __init__(self) -> None:
        super().__init__(
            "This record was written by a build whose dictionary differs from this one's, so its"
            " bodies cannot be read here. Use that build, or start with an empty data folder."
        )


@asynccontextmanager
async def opened(settings: Settings, connections: int = 8) -> AsyncIterator[Database]:
    """The record's database, migrated and ready, until the block ends.

    Raises what `embedded`, `Database.open` and `migrate` raise, each with what to do about it.
    """
    if settings.database_url is not None:
        async with _connected(settings.database_url, connections) as database:
            yield database
        return
    async with embedded(settings.data) as url, _connected(url, connections) as database:
        yield database


@asynccontextmanager
async def _connected(url: str, connections: int) -> AsyncIterator[Database]:
    database = await Database.open(url, size=connections)
    try:
        await migrate(database)
        await database.execute(_SQL["store_dictionary"], body.CURRENT_ID, body.dictionary_bytes())
        if await database.fetchval(_SQL["dictionary"], body.CURRENT_ID) != body.dictionary_bytes():
            raise UnfitDictionary
        await database.execute(_SQL["settle_restored_changes"])
        yield database
    finally:
        await database.close()
