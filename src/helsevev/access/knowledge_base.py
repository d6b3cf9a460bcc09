"""The list of interactions in use, and whether the knowledge base answers: reference data."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from helsevev.kit import clock
from helsevev.record.connection import DatabaseError
from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL: Final = load("cards")


@dataclass(frozen=True, slots=True)
class State:
    """When the base was last changed (None: it does not answer), and why it was stopped."""

    changed_at: datetime | None
    stopped_because: str


class KnowledgeBase:
    """Reads and replaces the list; what its body means is decision support's."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: tuple[datetime, bytes | None] | None = None

    async def state(self) -> State:
        """The state now; a base that does not answer is stopped, and says so."""
        try:
            row = await self._database.fetchrow(_SQL["knowledge_state"])
        except DatabaseError as problem:
            return State(None, str(problem)[:200] or "no answer")
        return State(None, "the base is missing") if row is None else State(row[0], row[1])

    async def body(self, state: State) -> bytes | None:
        """The list that was loaded, as of `state`; None for the one that comes with the program.

        Read once for each change: a list has thousands of entries, and orders are many.
        """
        if self._kept is not None and self._kept[0] == state.changed_at:
            return self._kept[1]
        packed = await self._database.fetchval(_SQL["knowledge_body"])
        body = None if packed is None else zlib.decompress(packed)
        if state.changed_at is not None:
            self._kept = state.changed_at, body
        return body

    async def load(self, body: bytes | None) -> None:
        """Put another list in use, or (None) the one that comes with the program."""
        packed = None if body is None else zlib.compress(body, 9)
        await self._database.execute(_SQL["load_knowledge"], packed, clock.now())

    async def stop(self, because: str) -> None:
        """Stop the base for a reason; "" starts it."""
        await self._database.execute(_SQL["stop_knowledge"], because, clock.now())
