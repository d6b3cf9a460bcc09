"""Bodies as they are kept: what older editions packed is read, and damage is never read wrongly."""

from __future__ import annotations

from typing import Any

import pytest
import zstandard
from tests.record.test_store import NOW, row, write

from helsevev.record import body
from helsevev.record.database import Database
from helsevev.record.store import Stored


async def test_a_body_of_before_migration_0008_is_read(
    store: Any, database: Database, author: Any, pulse: Any
) -> None:
    await store.write(write(author, row(pulse("older", id="older"))))
    (now,) = (await store.read_many([("Observation", "older")])).values()
    dictionary = zstandard.ZstdCompressionDict(body.dictionary_bytes())
    before = zstandard.ZstdCompressor(level=3, dict_data=dictionary, write_checksum=True)
    await database.execute(
        "UPDATE resource SET body = $1 WHERE id = 'older'",
        before.compress(body.expand(now.packed)),
    )
    (older,) = (await store.read_many([("Observation", "older")])).values()
    assert older.packed != now.packed
    assert older.json == now.json


async def test_a_damaged_body_is_noticed(
    store: Any, database: Database, author: Any, pulse: Any
) -> None:
    text = [{"text": "not to be read wrongly " * 20}]
    await store.write(write(author, row(pulse("damaged", id="damaged", note=text))))
    packed = await database.fetchval("SELECT body FROM resource WHERE id = 'damaged'")
    plain, harmless = body.expand(packed), set()
    for place in range(len(packed)):
        broken = packed[:place] + bytes([packed[place] ^ 0x10]) + packed[place + 1 :]
        try:
            assert body.expand(broken) == plain, place
            harmless.add(place)
        except zstandard.ZstdError:
            continue
    assert len(harmless) <= 2, "hardly a bit is without meaning"
    with pytest.raises(zstandard.ZstdError):
        Stored(0, "Observation", "damaged", 1, NOW, False, packed[:-1]).json  # noqa: B018
