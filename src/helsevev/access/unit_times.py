"""The times of day at which units give medicines, as their managers have set them, from when.

What they mean is the medication chapter's. There are few, so each process knows all of them, and
looks again after some seconds.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL: Final = load("unit_times")
_FRESH_FOR: Final = 5.0
"""Seconds for which what was read is held to be what stands."""


@dataclass(frozen=True, slots=True)
class UnitTimes:
    """What a unit (a reference) has set from a moment on: `body` is JSON, by whom and when."""

    unit: str
    since: datetime
    body: str
    written_at: datetime
    actor: str
    actor_name: str


KNOWN: Final[ContextVar[tuple[UnitTimes, ...]]] = ContextVar("unit_times", default=())
"""What the rules of this request know of units' times: they look at nothing themselves."""


class TimesOfUnits:
    """Reads them: they say nothing of anybody, and every rule of doses goes by them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: tuple[UnitTimes, ...] = ()
        self._until = 0.0

    async def known(self) -> tuple[UnitTimes, ...]:
        """Those of every unit that has its own, also put where rules find them."""
        if time.monotonic() >= self._until:
            rows = await self._database.fetch(_SQL["every"])
            self._known = tuple(UnitTimes(*row) for row in rows)
            self._until = time.monotonic() + _FRESH_FOR
        KNOWN.set(self._known)
        return self._known

    def forget(self) -> None:
        """Look again the next time: something was set."""
        self._until = 0.0
