"""A record opens only where what is in it can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from helsevev.kit.settings import Settings
from helsevev.record import body
from helsevev.record.connection import DatabaseError
from helsevev.record.opening import UnfitDictionary, opened
from helsevev.record.roles import PROGRAM, Roles
from helsevev.record.wall import ROLE, behind


async def test_a_record_packed_with_another_dictionary_is_not_opened(
    database_url: str, tmp_path: Path
) -> None:
    settings = Settings(data=tmp_path, database_url=database_url)
    async with opened(settings, 1) as database:
        kept = await database.fetchval("SELECT content FROM dictionary WHERE id = $1", 1)
        assert kept == body.dictionary_bytes()
        await database.execute("UPDATE dictionary SET content = $1", kept[:-1] + b"?")
    with pytest.raises(UnfitDictionary, match="empty data folder"):
        async with opened(settings, 1):
            pass


async def test_the_program_signs_in_as_one_who_owns_nothing(tmp_path: Path) -> None:
    async with opened(Settings(data=tmp_path), 2) as database:
        roles = Roles(database)
        for taken in (roles.program, roles.whole, roles.people, roles.officer):
            assert await taken.fetchval("SELECT session_user::text") == PROGRAM
            # Setting a role down leads to one with fewer rights, not back to the owner.
            async with taken.connection() as connection:
                await connection.execute("RESET ROLE")
                with pytest.raises(DatabaseError, match="permission denied"):
                    await connection.execute("TRUNCATE public.resource")
            with pytest.raises(DatabaseError, match="permission denied|must be owner"):
                await taken.execute("ALTER TABLE audit_event DISABLE ROW LEVEL SECURITY")
        with behind():
            assert await roles.shown.fetchval("SELECT session_user::text") == PROGRAM
            assert await roles.shown.fetchval("SELECT current_user::text") == ROLE
        assert await database.fetchval("SELECT session_user::text") != PROGRAM
    # And again, when nothing is left to grant.
    async with opened(Settings(data=tmp_path), 2) as database:
        assert await Roles(database).program.fetchval("SELECT session_user::text") == PROGRAM
