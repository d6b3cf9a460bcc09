"""Every version there ever was, newest first: of a resource, of an inhabitant, of a type, of all.

Those of one resource are read by its key; the others follow the change feed backwards. A page
ends at a place in the feed, so that paging neither skips nor repeats while others write.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from helsevev.record.database import Database
from helsevev.record.statements import load
from helsevev.record.store import Stored

_SQL: Final = load("history")
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)
_NEWEST_VERSION: Final = 2**31 - 1
_FURTHEST: Final = 2**62


@dataclass(frozen=True, slots=True)
class Period:
    """Which versions: written at or after `since`, and current at some time in `at` (low, high)."""

    since: datetime | None = None
    at: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place between two versions in the change feed."""

    xid: int
    seq: int
    position: int

    def __str__(self) -> str:
        return f"{self.xid}-{self.seq}-{self.position}"

    @classmethod
    def parse(cls, text: str) -> Position:
        """The position that `str(position)` wrote. Raises ValueError."""
        xid, seq, position = (int(part) for part in text.split("-"))
        if max(xid, seq, position) > _FURTHEST:
            raise ValueError("beyond the end of every feed")
        return cls(xid, seq, position)


NEWEST: Final = Position(_FURTHEST, _FURTHEST, _FURTHEST)

Found = Sequence[tuple[Position, Stored]]


async def of_instance(
    database: Database, current: Stored, below: int | None, period: Period, most: int
) -> list[Stored]:
    """At most `most` versions of the resource that `current` is the newest of, below a version."""
    low, high = period.at or (_FIRST, _LAST)
    rows = await database.fetch(
        _SQL["of_instance"],
        *(current.patient, current.type, current.id),
        *(_NEWEST_VERSION if below is None else below, period.since or _FIRST, low, high, most),
    )
    return [Stored(*row) for row in rows]


async def of_all(
    database: Database, resource_type: str | None, before: Position, period: Period, most: int
) -> Found:
    """At most `most` versions of all resources, or of all of a type, before a position."""
    return await _feed(database, "of_all", resource_type, before, period, most)


async def of_patient(
    database: Database, patient: int, before: Position, period: Period, most: int
) -> Found:
    """At most `most` versions of what is kept with an inhabitant, before a position."""
    return await _feed(database, "of_patient", patient, before, period, most)


async def _feed(
    database: Database, statement: str, scope: Any, before: Position, period: Period, most: int
) -> Found:
    low, high = period.at or (_FIRST, _LAST)
    rows = await database.fetch(
        _SQL[statement],
        *(before.xid, before.seq, before.position, period.since or _FIRST, low, high, most),
        *(period.at is not None, scope),
    )
    return [(Position(*row[:3]), Stored(*row[3:])) for row in rows]
