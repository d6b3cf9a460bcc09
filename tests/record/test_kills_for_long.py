"""Nothing acknowledged is ever lost, however often whatever is killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
from pathlib import Path

import pytest

from helsevev.record.database import ConnectionLost, Database
from helsevev.record.embedded import embedded
from helsevev.record.keeper.places import Places, State

_KILLS = int(os.environ.get("HELSEVEV_SOAK_KILLS", "40"))


def _victims(data: Path) -> list[int]:
    victims = []
    with contextlib.suppress(OSError, ValueError):
        text = (Places(data).cluster / "postmaster.pid").read_text()
        victims.append(int(text.split("\n", 1)[0]))
    state = State.read(Places(data).keeper)
    return victims + ([state.keeper] if state else [])


async def _write(database: Database, acknowledged: set[int], until: asyncio.Event) -> None:
    while not until.is_set():
        number = time.monotonic_ns()
        try:
            await database.execute("INSERT INTO dose VALUES ($1)", number)
            acknowledged.add(number)
        except ConnectionLost:
            await asyncio.sleep(0.01)


@pytest.mark.soak
async def test_every_acknowledged_write_outlives_every_kill(tmp_path: Path) -> None:
    chance = random.Random(4)
    acknowledged: set[int] = set()
    async with embedded(tmp_path) as url:
        database = await Database.open(url, size=4, patience=60)
        await database.execute("CREATE TABLE dose (id bigint PRIMARY KEY)")
        enough = asyncio.Event()
        writers = [asyncio.create_task(_write(database, acknowledged, enough)) for _ in range(4)]
        for _ in range(_KILLS):
            await asyncio.sleep(chance.uniform(0.05, 2.0))
            for victim in _victims(tmp_path)[:: chance.choice((1, 2))]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
        enough.set()
        await asyncio.gather(*writers)
        kept = {row[0] for row in await database.fetch("SELECT id FROM dose")}
        await database.close()
    assert len(acknowledged) > _KILLS
    assert acknowledged - kept == set()
