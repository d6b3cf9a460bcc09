"""What an administrator has to look at: each is a row, and a line in the log."""

from __future__ import annotations

import logging
from typing import Any, Final, Literal

from helsevev.access.actor import Actor
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL: Final = load("identity")
_log = logging.getLogger("helsevev.alarm")
Kind = Literal["emergency-login", "wrong-pins", "wrong-codes"]


class Alarms:
    """Raises alarms, and lists them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def raise_alarm(self, kind: Kind, actor: Actor, told: str) -> None:
        """Tell of something that somebody did; `told` is an English sentence, without patients."""
        _log.warning("%s: %s (%s) %s", kind, actor.name, actor.id, told)
        await self._database.execute(
            _SQL["raise_alarm"], keys.next_key(), clock.now(), kind, actor.id, actor.name,
            actor.organisation_name, told,
        )  # fmt: skip

    async def newest(self, most: int = 100) -> list[Any]:
        """The newest alarms, those that nobody has looked at first."""
        return list(await self._database.fetch(_SQL["alarms"], most))

    async def seen(self, alarm: int) -> None:
        """Somebody has looked at it."""
        await self._database.execute(_SQL["seen_alarm"], alarm, clock.now())
