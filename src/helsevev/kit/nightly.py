"""What is done once a night, by itself: at half past two, Norwegian time."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from helsevev.kit import clock
from helsevev.kit.background import Background

_AT: Final = time(2, 30)
_ZONE: Final = ZoneInfo("Europe/Oslo")
_LONGEST_SLEEP: Final = timedelta(hours=1)
log = logging.getLogger(__name__)


def next_night(now: datetime) -> datetime:
    """The next half past two after a moment (aware), in Norway, whichever way clocks are turned."""
    local = now.astimezone(_ZONE)
    night = datetime.combine(local.date(), _AT, _ZONE)
    if night <= local:
        night = datetime.combine(local.date() + timedelta(days=1), _AT, _ZONE)
    return night


class Nightly(Background):
    """Does its work each night; a night that fails is logged, and the next one tries again."""

    async def _go_on(self) -> None:
        night = next_night(clock.now())
        while True:
            left = night - clock.now()
            if left > timedelta(0):
                # Slept in pieces: a machine that was asleep wakes up to the right time.
                await asyncio.sleep(min(left, _LONGEST_SLEEP).total_seconds())
                continue
            try:
                await self.night()
            except Exception:
                log.exception("%s failed tonight.", self.name)
            night = next_night(clock.now())

    @abstractmethod
    async def night(self) -> None:
        """The work of one night."""
