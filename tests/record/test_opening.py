"""A record opens only where what is in it can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from helsevev.kit.settings import Settings
from helsevev.record import body
from helsevev.record.opening import UnfitDictionary, opened


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
