"""What apps held and can use no more is forgotten while the program runs, and nothing else is."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest
from tests.contract.apps.conftest import NURSE, World

from helsevev.access.apps.tokens import Context
from helsevev.kit import clock
from helsevev.kit.settings import Settings
from helsevev.main import working

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_what_has_run_out_is_forgotten_by_what_goes_on_by_itself(
    world: World, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = world.services.apps.tokens
    client, _ = await world.register()
    now = clock.now()
    held: dict[str, tuple[str, str]] = {}
    for name, lasts in (("over", timedelta(minutes=1)), ("lasting", timedelta(days=9))):
        context = Context(scopes=("patient/*.rs",))
        grant = await tokens.add_grant(client.id, NURSE, context, None, now + lasts)
        ticket = await tokens.issue_ticket("refresh", client.id, {}, now + lasts, grant=grant.id)
        held[name] = grant.id, ticket
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=1))
    database = world.services.gate.store.roles.program

    async def kept() -> set[str]:
        rows = await database.fetch(
            "SELECT id FROM app_grant WHERE id = ANY ($1::text[])",
            [grant for grant, _ in held.values()],
        )
        return {row["id"] for row in rows}

    assert len(await kept()) == 2
    async with working(Settings(data=tmp_path, demo=False), world.services):
        last = time.monotonic() + 10
        while len(await kept()) == 2 and time.monotonic() < last:
            await asyncio.sleep(0.02)
    assert await kept() == {held["lasting"][0]}
    assert await tokens.look_at_ticket("refresh", held["over"][1]) is None
    assert await tokens.look_at_ticket("refresh", held["lasting"][1]) is not None
