"""A filled record made on any older schema is carried over every migration, and is whole after it.

The older record is made of one of now: each table that was there then is filled with the columns
it had then. What is carried over must hold the same, and once the server has worked out anew what
is due, every read model and every row of search must be as if this program had written it.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.administration.filling import fill_standing
from helsevev.access.blocking import PROJECTION as BLOCKS
from helsevev.access.identity.devices import Devices
from helsevev.access.representing import PROJECTION as REPRESENTATIONS
from helsevev.access.services import Services, services_over
from helsevev.access.session import SHIFT, SignIn
from helsevev.access.staff_standing import PROJECTION as STANDING
from helsevev.fhir.identifiers import FODSELSNUMMER
from helsevev.kit import clock
from helsevev.record import reworking
from helsevev.record.database import Database
from helsevev.record.migration import FOLDER, migrate
from helsevev.record.reworking import Rework

VERSIONS: Final = [int(path.name[:4]) for path in sorted(FOLDER.glob("*.sql"))]
QUICK: Final = {VERSIONS[0], 11, 16, VERSIONS[-2]}
"""From the first, from before the log was sealed and the wall was built, and from the last but one;
all others are tried with the long tests."""

CHANGED_ON_PURPOSE: Final = {
    "migration": "what this is about",
    "extraction": "a migration may say that rows are to be worked out anew",
}
_COLUMNS: Final = """
SELECT c.relname AS table, array_agg(a.attname::text ORDER BY a.attnum) AS columns,
       array_agg(CASE WHEN a.attnotnull AND a.atttypid = 'text'::regtype
                 THEN format('coalesce(%I, %L)', a.attname, '') ELSE quote_ident(a.attname) END
                 ORDER BY a.attnum) AS told
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
  AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
