"""Fills the pages of indexes and counts rows anew after much was written, beside others' work.

Rows that arrive by inhabitant, each in the middle of the index, leave its pages little more than
half full: 100 bytes a resource. An index that is written anew has pages that are full but for the
tenth that later writes need.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

from helsevev.record.connection import DatabaseError
from helsevev.record.database import Database
from helsevev.record.statements import load

_log = logging.getLogger(__name__)
_SQL: Final = load("packing")
LEAST: Final = 1024 * 1024
"""Bytes below which an index is left as it is."""

Tell = Callable[[int, int], None]
"""Told how many bytes of indexes have been written anew, and of how many."""


class Packer:
    """The indexes of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sizes(self) -> dict[str, int]:
        """The bytes of every index, to be given to `pack` later."""
        rows = await self._database.fetch(_SQL["indexes"])
        return {row["name"]: row["bytes"] for row in rows}

    async def pack(self, before: Mapping[str, int], tell: Tell) -> int:
        """Write anew what has more than doubled since `before`; returns the bytes that are won.

        Then the planner's statistics, so that nobody waits for the server to do it by itself.

        An index that cannot be now, since a transaction of before goes on for long, is left as it
        is. Raises `DatabaseError` when the database is away.
        """
        now = await self.sizes()
        grown = [
            name for name, size in now.items() if size >= LEAST and size > 2 * before.get(name, 0)
        ]
        done, total = 0, sum(now[name] for name in grown)
        await self._tidy()
        for name in grown:
            tell(done, total)
            await self._rebuild(name)
            done += now[name]
        tell(done, total)
        if grown:
            await self._database.execute(_SQL["analyze"])
        after = await self.sizes()
        return sum(now[name] - after.get(name, now[name]) for name in grown)

    async def _rebuild(self, name: str) -> None:
        async with self._database.connection() as connection:
            await connection.execute(_SQL["wait_at_most"])
            try:
                await connection.execute(_SQL["rebuild"].format(name=_quoted(name)))
            except DatabaseError as problem:
                _log.warning("Index %s keeps its pages as they are: %s", name, problem)
            finally:
                await connection.execute(_SQL["wait"])

    async def _tidy(self) -> None:
        for row in await self._database.fetch(_SQL["leftovers"]):
            await self._database.execute(_SQL["drop"].format(name=_quoted(row["name"])))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
