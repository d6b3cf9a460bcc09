"""An open chart: what others write appears within the second, for as long as one may look."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.errors import Refused
from helsevev.access.services import Services


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def people(services: Services, patient: Any, stay: Any) -> None:
    for person in ("gro", "hege"):
        await services.writer.write(SYSTEM, patient(person))
        await services.writer.write(SYSTEM, stay(person))


async def test_what_a_colleague_writes_appears_within_the_second(
    services: Services, nurse: Actor, pulse: Any
) -> None:
    permit = await services.gate.open_chart(nurse, "gro")
    changes = services.live.changes(permit, await services.live.now())
    waiting = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0.1)
    await services.writer.write(SYSTEM, pulse("hege"))
    begun = time.monotonic()
    written = (await services.writer.write(SYSTEM, pulse("gro"))).stored
    async with asyncio.timeout(2):
        change = await waiting
    assert time.monotonic() - begun < 1
    assert (change.types, change.ids, change.verbs) == (("Observation",), (written.id,), "C")
    await changes.aclose()


async def test_one_who_comes_back_gets_what_came_meanwhile(
    services: Any, nurse: Any, pulse: Any
) -> None:
    permit = await services.gate.open_chart(nurse, "gro")
    place = await services.live.now()
    written = [(await services.writer.write(SYSTEM, pulse("gro", n))).stored.id for n in range(3)]
    changes = services.live.changes(permit, place)
    async with asyncio.timeout(5):
        assert [(await anext(changes)).ids[0] for _ in range(3)] == written
    await changes.aclose()


async def test_a_chart_left_open_closes_with_the_relation(
    services: Any, nurse: Any, pulse: Any, patient: Any, stay: Any, later: Any
) -> None:
    await services.writer.write(SYSTEM, patient("ida"))
    await services.writer.write(SYSTEM, stay("ida"))
    permit = await services.gate.open_chart(nurse, "ida")
    changes = services.live.changes(permit, await services.live.now())
    await services.writer.write(SYSTEM, pulse("ida"))
    async with asyncio.timeout(5):
        await anext(changes)
    await services.writer.delete(SYSTEM, "Encounter", "stay-ida")
    later(seconds=21)
    with pytest.raises(Refused):
        async with asyncio.timeout(5):
            await anext(changes)


async def test_what_is_new_is_what_came_after_one_last_looked(
    services: Any, nurse: Any, stranger: Any
) -> None:
    permit = await services.gate.open_chart(nurse, "hege")
    assert await services.live.last_look(permit) is None
    noon = datetime(2026, 1, 2, 12, tzinfo=UTC)
    await services.live.look(permit, noon)
    await services.live.look(permit, noon - timedelta(hours=1))
    assert await services.live.last_look(permit) == noon
    other = await services.gate.open_chart(SYSTEM, "hege")
    assert await services.live.last_look(other) is None
