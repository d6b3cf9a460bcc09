"""Professional content is released, kept in every version, and known to every process."""

from __future__ import annotations

import pytest

from helsevev.access.packs import Packs, editions_of
from helsevev.content.packs.shelf import built_in
from helsevev.record.database import Database

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_what_comes_with_the_program_is_kept_once_for_when_it_is_replaced(
    database: Database,
) -> None:
    packs = Packs(database)
    await packs.keep_built_in()
    await packs.keep_built_in()
    archive = (await packs.standing()).archive
    for each in editions_of(built_in()):
        kept = archive.one(each.folder, each.key, each.version)
        assert kept is not None
        assert kept.text == each.text
    shelf = await packs.current()
    assert {each.key for each in shelf.packs} == {each.key for each in built_in()}
    assert await packs.current() is shelf
