"""All that is kept with one inhabitant, or belongs to one of their encounters, by one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final

from helsevev.fhir import dates
from helsevev.fhir.search_parameters import PARAMETERS
from helsevev.record.database import Database
from helsevev.record.rows import reference_hash
from helsevev.record.statements import load
from helsevev.record.store import Stored

_SQL: Final = load("everything")
MOST_BYTES: Final = 16 * 1024 * 1024
"""Most compressed bytes of one page."""

_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of it: of these types (empty: all), written from `since`, dated in a period.

    `start` and `end` are µs since 1970, the end exclusive; what has no date is in every period.
    `encounter` is an Encounter's id.
    """

    types: tuple[str, ...] = ()
    since: datetime = _EARLIEST
    start: int = dates.MIN
    end: int = dates.MAX
    encounter: str | None = None


async def page(
    database: Database, patient: int, part: Part, after: tuple[str, str], most: int
) -> list[Stored]:
    """At most `most` resources after a (type, id), in that order; fewer when they are large."""
    hashes = None
    if part.encounter is not None:
        target = f"Encounter/{part.encounter}"
        hashes = [reference_hash(name, target) for name in _names()]
    rows = await database.fetch(
        _SQL["page"], patient, *after, list(part.types), part.since, part.start, part.end,
        hashes, part.encounter, most, MOST_BYTES,
    )  # fmt: skip
    return [Stored(*row) for row in rows]


@cache
def _names() -> tuple[str, ...]:
    """Parameters by which resources refer to encounters."""
    found = {
        parameter.name
        for parameters in PARAMETERS.values()
        for parameter in parameters.values()
        if parameter.kind == "reference" and "Encounter" in parameter.targets
    }
    return tuple(sorted(found))
