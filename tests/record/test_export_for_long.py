"""An export's memory does not grow with the record: four times as much, and the same is held."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from helsevev.record.database import Database

from .importing import command, environment, observation, run_import, save, transaction

MOST_RESIDENT_MB = 300
_MULTIPLY = """
INSERT INTO resource
SELECT patient + n, code, date_low, date_high, transaction, last_updated, version, type,
    id || '-copy' || n, '{}', '{}', body
FROM resource, generate_series($1::integer, $2::integer) AS n
WHERE position('-copy' IN id) = 0
"""


@pytest.mark.soak
@pytest.mark.parametrize("form", ["ndjson", "parquet"])
async def test_memory_stays_flat_however_much_is_exported(
    made_database: Any, template: str, tmp_path: Path, form: str
) -> None:
    async with made_database(template) as url:
        record = await Database.open(url, size=1)
        div = f'<div xmlns="http://www.w3.org/1999/xhtml">{"æ" * 500}</div>'
        text = {"status": "generated", "div": div}
        measured = [observation("urn:uuid:p0", n, text=text) for n in range(399)]
        bundle = transaction({"resourceType": "Patient", "active": True}, *measured)
        save(tmp_path / "in.json", bundle)
        assert run_import(tmp_path / "in.json", database_url=url).status == 0
        resident = []
        for first, last in ((1, 250), (251, 1000)):
            await record.execute(_MULTIPLY, first, last)
            resident.append(_resident(url, tmp_path / f"out-{last}", form))
        await record.close()
    assert max(resident) < MOST_RESIDENT_MB
    assert resident[1] < resident[0] * 1.3


def _resident(url: str, folder: Path, form: str) -> float:
    """The most that `helsevev export` held at once, in MB."""
    words = command("export", "--out", folder, "--format", form)
    child = os.posix_spawn(words[0], words, environment(url))
    _, status, usage = os.wait4(child, 0)
    assert status == 0
    return usage.ru_maxrss / 1024
