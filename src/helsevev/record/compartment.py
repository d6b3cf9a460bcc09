"""Everything current that is kept with one inhabitant, in pages by type and id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from helsevev.record.database import Database
from helsevev.record.statements import load
from helsevev.record.store import Stored

_SQL: Final = load("compartment")


async def of_patient(
    database: Database, patient: int, after: tuple[str, str], types: Sequence[str], most: int
) -> list[Stored]:
    """At most `most` resources after a (type, id); `types` empty means all."""
    rows = await database.fetch(_SQL["of_patient"], patient, *after, list(types), most)
    return [Stored(*row) for row in rows]
