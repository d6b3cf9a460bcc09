"""Works added search parameters out for what was there before, in the background and in steps.

One process at a time does it. Each step is one transaction that also notes how far it came, so
that a process that is killed leaves the next one nothing to repeat.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

import msgspec

from helsevev.fhir.custom_parameters import read
from helsevev.kit.background import Background
from helsevev.record.connection import DatabaseError
from helsevev.record.custom_parameters import add_values
from helsevev.record.database import Database
from helsevev.record.statements import load
from helsevev.record.store import Stored

_log = logging.getLogger(__name__)
_SQL: Final = load("indexing")
STEP: Final = 500
"""Resources that are looked at in one transaction."""

TOLD_EACH: Final = 50_000
"""Resources between two lines in the log."""

LOCK: Final = 7_203_447_001
"""The advisory lock of whoever works values out for rows that are there."""

_RESTING: Final = 5.0
_BREATHING: Final = 0.01
"""Seconds between two looks at the list, and between two steps."""


class Indexer(Background):
    """Works through the list of added parameters for as long as it runs."""

    name = "search indexing"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def _go_on(self) -> None:
        while True:
            try:
                await self.catch_up()
            except DatabaseError as problem:
                _log.warning("Search parameters cannot be worked out now: %s", problem)
            await asyncio.sleep(_RESTING)

    async def catch_up(self) -> None:
        """Work out all that is on the list."""
        horizon: dict[str, int] = {}
        while True:
            row = await self._database.fetchrow(_SQL["unfinished"])
            if row is None:
                return
            settled: Any = await self._database.fetchrow(_SQL["settled"])
            # A write that began before the parameter was listed could not know of it.
            if settled["oldest"] >= horizon.setdefault(row["state"], settled["newest"]):
                await self._step(row)
            await asyncio.sleep(_BREATHING)

    async def _step(self, row: Any) -> None:
        custom = read(msgspec.json.decode(row["definition"]))
        assert custom is not None
        async with self._database.transaction() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK):
                return
            current = await connection.fetchrow(_SQL["unfinished"])
            if current is None or current["state"] != row["state"]:
                return
            place = (current["patient"], current["type"], current["id"])
            found = [
                Stored(*each)
                for each in await connection.fetch(
                    _SQL["next_rows"], list(custom.types), *place, STEP
                )
            ]
            await add_values(connection, custom, [(each, each.resource) for each in found])
            last = (found[-1].patient, found[-1].type, found[-1].id) if found else place
            done = len(found) < STEP
            await connection.execute(
                _SQL["reached"], row["name"], row["state"], *last, len(found), done
            )
        _tell(row["name"], current["done"], current["done"] + len(found), done)


def _tell(name: str, before: int, now: int, done: bool) -> None:
    """A line in the log at the end, and now and then on the way."""
    if done:
        _log.info("Search parameter %s can be searched: %d resources are done.", name, now)
    elif before // TOLD_EACH != now // TOLD_EACH:
        _log.info("Search parameter %s is being worked out: %d resources are done.", name, now)
