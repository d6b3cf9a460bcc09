"""Forgets what apps held and can use no more: tickets, grants and assertions that have run out."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from helsevev.access.apps.tokens import Tokens
from helsevev.kit.background import Background
from helsevev.record.connection import DatabaseError

_log = logging.getLogger(__name__)
EVERY: Final = 600.0
"""Seconds between two rounds; what has run out opens nothing meanwhile."""


class Tidying(Background):
    """Tidies from time to time, in the background. Several may: each round deletes what is left."""

    name = "what apps held"

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def _go_on(self) -> None:
        while True:
            try:
                await self._tokens.tidy()
            except DatabaseError as problem:
                _log.warning("What apps held could not be tidied; trying again: %s", problem)
            await asyncio.sleep(EVERY)
