"""Proofs about the log for outsiders: that a row is in it, that a longer log began as a shorter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from helsevev.access.audit.merkle import (
    Frontier,
    Range,
    consistency_ranges,
    inclusion_ranges,
)
from helsevev.record import keys, sealed
from helsevev.record.database import Database
from helsevev.record.sealed import SQL


class NotSealed(LookupError):
    """A row is not in the log, or the log never had such a size; the message says which."""


async def place_of(database: Database, patient: int, row: int) -> tuple[int, datetime]:
    """The leaf of a row and the time of the row. Raises `NotSealed`."""
    found = await database.fetch(SQL["leaves"], [patient], [row])
    if not found:
        raise NotSealed("There is no such row in the audit trail.")
    at: datetime = found[0]["at"]
    batch = await database.fetchrow(SQL["batch_of"], at, row)
    if batch is None:
        raise NotSealed("The row is not sealed yet.")
    for number, key in enumerate(zip(batch["patients"], batch["ids"], strict=True)):
        if key == (patient, row):
            return batch["first"] + number, at
    raise NotSealed("The row is not sealed yet.")


async def inclusion(database: Database, index: int, size: int) -> list[bytes]:
    """The hashes that prove leaf `index` to be in the log of `size`. Raises `NotSealed`."""
    return await _roots(database, inclusion_ranges(index, size))


async def consistency(database: Database, old: int, new: int) -> list[bytes]:
    """The hashes that prove the log of `new` to begin with that of `old`. Raises `NotSealed`."""
    if not 0 <= old <= new:
        raise NotSealed("The first log is to be the shorter one.")
    return await _roots(database, consistency_ranges(old, new) if 0 < old < new else [])


async def _roots(database: Database, ranges: Sequence[Range]) -> list[bytes]:
    """The root of each range, by one walk over the leaves: of all that, only hashes are kept."""
    if not ranges:
        return []
    trees = {each: Frontier() for each in sorted(ranges)}
    end = max(last for _, last in ranges)
    reached = 0
    async for batch in sealed.batches(database, 0):
        reached = batch.first + batch.size
        for (first, last), tree in trees.items():
            low, high = max(first, batch.first), min(last, reached)
            if low < high:
                tree.extend(batch.hashes[low - batch.first : high - batch.first])
        if reached >= end:
            break
    if reached < end:
        raise NotSealed(f"The log has {reached} rows.")
    return [trees[each].root() for each in ranges]


def row_of(name: str) -> tuple[int, int]:
    """The inhabitant and row that an AuditEvent's id names. Raises ValueError."""
    place, _, row = name.partition("-")
    if len(place) != 16 or len(row) != 16:
        raise ValueError("an id of the trail is twice sixteen hexadecimal digits")
    return (keys.UNASSIGNED if place == "f" * 16 else int(place, 16)), int(row, 16)
