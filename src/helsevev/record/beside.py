"""What rules look at in an inhabitant's record besides what is being written."""

from __future__ import annotations

from typing import Final

from helsevev.fhir import dates
from helsevev.kit.chapter import Around, Beside
from helsevev.record.database import Database
from helsevev.record.statements import load
from helsevev.record.store import Stored

_SQL: Final = load("beside")
_EVER: Final = -(1 << 63)


async def around(
    database: Database, patient: int, kind: str, resource_id: str, wanted: Beside
) -> Around:
    """What stands around a resource of a type with an id, as its rule wants it."""
    other, other_id = wanted.versions_of
    since = dates.microseconds(wanted.since) if wanted.since is not None else _EVER
    rows = await database.fetch(_SQL["beside"], patient, other, other_id, kind, since)
    versions, others = [], []
    for is_version, found_id, version, at, deleted, body in rows:
        if is_version:
            stored = Stored(patient, other, found_id, version, at, deleted, body)
            versions.append((at, {} if deleted else stored.resource))
        elif found_id != resource_id:
            others.append(Stored(patient, kind, found_id, version, at, False, body).resource)
    return Around(versions, others)
