"""Lets a replay's staff in: the demo's login key, and bearer tokens for their roles."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from helsevev.access.actor import SYSTEM
from helsevev.access.demo import LOGIN
from helsevev.access.services import Services
from helsevev.access.staff import actor_of_role
from helsevev.kit.chapter import CommandContext
from helsevev.kit.secret import secret
from helsevev.kit.settings import BadSetting
from helsevev.region.replay.admission import WHOLE_RECORD, Admission

_LASTS: Final = timedelta(days=1)


def admission(context: CommandContext) -> Admission:
    """The keys to the data folder that the command works on. Raises `BadSetting` for another one.

    Nothing is made there: a folder without a login key is not where the demo is served from.
    """
    data = context.settings.data
    if not (data / f"{LOGIN}.secret").is_file():
        raise BadSetting(f"HELSEVEV_DATA must name the data folder of a served demo, not {data}")
    return Admission(data, secret(data, LOGIN), lambda roles: asyncio.run(_tokens(context, roles)))


async def _tokens(context: CommandContext, roles: Sequence[str]) -> list[str]:
    async with context.services() as services:
        return [await _token(services, role) for role in roles]


async def _token(services: Services, role: str) -> str:
    store = services.gate.store
    actor = SYSTEM if role == WHOLE_RECORD else await actor_of_role(store, role)
    return "" if actor is None else await services.credentials.issue_token(actor, _LASTS)
