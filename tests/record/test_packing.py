"""Indexes that grew fast are written anew with full pages, and nothing is lost beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from helsevev.record import packing
from helsevev.record.database import Database
from helsevev.record.packing import Packer

_ROWS = 40_000


def silent(_done: int, _total: int) -> None:
    return None


@pytest_asyncio.fixture(loop_scope="session")
async def grown(database: Database) -> AsyncIterator[dict[str, int]]:
    """Many rows in no order; the sizes of all indexes before them."""
    before = await Packer(database).sizes()
    await database.execute(
        "INSERT INTO directory (key, patient)"
        f" SELECT hashint8extended(n, 7), n FROM generate_series(1, {_ROWS}) AS n"
    )
    yield before
    await database.execute("TRUNCATE directory")


async def test_what_has_more_than_doubled_is_packed(
    database: Database, grown: dict[str, int]
) -> None:
    told: list[tuple[int, ...]] = []
    full = (await Packer(database).sizes())["directory_pkey"]
    won = await Packer(database).pack(grown, lambda *at: told.append(at))
    now = await Packer(database).sizes()
    assert now["directory_pkey"] <= 0.9 * full
    assert won >= full - now["directory_pkey"]
    assert told[-1][0] == told[-1][1] > 0
    assert await database.fetchval("SELECT count(*) FROM directory") == _ROWS
    assert await Packer(database).pack(now, silent) == 0


async def test_what_an_interrupted_packing_left_is_removed(
    database: Database, grown: dict[str, int]
) -> None:
    await database.execute("CREATE INDEX directory_pkey_ccnew ON directory (patient)")
    await database.execute(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'directory_pkey_ccnew'::regclass"
    )
    await Packer(database).pack(await Packer(database).sizes(), silent)
    left = "SELECT count(*) FROM pg_class WHERE relname = 'directory_pkey_ccnew'"
    assert await database.fetchval(left) == 0


async def test_an_index_that_somebody_holds_is_left_as_it_is(
    database: Database, grown: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = {**packing._SQL, "wait_at_most": "SET lock_timeout = '1ms'"}
    monkeypatch.setattr(packing, "_SQL", statements)
    async with database.transaction() as reader:
        await reader.execute("LOCK TABLE directory IN SHARE ROW EXCLUSIVE MODE")
        full = (await Packer(database).sizes())["directory_pkey"]
        await Packer(database).pack(grown, silent)
        assert (await Packer(database).sizes())["directory_pkey"] == full
    assert await database.fetchval("SELECT count(*) FROM directory") == _ROWS
