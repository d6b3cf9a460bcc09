"""Creates at the same time share a statement, and yet each is stored or refused by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from helsevev.access.actor import SYSTEM
from helsevev.access.errors import PreconditionFailed
from helsevev.access.services import Services
from helsevev.record.store import Store

Resource = dict[str, Any]


@pytest.fixture
def groups(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many writes each statement carried."""
    found: list[int] = []
    whole = Store._write_group

    async def noted(self: Store, writes: Any) -> Any:
        found.append(len(writes))
        return await whole(self, writes)

    monkeypatch.setattr(store._creates, "_answer", lambda writes: noted(store, writes))
    return found


async def test_creates_at_the_same_time_are_each_whole(
    services: Services, groups: list[int], pulse: Callable[..., Resource]
) -> None:
    made = [pulse("together", id=f"together-{n}") for n in range(24)]
    written = await asyncio.gather(*(services.writer.write(SYSTEM, each) for each in made))
    assert all(each.created for each in written)
    assert len(groups) < len(made)
    database = services.gate.store.roles.owner
    for n in range(24):
        name = f"together-{n}"
        for statement in (
            "SELECT count(*) FROM change WHERE ids = ARRAY[$1]",
            "SELECT count(*) FROM audit_event WHERE target = 'Observation/' || $1",
            "SELECT count(*) FROM resource WHERE id = $1",
        ):
            assert await database.fetchval(statement, name) == 1, (statement, name)


async def test_one_that_was_there_is_refused_and_the_others_are_stored(
    services: Services, groups: list[int], pulse: Callable[..., Resource]
) -> None:
    same = [pulse("apart", value, id="once") for value in (70, 99)]
    others = [pulse("apart", id=f"apart-{n}") for n in range(6)]
    written = await asyncio.gather(
        *(services.writer.write(SYSTEM, each) for each in (*others[:3], *same, *others[3:])),
        return_exceptions=True,
    )
    refused = [each for each in written if isinstance(each, BaseException)]
    assert [type(each) for each in refused] == [PreconditionFailed]
    assert max(groups) > 1
    for each in others:
        assert await services.gate.store.read("Observation", each["id"]) is not None
    stored = await services.gate.store.read("Observation", "once")
    assert stored is not None
    assert stored.version == 1
