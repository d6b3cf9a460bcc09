"""The log of the audit trail as it lies in the database: batches of leaves, and checkpoints.

The log's order is that of (transaction, row). Only rows of transactions that are older than every
one still running are taken, so that none can come later into a place that has been passed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from helsevev.record.connection import Connection, Row
from helsevev.record.database import Database
from helsevev.record.statements import load

SQL: Final = load("audit")
_FORMAT: Final = 1
_SETTLED: Final = (3, 2**62)
"""The place of all that was sealed on another server (`settle_restored`)."""

_PAGE: Final = 8

Place = tuple[int, int]
Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Batch:
    """Leaves that were sealed together: `keys` (inhabitant, row) and hashes, one for each."""

    first: int
    size: int
    place: Place
    sealed_at: datetime
    keys: tuple[Key, ...]
    hashes: tuple[bytes, ...]
    subtrees: bytes


@dataclass(frozen=True, slots=True)
class End:
    """Where the log ends: its size, its full subtrees, and the place in the order of rows."""

    size: int = 0
    subtrees: bytes = b""
    place: Place = (0, -(2**62))


def leaf(row: Sequence[object]) -> bytes:
    """What a leaf is the hash of: a JSON array of the row's columns, in the order of `leaves`."""
    return msgspec.json.encode((_FORMAT, *row))


async def end(database: Database | Connection) -> End:
    """Where the log ends."""
    row = await database.fetchrow(SQL["last_batch"])
    if row is None:
        return End()
    place = (row["xid"], row["id"])
    if await database.fetchval(SQL["is_ahead"], row["xid"]):
        place = _SETTLED
    return End(row["first"] + row["size"], row["subtrees"], place)


async def end_before(database: Database | Connection, size: int) -> End | None:
    """Where the log ended when it was of this size; None when nothing ended there."""
    if size == 0:
        return End()
    row = await database.fetchrow(SQL["batch_ending"], size)
    if row is None or row["first"] + row["size"] != size:
        return None
    return End(size, row["subtrees"], (row["xid"], row["id"]))


async def batches(database: Database | Connection, first: int) -> AsyncIterator[Batch]:
    """What was sealed from leaf `first` on, in order."""
    while True:
        rows = await database.fetch(SQL["batches"], first, _PAGE)
        for row in rows:
            yield _batch(row)
            first = row["first"] + 1
        if len(rows) < _PAGE:
            return


def _batch(row: Row) -> Batch:
    hashes = row["hashes"]
    return Batch(
        row["first"],
        row["size"],
        (row["xid"], row["id"]),
        row["sealed_at"],
        tuple(zip(row["patients"], row["ids"], strict=False)),
        tuple(hashes[n : n + 32] for n in range(0, len(hashes), 32)),
        row["subtrees"],
    )


async def settle_restored(database: Database) -> None:
    """After a restore rows seem to lie ahead of all that this server does; order them again."""
    if not await database.fetchval(SQL["is_restored"]):
        return
    row = await database.fetchrow(SQL["last_batch"])
    place = (row["xid"], row["id"]) if row is not None else End().place
    async with database.transaction() as connection:
        # The one change that is ever made to a row, and to a column that no leaf holds.
        await connection.execute("GRANT UPDATE ON audit_event TO CURRENT_USER")
        await connection.execute(SQL["settle_sealed"], *place)
        await connection.execute(SQL["settle_unsealed"], *place)
        await connection.execute("REVOKE UPDATE ON audit_event FROM CURRENT_USER")


__all__ = [
    "SQL",
    "Batch",
    "End",
    "Place",
    "batches",
    "end",
    "end_before",
    "leaf",
    "settle_restored",
]
