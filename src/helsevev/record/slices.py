"""What of an inhabitant's record is read at once: the newest of some types, by clinical date."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from helsevev.record.appending import columns
from helsevev.record.database import Database
from helsevev.record.rows import array_text, token_hash
from helsevev.record.statements import load
from helsevev.record.store import Stored

_SQL: Final = load("slices")


@dataclass(frozen=True, slots=True)
class Slice:
    """The newest `limit` resources of a type, by clinical date.

    Those with a status in `ended` are left out, but for the newest `anyway` of the type: nobody
    reads hundreds of orders that ended long ago to find those in use. So are those of a category in
    `apart`: what is measured every hour, beside what is not.
    """

    type: str
    limit: int
    ended: tuple[str, ...] = ()
    anyway: int = 0
    apart: tuple[str, ...] = ()


async def read_slices(
    database: Database, patient: int, slices: Iterable[Slice]
) -> dict[str, list[Stored]]:
    """An inhabitant's resources of each slice, newest first; one statement."""
    wanted = list(slices)
    asked: list[tuple[str, int, str | None]] = [
        (each.type, each.anyway, None) for each in wanted if each.ended and each.anyway
    ]
    for each in wanted:
        hashes = [token_hash("status", None, status) for status in each.ended]
        hashes += [token_hash("category", None, category) for category in each.apart]
        asked.append((each.type, each.limit, array_text(hashes) if hashes else None))
    rows = await database.fetch(_SQL["newest"], patient, *columns(asked, 3))
    found: dict[str, dict[str, Stored]] = {each.type: {} for each in wanted}
    for kind, name, version, at, packed in rows:
        if name not in found[kind]:
            found[kind][name] = Stored(patient, kind, name, version, at, False, packed)
    return {kind: list(each.values()) for kind, each in found.items()}
