"""Forgets what apps held and can use no more: tickets, grants and assertions that have run out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final

from helsevev.access.apps.tokens import Tokens
from helsevev.record.connection import DatabaseError

_log = logging.getLogger(__name__)
EVERY: Final = 600.0
"""Seconds between two rounds; what has run out opens nothing meanwhile."""


class Tidying:
    """Tidies from time to time, in the background. Several may: each round deletes what is left."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin, with a round at once; runs until `stop`."""
        self._task = asyncio.create_task(self._go_on(), name="what apps held")

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _go_on(self) -> None:
        while True:
            try:
                await self._tokens.tidy()
            except DatabaseError as problem:
                _log.warning("What apps held could not be tidied; trying again: %s", problem)
            await asyncio.sleep(EVERY)
