"""Turns of writers on the same condition, in whichever process: the first to commit has its way.

Who is to write when nothing fits a condition notes first how often the condition was written on
(`seen`), looks for what fits, and counts it up in the transaction of the write (`take`). Of two who
looked at the same time one counts; the other's write is undone, and it looks again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import count
from typing import Final

from helsevev.kit import clock
from helsevev.record.connection import Connection, DatabaseError
from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL: Final = load("turns")
_KEPT: Final = timedelta(hours=1)
"""How long a turn is remembered: longer than any request lasts."""

_TIDIED_EVERY: Final = 2000
_looks = count(1)


class TurnTaken(DatabaseError):
    """Another writer on the same condition was first; nothing was stored."""


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """A condition by its hash, and how often it had been written on when it was looked at."""

    condition: int
    number: int


async def seen(database: Database, conditions: Iterable[str]) -> dict[str, Turn]:
    """The turn of each condition (`Type?query`) as it stands."""
    hashes = {condition: _hash(condition) for condition in conditions}
    if not hashes:
        return {}
    if next(_looks) % _TIDIED_EVERY == 0:
        await database.execute(_SQL["forget"], clock.now() - _KEPT)
    rows = await database.fetch(_SQL["seen"], list(hashes.values()))
    numbers: dict[int, int] = {row["condition"]: row["number"] for row in rows}
    return {name: Turn(each, numbers.get(each, 0)) for name, each in hashes.items()}


async def take(connection: Connection, turns: Sequence[Turn], at: datetime) -> None:
    """Count the turns up in the transaction of a write. Raises `TurnTaken`."""
    if not turns:
        return
    # In one order, so that two writers never wait for each other.
    numbers = {turn.condition: turn.number for turn in sorted(turns)}
    taken = await connection.fetch(_SQL["take"], list(numbers), list(numbers.values()), at)
    if len(taken) != len(numbers):
        raise TurnTaken("Someone wrote on the same condition at the same moment.")


def _hash(condition: str) -> int:
    digest = blake2b(condition.encode(), digest_size=8, person=b"turn").digest()
    return int.from_bytes(digest, signed=True)
