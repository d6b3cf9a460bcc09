"""The schema goes forward only, whoever starts, however often and whenever it is cut short."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from helsevev.access.audit.log_keys import LogKeys
from helsevev.access.audit.sealing import Sealer
from helsevev.access.audit.verifying import Verifier
from helsevev.record.database import Database
from helsevev.record.migration import FOLDER, MigrationError, migrate, split, steps


@pytest.fixture
async def empty(made_database: Any) -> AsyncIterator[Database]:
    async with made_database("template1") as url:
        database = await Database.open(url, size=4)
        yield database
        await database.close()


def _write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name.removeprefix('m')}.sql").write_text(text)
    return folder


_TWO = "CREATE TABLE ward (id integer);\nINSERT INTO ward VALUES (1);"


async def test_each_step_is_carried_out_once(empty: Database, tmp_path: Path) -> None:
    folder = _write(tmp_path, m0001_ward=_TWO)
    assert await migrate(empty, folder) == 2
    assert await migrate(empty, folder) == 0
    _write(tmp_path, m0002_bed="INSERT INTO ward VALUES (2)")
    assert await migrate(empty, folder) == 1
    assert await empty.fetchval("SELECT count(*) FROM ward") == 2


async def test_two_starts_at_once_carry_out_each_step_once(empty: Database, tmp_path: Path) -> None:
    folder = _write(tmp_path, m0001_ward=_TWO + "INSERT INTO ward VALUES (2);" * 20)
    assert sum(await asyncio.gather(*(migrate(empty, folder) for _ in range(4)))) == 22
    assert await empty.fetchval("SELECT count(*) FROM ward") == 21


async def test_a_start_that_was_cut_short_goes_on_where_it_stopped(
    empty: Database, tmp_path: Path
) -> None:
    _write(tmp_path, m0001_ward=_TWO + "SELECT no_such_thing();")
    with pytest.raises(MigrationError, match=r"Step 3 of migration 0001 \(ward\) failed"):
        await migrate(empty, tmp_path)
    _write(tmp_path, m0001_ward=_TWO + "SELECT 1;")
    assert await migrate(empty, tmp_path) == 1


async def test_a_database_newer_than_the_program_is_refused(
    empty: Database, tmp_path: Path
) -> None:
    await migrate(empty, _write(tmp_path, m0001_ward=_TWO, m0002_bed="SELECT 1"))
    (tmp_path / "0002_bed.sql").unlink()
    with pytest.raises(MigrationError, match="newer than this program"):
        await migrate(empty, tmp_path)


async def test_a_step_that_was_changed_afterwards_is_refused(
    empty: Database, tmp_path: Path
) -> None:
    await migrate(empty, _write(tmp_path, m0001_ward=_TWO))
    _write(tmp_path, m0001_ward="-- A comment may change.\n" + _TWO)
    assert await migrate(empty, tmp_path) == 0
    _write(tmp_path, m0001_ward=_TWO.replace("integer", "bigint"))
    with pytest.raises(MigrationError, match="changed after it was carried out"):
        await migrate(empty, tmp_path)


async def test_an_index_can_be_built_while_others_write(empty: Database, tmp_path: Path) -> None:
    online = "-- outside a transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON ward (id);"
    assert await migrate(empty, _write(tmp_path, m0001_ward=_TWO, m0002_index=online)) == 3


async def test_an_index_whose_building_was_cut_short_is_built_anew(
    empty: Database, tmp_path: Path
) -> None:
    online = (
        "-- outside a transaction\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ward (id)"
    )
    await migrate(empty, _write(tmp_path, m0001_ward=_TWO))
    await empty.execute("INSERT INTO ward VALUES (1), (1)")
    with pytest.raises(MigrationError):
        await migrate(empty, _write(tmp_path, m0002_index=online))
    assert await empty.fetchval("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 1
    await empty.execute("TRUNCATE ward")
    assert await migrate(empty, tmp_path) == 1
    assert await empty.fetchval("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("a; b;", ["a", "b"]),
        ("a -- not; here\n; b", ["a -- not; here", "b"]),
        ("a 'it''s; so'; b \"x;y\"", ["a 'it''s; so'", 'b "x;y"']),
        ("f $$x; 'y$$; g $n$ ; $$ ; $n$", ["f $$x; 'y$$", "g $n$ ; $$ ; $n$"]),
        ("a; -- the end\n", ["a"]),
        ("/* ; */ a - b / c", ["/* ; */ a - b / c"]),
    ],
)
def test_statements_end_where_sql_says(text: str, statements: list[str]) -> None:
    assert list(split(text)) == statements


def test_the_project_s_own_migrations_are_in_line() -> None:
    assert {step.version for step in steps()} >= {1}


def test_a_migration_out_of_line_is_named(tmp_path: Path) -> None:
    _write(tmp_path, m0002_bed="SELECT 1", m0002_ward="SELECT 1")
    with pytest.raises(MigrationError, match="0002_ward.sql should be called 0003_name.sql"):
        list(steps(tmp_path))


async def test_what_was_audited_before_the_log_was_sealed_is_sealed_too(
    empty: Database, tmp_path: Path
) -> None:
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    for path in sorted(FOLDER.glob("*.sql")):
        if path.name < "0011":
            (earlier / path.name).write_text(path.read_text())
    await migrate(empty, earlier)
    await empty.execute(
        "INSERT INTO audit_event (patient, id, transaction, at, outcome, action, interaction,"
        " actor, actor_name, role, organisation, organisation_name, purpose, reason, target)"
        " SELECT n % 50 + 1, n, n, now() - interval '1 day', 0, 'read', 'read', 'Practitioner/old',"
        " 'Kari', 'sykepleier', 'Organization/ward', 'Ward', 'TREAT', '', 'Observation/' || n"
        " FROM generate_series(1, 5000) n"
    )
    await migrate(empty)
    keys = LogKeys(tmp_path / "keys")
    sealer = Sealer(empty, keys)
    assert await sealer.seal() == 5000
    await sealer.sign()
    report = await Verifier(empty, keys.known()).verify([])
    assert (report.size, report.findings) == (5000, [])
    await empty.execute("GRANT UPDATE ON audit_event TO CURRENT_USER")
    await empty.execute("UPDATE audit_event SET actor_name = 'Per' WHERE id = 4321")
    report = await Verifier(empty, keys.known()).verify([])
    assert [finding.kind for finding in report.findings] == ["altered"]
