"""The catalogue of medicines as it is kept: reference data, about nobody and open to staff.

What its entries mean is the medication chapter's; here they are rows with a kind, an id and a body.
A catalogue is loaded by command, whole or not at all. What it no longer names stays as withdrawn.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from helsevev.kit import clock
from helsevev.record.connection import Connection
from helsevev.record.statements import load
from helsevev.record.store import Store, Stored

_SQL: Final = load("medicines")
_ENTRY: Final = ("release", "withdrawn", "kind", "id", "body")
_KEY: Final = ("release", "part", "kind", "key", "entry")
_SENTENCE: Final = ("place", "people", "learned_at", "product", "dosage")
_PAGE: Final = 2000
_FEW: Final = 20
FEWEST_PEOPLE: Final = 5
"""People whom a dose must have been ordered for before it is told as common."""


class WouldWithdraw(Exception):
    """More than half of the products in use are missing from what is to be loaded."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: `keys` are (part, key) it is found by, `body` is JSON."""

    kind: str
    id: str
    body: str
    keys: tuple[tuple[int, str], ...] = ()
    withdrawn: date | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """A catalogue: `learned_at` is when ways to order were last learned."""

    id: int
    source: str
    version: str
    fingerprint: str
    is_written: bool
    loaded_at: datetime
    learned_at: datetime | None


class Medicines:
    """Reads and replaces the catalogue."""

    def __init__(self, store: Store) -> None:
        self._database = store.roles.program
        self._store = store

    async def release(self) -> Release | None:
        """The catalogue that is looked up in, None before any was loaded."""
        row = await self._database.fetchrow(_SQL["current"])
        return None if row is None else Release(*row)

    async def replace(
        self, release: tuple[str, str, str], entries: Iterable[Entry], *, even_so: bool = False
    ) -> int:
        """Load a catalogue (source, version, fingerprint) in one transaction; gives its id.

        Raises `WouldWithdraw`, unless `even_so`, when one of the same source lacks most of what is
        in use, and what reading `entries` raises; then nothing was changed.
        """
        async with self._database.transaction() as connection:
            await connection.fetch(_SQL["turn"])
            earlier = await connection.fetchrow(_SQL["current"])
            key: int = await connection.fetchval(_SQL["add_release"], *release)
            await _copy(connection, key, entries)
            if earlier is not None:
                if earlier["source"] == release[0] and not even_so:
                    await _must_have_most(connection, earlier["id"], key)
                today = clock.now().date()
                await connection.execute(_SQL["keep_entries"], earlier["id"], key, today)
                await connection.execute(_SQL["keep_keys"], earlier["id"], key)
            await connection.execute(_SQL["step_back"])
            await connection.execute(_SQL["step_forward"], key)
            for name in ("drop_keys", "drop_entries", "drop_releases"):
                await connection.execute(_SQL[name], key)
        return key

    async def written(self, release: int) -> None:
        """Note that the products of a release are in the record."""
        await self._database.execute(_SQL["written"], release)

    async def contents(self, release: int) -> list[tuple[str, int, int]]:
        """(kind, entries, how many of them are withdrawn)."""
        rows = await self._database.fetch(_SQL["entries_of"], release)
        return [(row["kind"], row["entries"], row["withdrawn"]) for row in rows]

    async def all_of(self, release: int, kind: str) -> AsyncIterator[list[Entry]]:
        """Every entry of a kind, a page at a time, by id."""
        last = ""
        while rows := await self._database.fetch(_SQL["page"], release, kind, last, _PAGE):
            yield _entries(kind, rows)
            last = rows[-1]["id"]

    async def entries(self, kind: str, ids: Sequence[str]) -> list[Entry]:
        """Those of the current entries that are here."""
        return _entries(kind, await self._database.fetch(_SQL["entries"], kind, list(ids)))

    async def by_key(self, kind: str, keys: Sequence[str]) -> list[Entry]:
        """The current entries that have one of the keys; those in use first."""
        return _entries(kind, await self._database.fetch(_SQL["by_key"], kind, list(keys)))

    async def interactions(self, codes: Sequence[str]) -> list[Entry]:
        """Interactions with several groups that name one of the ATC codes, whatever their level."""
        rows = await self._database.fetch(_SQL["interactions"], list(codes))
        return _entries("interaction", rows)

    async def uses(self) -> dict[str, int]:
        """For how many people each product is ordered in common ways; others are left out."""
        rows = await self._database.fetch(_SQL["uses"])
        return {row["product"]: row["people"] for row in rows}

    async def sentences(self, product: str) -> list[str]:
        """Dosages as JSON: how a product is ordered here, the most common first."""
        rows = await self._database.fetch(_SQL["sentences"], product)
        return [row["dosage"] for row in rows]

    async def learn(self, counted: Iterable[tuple[str, str, int]]) -> int:
        """Replace what was learned by (product, dosage, people); gives how many were kept.

        What fewer than `FEWEST_PEOPLE` have is not kept, nor more than twenty of a product.
        """
        now = clock.now()
        rows = list(_placed(counted, now))
        async with self._database.transaction() as connection:
            await connection.fetch(_SQL["turn"])
            await connection.execute(_SQL["forget_sentences"])
            await connection.copy_records("medicine_sentence", _SENTENCE, rows)
        return len(rows)

    async def orders(self) -> AsyncIterator[list[Stored]]:
        """Every MedicationRequest of everybody, a page at a time, one inhabitant after another.

        For counting alone: what is handed on must name nobody.
        """
        place: tuple[int, str] = (-(2**63), "")
        while rows := await self._store.roles.whole.fetch(_SQL["orders"], *place, _PAGE):
            found = [Stored(*row) for row in rows]
            yield found
            place = found[-1].patient, found[-1].id


def _placed(
    counted: Iterable[tuple[str, str, int]], now: datetime
) -> Iterator[tuple[int, int, datetime, str, str]]:
    places: dict[str, int] = {}
    for product, dosage, people in sorted(counted, key=lambda each: (each[0], -each[2], each[1])):
        place = places.get(product, 0)
        if people >= FEWEST_PEOPLE and place < _FEW:
            places[product] = place + 1
            yield place, people, now, product, dosage


async def _copy(connection: Connection, release: int, entries: Iterable[Entry]) -> None:
    keys: list[tuple[Any, ...]] = []

    def rows() -> Iterator[tuple[Any, ...]]:
        for each in entries:
            keys.extend((release, part, each.kind, key, each.id) for part, key in each.keys)
            yield release, each.withdrawn, each.kind, each.id, each.body

    await connection.copy_records("medicine_entry", _ENTRY, rows())
    await connection.copy_records("medicine_key", _KEY, keys)


async def _must_have_most(connection: Connection, earlier: int, release: int) -> None:
    row = await connection.fetchrow(_SQL["disappeared"], earlier, release)
    assert row is not None
    if row["gone"] * 2 > row["products"]:
        raise WouldWithdraw(
            f"{row['gone']} of the {row['products']} products in use are missing from this file."
        )


def _entries(kind: str, rows: Iterable[Any]) -> list[Entry]:
    return [Entry(kind, row["id"], row["body"], withdrawn=row["withdrawn"]) for row in rows]