GROUP BY 1 ORDER BY 1
"""
ROLES: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
NEWEST: Final = "Båret helt over"
_READ_MODEL: Final = {"source_type", "source_id"}
_SEARCH: Final = {"resource", "search_string", "search_date", "search_quantity", "search_text"}


@dataclass
class Filled:
    """A record of now, its tables and their columns, and the tokens of who is signed in there."""

    database: Database
    columns: Columns
    session: str
    token: str


_COUNTERS: Final = """
SELECT sequencename::text, last_value FROM pg_sequences
WHERE schemaname = 'public' AND last_value IS NOT NULL
"""
Columns = dict[str, dict[str, str]]
"""Of each table, each column with how its value is told where it must have one."""


async def columns_of(database: Database) -> Columns:
    return {
        row["table"]: dict(zip(row["columns"], row["told"], strict=True))
        for row in await database.fetch(_COLUMNS)
    }


async def content(database: Database, table: str, columns: Iterable[str]) -> list[str]:
    asked = f"SELECT ROW({', '.join(columns)})::text AS row FROM {table} ORDER BY 1"
    return [row["row"] for row in await database.fetch(asked)]


def resources(patient: Any, pulse: Any, stay: Any) -> list[dict[str, Any]]:
    """Of each kind that a read model or a row of search is made of, at least one."""
    about = {"reference": "Patient/carried"}
    ward = {"reference": "Organization/ward"}
    number = {"system": FODSELSNUMMER, "value": "13116900216"}
    return [
        {"resourceType": "Organization", "id": "ward", "name": "Ward"},
        {"resourceType": "Practitioner", "id": "carried-nurse", "name": [{"family": "Ness"}]},
        {"resourceType": "PractitionerRole", "id": "carried-role", "organization": ward,
         "practitioner": {"reference": "Practitioner/carried-nurse"}},
        patient("carried", identifier=[number], birthDate="1969-11-13"),
        patient("carried-twin", link=[{"other": about, "type": "replaced-by"}], active=False),
        stay("carried"),
        *(pulse("carried", value=60 + n, id=f"carried-pulse-{n}") for n in range(9)),
        {"resourceType": "Consent", "id": "carried-block", "status": "active", "patient": about,
         "scope": {"coding": [{"code": "patient-privacy"}]},
         "category": [{"coding": [{"code": "INFA"}]}],
         "policyRule": {"coding": [{"code": "OPTIN"}]},
         "provision": {"type": "deny", "actor": [{
             "role": {"coding": [{"code": "IRCP"}]},
             "reference": {"reference": "Practitioner/blocked"}}]}},
        {"resourceType": "RelatedPerson", "id": "carried-son", "patient": about,
         "identifier": [{"system": FODSELSNUMMER, "value": "01019012345"}],
         "relationship": [{"coding": [{"system": ROLES, "code": "POWATT"}]}]},
        {"resourceType": "CodeSystem", "id": "carried-codes", "status": "active",
         "content": "complete", "url": "https://example.org/codes",
         "concept": [{"code": "a", "display": "Én"}, {"code": "b", "display": "To"}]},
        {"resourceType": "Communication", "id": "carried-note", "status": "completed",
         "subject": about, "payload": [{"contentString": "Båret over"}]},
    ]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def filled(
    services: Services,
    database: Database,
    nurse: Actor,
    patient: Any,
    pulse: Any,
    stay: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Filled:
    """A few people, a block, a representative, an update, a deletion, sign-ins and a PIN."""
    made = resources(patient, pulse, stay)
    for resource in made:
        await services.writer.write(SYSTEM, resource)
    changed = made[-1] | {"payload": [{"contentString": NEWEST}]}
    await services.writer.write(SYSTEM, changed, if_match=1)
    await services.writer.delete(SYSTEM, "Observation", "carried-pulse-8")
    devices = Devices(database, tmp_path_factory.mktemp("carried"))
    await devices.remember("device", nurse, SignIn(ends_at=clock.now() + SHIFT))
    assert await devices.set_pin(nurse.id, "2580") == ""
    session = await services.credentials.start_session(nurse)
    token = await services.credentials.issue_token(nurse)
    return Filled(database, await columns_of(database), session, token)


@pytest_asyncio.fixture(loop_scope="session")
async def other(made_database: Any) -> AsyncIterator[Database]:
    """An empty database without any schema."""
    async with made_database("template1") as url:
        database = await Database.open(url, size=8)
        yield database
        await database.close()


async def fill_as_of(version: int, filled: Filled, older: Database, folder: Path) -> Columns:
    """Make the record as that version had it; its tables, and their columns that there are yet."""
    for path in FOLDER.glob("*.sql"):
        if int(path.name[:4]) <= version:
            (folder / path.name).write_bytes(path.read_bytes())
    await migrate(older, folder)
    columns = {
        table: {name: told for name, told in names.items() if name in filled.columns[table]}
        for table, names in (await columns_of(older)).items()
        if table in filled.columns and table != "migration"
    }
    async with older.connection() as there, filled.database.connection() as here:
        # As a backup is restored: in any order, and without what rows set off.
        await there.execute("SET session_replication_role = replica")
        await there.execute(f"TRUNCATE {', '.join(columns)}")
        for table, names in columns.items():
            rows = io.BytesIO()
            asked = f"SELECT {', '.join(names.values())} FROM {table}"
            await here.driver.copy_from_query(asked, output=rows, format="binary")
            rows.seek(0)
            await there.driver.copy_to_table(
                table, source=rows, columns=list(names), format="binary"
            )
        for name, last in await here.fetch(_COUNTERS):
            await there.fetch("SELECT setval(to_regclass($1), $2)", name, last)
        await there.execute("RESET session_replication_role")
    return columns


@pytest.mark.parametrize(
    "version",
    [pytest.param(v, marks=() if v in QUICK else pytest.mark.soak) for v in VERSIONS],
)
async def test_a_filled_record_is_carried_over_from_any_schema_and_is_whole_after_it(
    version: int,
    filled: Filled,
    other: Database,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    columns = await fill_as_of(version, filled, other, tmp_path)
    await migrate(other)
    for table in columns.keys() - CHANGED_ON_PURPOSE.keys():
        before = await content(filled.database, table, columns[table].values())
        after = await content(other, table, columns[table])
        assert after == before, table

    carried = services_over(other, {})
    await started(carried)
    for table in (BLOCKS.table, REPRESENTATIONS.table, STANDING.table):
        before = await content(filled.database, table, filled.columns[table])
        assert before, f"there is nothing in {table} to carry"
        assert await content(other, table, filled.columns[table]) == before, table
    if version == VERSIONS[-1]:
        assert "of an older version" not in caplog.text
    if not await carried.reindexer.is_done():
        await reworked(carried)
        assert "of an older version" in caplog.text
    for table, names in filled.columns.items():
        if table in _SEARCH or set(names) >= _READ_MODEL:
            before = await content(filled.database, table, names)
            assert await content(other, table, names) == before, table
    await still_works(carried, filled)


async def started(carried: Services) -> None:
    """What a server does before it answers anybody."""
    await fill_standing(carried.gate.store)
    await reworking.protect(carried.reindexer)


async def reworked(carried: Services) -> None:
    """What it does beside."""
    rework = Rework(carried.reindexer)
    await rework.start()
    async with asyncio.timeout(60):
        while not await carried.reindexer.is_done():
            await asyncio.sleep(0.02)
    await rework.stop()


async def still_works(carried: Services, filled: Filled) -> None:
    """Who was signed in still is; what was written is read, found, and can be written on."""
    assert await carried.credentials.session_actor(filled.session) is not None
    assert await carried.credentials.token_actor(filled.token) is not None
    stored = await carried.gate.store.read("Communication", "carried-note")
    assert stored is not None
    assert (stored.version, stored.resource["payload"]) == (2, [{"contentString": NEWEST}])
    await carried.writer.write(SYSTEM, stored.resource | {"status": "in-progress"}, if_match=2)
    query = await carried.searcher.read(
        "Communication", [("_content", "helt"), ("status", "in-progress")], strict=True, base=""
    )
    found = (await carried.searcher.search(SYSTEM, query)).matches
    assert [each.id for each in found] == ["carried-note"]
