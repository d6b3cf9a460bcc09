"""The wall in PostgreSQL: what those who ask for somebody see, whatever the program forgot."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from urllib.parse import urlsplit

import pytest

from helsevev.access.services import Services, services_over
from helsevev.access.writing import build_row
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.audit import Author, origin
from helsevev.record.connection import ConnectionLost
from helsevev.record.database import Database, DatabaseError, TookTooLong
from helsevev.record.migration import MigrationError, migrate
from helsevev.record.store import Write
from helsevev.record.wall import ROLE, Walled, asking, behind, beyond, see_whole

pytestmark = pytest.mark.usefixtures("anne_and_berit")

ANNE, BERIT = keys.patient_key("anne"), keys.patient_key("berit")
_WINDOWS = "SELECT viewname FROM pg_views WHERE schemaname = 'shown' ORDER BY 1"
_TABLES = """
SELECT c.relname, c.relrowsecurity,
       has_table_privilege($1, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'patient'
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
"""
_COLUMNS = """
SELECT table_schema, column_name FROM information_schema.columns
WHERE table_name = $1 AND table_schema IN ('public', 'shown') ORDER BY ordinal_position
"""
_GRANTED = """
SELECT c.relname FROM pg_class c
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
  AND has_table_privilege($1, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE') ORDER BY 1
"""


@pytest.fixture(scope="module")
def walled(services: Services) -> Walled:
    shown = services.gate.store.shown
    assert isinstance(shown, Walled)
    return shown


async def counted(walled: Walled, table: str) -> set[int]:
    return {row[0] for row in await walled.fetch(f"SELECT DISTINCT patient FROM {table}")}


async def test_every_table_about_inhabitants_is_closed_to_whoever_is_not_its_owner(
    database: Database,
) -> None:
    tables = await database.fetch(_TABLES, ROLE)
    assert len(tables) > 20
    assert [name for name, closed, _ in tables if not closed] == []
    assert [name for name, _, reached in tables if reached] == []
    assert await database.fetch("SELECT FROM pg_policies") == []


async def test_those_who_ask_can_read_three_tables_that_are_about_nobody(
    database: Database,
) -> None:
    granted = [row[0] for row in await database.fetch(_GRANTED, ROLE)]
    assert granted == ["audit_origin", "coding", "token_set"]


async def test_every_window_shows_its_whole_table_as_it_is_now(database: Database) -> None:
    for (window,) in await database.fetch(_WINDOWS):
        columns: dict[str, list[str]] = {"public": [], "shown": []}
        for schema, column in await database.fetch(_COLUMNS, window):
            columns[schema].append(column)
        assert columns["shown"] == columns["public"] != []


async def test_nobody_is_seen_until_somebody_is_named(database: Database, walled: Walled) -> None:
    windows = [row[0] for row in await database.fetch(_WINDOWS)]
    with behind() as request:
        for window in windows:
            assert await counted(walled, window) <= {keys.REFERENCE}
        request.add([ANNE])
        for window in windows:
            assert await counted(walled, window) <= {keys.REFERENCE, ANNE}
        assert ANNE in await counted(walled, "resource")
        request.drop(ANNE)
        assert await counted(walled, "resource") <= {keys.REFERENCE}
    assert {ANNE, BERIT} <= await counted(walled, "resource")


async def test_without_a_setting_the_role_sees_nothing_at_all(
    database: Database, walled: Walled
) -> None:
    windows = database.beside({"role": ROLE, "search_path": "shown, public"})
    for (window,) in await database.fetch(_WINDOWS):
        assert await windows.fetchval(f"SELECT count(*) FROM {window}") == 0
    assert await windows.fetchval("SELECT current_user") == ROLE


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM public.resource",
        "SELECT * FROM public.resource_history",
        "SELECT * FROM public.directory",
        "SELECT * FROM public.draft",
        "SELECT * FROM session",
        "DELETE FROM resource",
        "DELETE FROM public.audit_event",
        "UPDATE resource SET version = 2",
        "INSERT INTO directory VALUES (1, 1)",
    ],
)
async def test_the_tables_themselves_are_out_of_reach(walled: Walled, statement: str) -> None:
    with behind() as request:
        request.add([ANNE, BERIT])
        with pytest.raises(DatabaseError):
            await walled.fetch(statement)


async def test_what_one_request_may_see_the_next_may_not(walled: Walled) -> None:
    async def fails() -> None:
        await walled.fetch("SELECT 1 / (patient - patient) FROM resource")

    async def is_stopped() -> None:
        await walled.fetch_within(0.05, "SELECT pg_sleep(5)")

    async def leaves() -> None:
        async with asyncio.timeout(0.05):
            await walled.fetch("SELECT pg_sleep(5)")

    async def is_killed() -> None:
        await walled.fetch("SELECT pg_terminate_backend(pg_backend_pid())")

    async def breaks_off() -> None:
        async with walled.transaction() as connection:
            await connection.fetch("SELECT FROM resource")
            raise RuntimeError

    for trouble in (fails, is_stopped, leaves, is_killed, breaks_off):
        with behind() as request:
            request.add([ANNE, BERIT])
            with contextlib.suppress(
                DatabaseError, TookTooLong, ConnectionLost, TimeoutError, RuntimeError
            ):
                await trouble()
        with behind():
            seen = await asyncio.gather(*(counted(walled, "resource") for _ in range(12)))
            assert set().union(*seen) <= {keys.REFERENCE}, trouble


async def test_requests_at_the_same_time_see_each_their_own(walled: Walled) -> None:
    async def request(patient: int) -> None:
        with behind() as held:
            held.add([patient])
            for _ in range(20):
                assert await counted(walled, "resource") <= {keys.REFERENCE, patient}
                assert patient in await counted(walled, "resource")

    await asyncio.gather(*(request(p) for p in (ANNE, BERIT) * 8))


async def test_reads_that_are_gathered_are_each_their_own_s(services: Services) -> None:
    store = services.gate.store

    async def read(of: str, reached: bool) -> Any:
        with behind() as held:
            if reached:
                held.add([keys.patient_key(of)])
            return await store.read("Patient", of)

    asked = [(who, reached) for who in ("anne", "berit") for reached in (True, False)] * 10
    found = await asyncio.gather(*(read(*each) for each in asked))
    assert [stored is not None for stored in found] == [reached for _, reached in asked]


async def test_systems_and_the_program_itself_have_no_wall(walled: Walled) -> None:
    with behind():
        with beyond():
            assert asking() is None
        assert asking() is not None
        see_whole()
        assert BERIT in await counted(walled, "resource")
    assert asking() is None


async def test_a_server_s_plain_role_needs_one_grant_and_no_more(
    server_url: str, name_database: Any, database: Database
) -> None:
    for statement in (
        "DROP ROLE IF EXISTS plain",
        "CREATE ROLE plain LOGIN PASSWORD 'plain'",
        "CREATE DATABASE plain OWNER plain TEMPLATE template0",
    ):
        await database.execute(statement)
    parts = urlsplit(name_database(server_url, "plain"))
    url = parts._replace(netloc=f"plain:plain@{parts.netloc.rpartition('@')[2]}").geturl()
    plain = await Database.open(url, size=2)
    try:
        with pytest.raises(MigrationError, match="GRANT helsevev_asker TO plain"):
            await migrate(plain)
        await database.execute(f"GRANT {ROLE} TO plain")
        await migrate(plain)
        made = services_over(plain, {})
        people = [{"resourceType": "Patient", "id": f"plain-{n}"} for n in range(80)]
        author = Author(origin("Device/test", {}), "test")
        rows = [build_row(p, 1, clock.now(), keys.patient_key(p["id"])) for p in people]
        # So many are copied, which PostgreSQL refuses to whom its policies hold.
        await made.gate.store.write(Write(keys.next_key(), clock.now(), author, rows))
        with behind() as request:
            request.add([keys.patient_key("plain-3")])
            found = await made.gate.store.read_many(("Patient", p["id"]) for p in people)
            assert list(found) == [("Patient", "plain-3")]
    finally:
        await plain.close()
        await database.execute("DROP DATABASE plain WITH (FORCE)")
        await database.execute("DROP ROLE plain")
