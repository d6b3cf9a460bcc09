"""The wall in PostgreSQL: what those who ask for somebody see, whatever the program forgot."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from urllib.parse import urlsplit

import pytest

from helsevev.access import permit
from helsevev.access.actor import Actor
from helsevev.access.policy import Decision
from helsevev.access.services import Services, services_over
from helsevev.access.writing import build_row
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.audit import Author, origin
from helsevev.record.connection import ConnectionLost
from helsevev.record.database import Database, DatabaseError, TookTooLong
from helsevev.record.migration import MigrationError, migrate
from helsevev.record.roles import PROGRAM
from helsevev.record.store import Write
from helsevev.record.wall import AUTHOR, ROLE, OutOfReach, Walled, asking, behind, beyond, see_whole

pytestmark = pytest.mark.usefixtures("anne_and_berit")

ANNE, BERIT = keys.patient_key("anne"), keys.patient_key("berit")
_WINDOWS = "SELECT viewname FROM pg_views WHERE schemaname = 'shown' ORDER BY 1"
_TABLES = """
SELECT c.relname, c.relrowsecurity,
       has_table_privilege($1, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'patient'
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
"""
REACHES = {
    ROLE: (),
    AUTHOR: ("search_indexing",),
    "helsevev_finder": (
        "treatment_relation", "emergency_access", "stated_relation", "representation", "last_look",
    ),
    "helsevev_officer": (
        "audit_event", "audit_finding", "audit_question", "treatment_relation", "staff_standing",
        "emergency_access", "stated_relation", "representation", "record_block", "replaced_person",
    ),
    PROGRAM: (
        "audit_event", "directory", "emergency_access", "stated_relation", "treatment_relation",
        "record_block", "representation", "replaced_person", "staff_standing", "search_indexing",
        "terminology_resource", "subscription_event", "self_made_tie",
    ),
}  # fmt: skip
"""The tables with a column for the inhabitant that each role has any right to."""

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
    for role, reaches in REACHES.items():
        tables = await database.fetch(_TABLES, role)
        assert len(tables) > 20
        assert [name for name, closed, _ in tables if not closed] == []
        assert {name for name, _, reached in tables if reached} == set(reaches), role


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


@pytest.mark.parametrize(
    ("statement", "changes"),
    [
        (("INSERT INTO resource (patient, type, id, version, last_updated, code, date_low,"
         " date_high, keys, token_set, body) SELECT $1, type, 'forged', 1, last_updated, code,"
         " date_low, date_high, keys, token_set, body FROM resource"
         " WHERE id = 'pulse-anne'"), False),
        ("INSERT INTO directory (key, patient) VALUES (77, $1)", False),
        (("INSERT INTO change (transaction, patient, at, actor, verbs, types, ids, versions)"
         " VALUES (1, $1, now(), 'x', 'C', '{Patient}', '{x}', '{1}')"), False),
        (("INSERT INTO draft (patient, author, kind, key, revision, updated_at, content)"
         " VALUES ($1, 'x', 'note', 'k', 1, now(), '{}')"), False),
        ("INSERT INTO last_look (patient, actor, at) VALUES ($1, 'x', now())", False),
        (("INSERT INTO treatment_relation (patient, grantee, start_at, end_at, source_type,"
         " source_id) VALUES ($1, 'Organization/ward', 0, 9, 'CareTeam', 'x')"), False),
        ("UPDATE resource SET patient = $1 WHERE id = 'pulse-anne'", False),
        ("UPDATE resource SET version = 9 WHERE patient = $1", True),
        ("DELETE FROM resource WHERE patient = $1", True),
        ("DELETE FROM resource_history WHERE patient = $1", True),
        ("DELETE FROM treatment_relation WHERE patient = $1", True),
        ("UPDATE draft SET author = 'y' WHERE patient = $1", True),
    ],
)  # fmt: skip
async def test_nothing_is_written_about_whom_one_is_not_tied_to(
    database: Database, services: Services, statement: str, changes: bool
) -> None:
    changed = services.gate.store.roles.changed
    whole = "SELECT count(*), sum(version) FROM resource WHERE patient = $1"
    before = await database.fetchrow(whole, BERIT)
    with behind() as request:
        request.add([ANNE])
        if changes:
            # What is not seen is not found, and so not changed.
            assert (await changed.execute(statement, BERIT)).endswith(" 0")
        else:
            with pytest.raises(DatabaseError, match="violates check option"):
                await changed.execute(statement, BERIT)
    assert await database.fetchrow(whole, BERIT) == before


async def test_the_trail_is_added_to_and_never_changed(services: Services) -> None:
    roles = services.gate.store.roles
    for role in (roles.whole, roles.program, roles.officer):
        for statement in ("DELETE FROM audit_event", "UPDATE audit_event SET actor = 'x'"):
            with pytest.raises(DatabaseError, match="permission denied"):
                await role.execute(statement)
    with behind() as request:
        request.add([ANNE])
        for statement in ("DELETE FROM audit_event", "UPDATE audit_event SET actor = 'x'"):
            with pytest.raises(DatabaseError, match="permission denied"):
                await roles.changed.execute(statement)


async def test_a_forced_decision_lets_nobody_write_about_another(
    services: Services, nurse: Actor, patient: Any, pulse: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    yes = Decision(True, "relation", "forced")
    monkeypatch.setattr(permit, "decide", lambda *_a, **_k: yes)
    there = await services.gate.store.read("Observation", "pulse-berit")
    assert there is not None
    again = {**there.resource, "status": "amended"}
    bundle = {
        "resourceType": "Bundle", "type": "transaction", "entry": [
            {"resource": pulse("berit"), "request": {"method": "POST", "url": "Observation"}},
        ],
    }  # fmt: skip
    many = [
        {"resource": pulse("berit"), "request": {"method": "POST", "url": "Observation"}}
        for _ in range(80)
    ]
    with behind():
        for attempt in (
            lambda: services.writer.write(nurse, pulse("berit")),
            lambda: services.writer.write(nurse, again, if_match=1),
            lambda: services.writer.write(nurse, patient("berit"), if_match=1),
            lambda: services.writer.delete(nurse, "Observation", "pulse-berit"),
            lambda: services.bundles.transact(nurse, bundle),
            lambda: services.bundles.transact(nurse, {**bundle, "entry": many}),
        ):
            with pytest.raises(DatabaseError):
                await attempt()
        await services.writer.write(nurse, pulse("anne"))
        new = await services.writer.write(nurse, patient("newcomer"))
        assert new.created
    assert (await services.gate.store.read("Observation", "pulse-berit")) == there


async def test_a_row_that_was_found_without_the_wall_is_not_unpacked_behind_it(
    services: Services,
) -> None:
    with behind() as request:
        request.add([ANNE])
        found = await services.gate.store.beyond.read("Patient", "berit")
        assert found is not None
        with pytest.raises(OutOfReach):
            found.json  # noqa: B018
        mine = await services.gate.store.beyond.read("Patient", "anne")
        assert mine is not None
        assert mine.json


async def test_the_program_s_own_role_reads_nobody_s_record(
    database: Database, services: Services
) -> None:
    program = services.gate.store.roles.program
    for table in ("resource", "resource_history", "draft", "search_string", "change"):
        with pytest.raises(DatabaseError, match="permission denied"):
            await program.fetch(f"SELECT * FROM {table}")
    owned = await database.fetchval(
        "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) LIKE 'helsevev\\_%'"
    )
    assert owned == 0
    for name, superuser, bypasses in await database.fetch(
        "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname LIKE 'helsevev\\_%'"
    ):
        assert not superuser, name
        assert not bypasses, name


async def test_lists_of_people_hold_no_more_of_a_record_than_the_patient(
    services: Services,
) -> None:
    people = services.gate.store.roles.people
    assert {row[0] for row in await people.fetch("SELECT DISTINCT type FROM resource")} == {
        "Patient"
    }
    assert {row[0] for row in await people.fetch("SELECT DISTINCT type FROM search_string")} == {
        "Patient"
    }
    for table in ("resource_history", "search_text", "audit_event", "draft"):
        with pytest.raises(DatabaseError, match="permission denied"):
            await people.fetch(f"SELECT * FROM {table}")
    officer = services.gate.store.roles.officer
    with pytest.raises(DatabaseError, match="permission denied"):
        await officer.fetch("SELECT * FROM public.resource")
    seen = await officer.fetch("SELECT DISTINCT type FROM resource WHERE patient > 0")
    assert {row[0] for row in seen} == {"Patient"}


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


async def test_a_server_s_plain_role_needs_these_grants_and_no_more(
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
        with pytest.raises(MigrationError, match="GRANT helsevev_whole TO plain"):
            await migrate(plain)
        for role in (*REACHES, "helsevev_whole"):
            await database.execute(f"GRANT {role} TO plain")
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
