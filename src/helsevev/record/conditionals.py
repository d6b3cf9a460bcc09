"""Which resource a condition means: many identifiers looked up with one statement."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from helsevev.record.database import Database
from helsevev.record.rows import token_hash
from helsevev.record.statements import load
from helsevev.record.store import Stored

_SQL: Final = load("conditionals")

Identified = tuple[str, str | None, str]
"""A resource type, the identifier's system ("" for none, None for any) and its value."""


async def identified(
    database: Database, wanted: Iterable[Identified]
) -> dict[Identified, list[Stored]]:
    """For each the current resources with that identifier, two at most; [] when there is none."""
    return await _looked_up(database, "by_keys", list(wanted))


async def first_identified(
    database: Database, wanted: Iterable[Identified]
) -> dict[Identified, list[Stored]]:
    """For each the one with that identifier that was made first; [] when there is none."""
    return await _looked_up(database, "first_by_keys", list(wanted))


async def _looked_up(
    database: Database, statement: str, asked: list[Identified]
) -> dict[Identified, list[Stored]]:
    types = [resource_type for resource_type, _, _ in asked]
    hashes = [token_hash("identifier", system, value) for _, system, value in asked]
    found: dict[Identified, list[Stored]] = {each: [] for each in asked}
    if asked:
        for row in await database.fetch(_SQL[statement], types, hashes):
            found[asked[row[0] - 1]].append(Stored(*row[1:]))
    return found
