"""The one door to PostgreSQL: pooled, prepared, and honest about what it does not know."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import urlsplit

import pytest

from helsevev.record.copying import encoded
from helsevev.record.database import (
    ConnectionLost,
    Database,
    DatabaseError,
    UniqueViolation,
    VersionMismatch,
)

_KILL_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'helsevev'
"""


@pytest.fixture(scope="module", autouse=True)
async def notes(database: Database) -> None:
    await database.execute("CREATE TABLE note (id integer PRIMARY KEY, body bytea)")


async def test_bytes_come_back_as_they_were_stored(database: Database) -> None:
    body = bytes(range(256))
    await database.execute("INSERT INTO note VALUES ($1, $2)", 1, body)
    assert await database.fetchval("SELECT body FROM note WHERE id = $1", 1) == body


async def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError, match="changed my mind"):
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO note VALUES ($1, $2)", 2, b"")
            raise RuntimeError("changed my mind")
    assert await database.fetchrow("SELECT FROM note WHERE id = $1", 2) is None


async def test_a_second_row_with_the_same_key_is_told_apart_from_other_errors(
    database: Database,
) -> None:
    await database.execute("INSERT INTO note VALUES ($1, $2)", 3, b"")
    with pytest.raises(UniqueViolation):
        await database.execute("INSERT INTO note VALUES ($1, $2)", 3, b"")
    with pytest.raises(DatabaseError, match="does not exist") as refused:
        await database.fetch("SELECT nothing_like_it FROM note")
    assert refused.value.sqlstate == "42703"


async def test_a_statement_about_an_old_version_is_told(database: Database) -> None:
    with pytest.raises(VersionMismatch, match="not the newest"):
        await database.execute(
            "DO $$BEGIN RAISE EXCEPTION USING ERRCODE='HV409', MESSAGE='not the newest'; END$$"
        )


async def test_copied_rows_are_there(database: Database) -> None:
    async with database.transaction() as connection:
        rows = [(number, b"x") for number in range(100, 200)]
        stream = encoded(("integer", "bytea"), rows)
        await connection.copy("note", ("id", "body"), stream)
    assert await database.fetchval("SELECT count(*) FROM note WHERE id >= $1", 100) == 100


async def test_more_askers_than_connections_take_turns(database_url: str) -> None:
    narrow = await Database.open(database_url, size=2)
    answers = await asyncio.gather(
        *(narrow.fetchval("SELECT $1::int FROM pg_sleep(0.005)", n) for n in range(20))
    )
    assert answers == list(range(20))
    assert await narrow.fetchval("SELECT 1") == 1
    await narrow.close()


async def test_of_many_kinds_of_connections_few_stay_when_they_have_rested(
    database_url: str,
) -> None:
    narrow = await Database.open(database_url, size=2)
    kinds = [narrow.beside({"application_name": f"kind {n}"}) for n in range(8)]
    open_now = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'kind %'"
    for kind in [*kinds, *kinds]:
        assert await asyncio.gather(*(kind.fetchval("SELECT 1") for _ in range(4))) == [1] * 4
    # Under load none is ended that is needed again at once.
    assert await narrow.fetchval(open_now) == 16
    async with asyncio.timeout(10):
        while await narrow.fetchval(open_now) > 6:
            await asyncio.sleep(0.1)
    assert await narrow.fetchval(open_now) > 0
    async with contextlib.AsyncExitStack() as held:
        # Whoever holds one of a kind never waits for another kind to give up what is in use.
        for kind in kinds:
            await held.enter_async_context(kind.connection())
        assert await narrow.fetchval(open_now) >= 8
    await narrow.close()


async def test_a_server_that_has_no_connection_left_is_asked_again(database_url: str) -> None:
    full = await Database.open(database_url, size=1)
    await full.execute("CREATE ROLE lonely LOGIN PASSWORD 'x' CONNECTION LIMIT 1")
    login = urlsplit(database_url)
    url = login._replace(netloc="lonely:x@" + login.netloc.rpartition("@")[2]).geturl()
    one, other = full.beside({}, url=url), full.beside({}, url=url)
    async with one.connection():
        waiting = asyncio.create_task(other.fetchval("SELECT 2"))
        await asyncio.sleep(0.1)
        assert not waiting.done()
    async with asyncio.timeout(10):
        # What lies idle beside is given up at once, for the server is full of it.
        assert await waiting == 2
    await one.close()
    await other.close()
    await full.execute("DROP ROLE lonely")
    await full.close()


async def test_an_asker_who_gives_up_does_not_take_a_connection_along(database_url: str) -> None:
    narrow = await Database.open(database_url, size=1)
    slow = asyncio.create_task(narrow.fetchval("SELECT 1 FROM pg_sleep(30)"))
    queued = asyncio.create_task(narrow.fetchval("SELECT 2"))
    await asyncio.sleep(0.1)
    queued.cancel()
    slow.cancel()
    await asyncio.gather(slow, queued, return_exceptions=True)
    async with asyncio.timeout(5):
        assert await narrow.fetchval("SELECT 3") == 3
    await narrow.close()


async def test_a_statement_cut_short_is_not_repeated_and_the_next_one_works(
    database: Database, database_url: str
) -> None:
    other = await Database.open(database_url, size=1)
    writing = asyncio.create_task(
        other.fetchval("SELECT 1 FROM pg_sleep(30)"),
    )
    await asyncio.sleep(0.2)
    await database.fetch(_KILL_OTHERS)
    with pytest.raises(ConnectionLost):
        await writing
    assert await other.fetchval("SELECT 2") == 2
    await other.close()


async def test_a_listener_hears_and_after_a_break_is_told_to_look(
    database: Database, database_url: str
) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    listening = await Database.open(database_url, size=1)
    await listening.listen("ward", heard.put_nowait)
    async with asyncio.timeout(10):
        await database.execute("NOTIFY ward, 'bed 4'")
        assert await heard.get() == "bed 4"
        await database.fetch(_KILL_OTHERS)
        assert await heard.get() == ""
        await database.execute("NOTIFY ward, 'bed 5'")
        assert await heard.get() == "bed 5"
    await listening.close()


async def test_a_statement_is_parsed_once_in_a_connection(database: Database) -> None:
    async with database.connection() as connection:
        for n in range(20):
            assert await connection.fetchval("SELECT $1::integer + 1", n) == n + 1
        kept = await connection.fetch(
            "SELECT generic_plans + custom_plans AS runs FROM pg_prepared_statements"
            " WHERE statement = 'SELECT $1::integer + 1'"
        )
    assert [row["runs"] for row in kept] == [20]


async def test_a_prepared_statement_survives_a_new_column_in_its_table(database: Database) -> None:
    statement = "SELECT id, body FROM note WHERE id = $1"
    async with database.connection() as connection:
        await connection.fetch(statement, 1)
        await database.execute("ALTER TABLE note ADD COLUMN signed boolean")
        await connection.fetch(statement, 1)


async def test_a_server_that_is_not_there_is_told_within_the_patience() -> None:
    with pytest.raises(ConnectionLost, match="cannot be reached"):
        await Database.open("postgresql://nobody@127.0.0.1:1/none", patience=0.1)


async def test_after_close_nothing_is_asked(database_url: str) -> None:
    closed = await Database.open(database_url, size=1)
    await closed.close()
    with pytest.raises(ConnectionLost, match="closed"):
        await closed.fetch("SELECT 1")
