"""Codings are offered to their table until a commit has stored them; no write leaves one out."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from helsevev.record import keys, known_codings, rows
from helsevev.record.database import Database
from helsevev.record.store import MANY, Author, Store, VersionMismatch, Write

AT = datetime(2026, 1, 1, tzinfo=UTC)
KEPT = "SELECT code FROM coding WHERE system = 'urn:known' ORDER BY code"


def coded(author: Author, *codes: str, version: int = 1) -> Write:
    built = []
    for code in codes:
        resource = {
            "resourceType": "Observation", "id": keys.new_id("Observation", keys.UNASSIGNED),
            "status": "final", "code": {"coding": [{"system": "urn:known", "code": code}]},
        }  # fmt: skip
        stamped = rows.stamped(resource, version, AT)
        built.append(rows.build(stamped, version, keys.UNASSIGNED))
    return Write(keys.next_key(), AT, author, built)


async def kept(database: Database) -> list[Any]:
    return [row[0] for row in await database.fetch(KEPT)]


@pytest.mark.parametrize("many", [1, MANY])
async def test_a_coding_counts_as_known_only_after_its_commit(
    database: Database, store: Store, author: Author, many: int
) -> None:
    await database.execute("DELETE FROM coding WHERE system = 'urn:known'")
    one, other = f"one-{many}", f"other-{many}"
    with pytest.raises(VersionMismatch):
        await store.write(coded(author, *[one] * many, version=2))
    assert await kept(database) == []
    await store.write(coded(author, *[one] * many))
    assert await kept(database) == [one]
    # Taken away behind its back, it shows that it is not offered again.
    await database.execute("DELETE FROM coding WHERE system = 'urn:known'")
    await store.write(coded(author, *[one] * many))
    assert await kept(database) == []
    await store.write(coded(author, *[one] * many, other))
    assert await kept(database) == [other]


async def test_writers_at_once_leave_every_coding_though_few_are_remembered(
    database: Database, store: Store, author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_codings, "MOST", 5)
    codes = [f"at-once-{n:03}" for n in range(40)]
    await asyncio.gather(
        *(store.write(coded(author, *codes[n : n + 3])) for n in range(38) for _ in "12")
    )
    assert set(codes) <= set(await kept(database))
