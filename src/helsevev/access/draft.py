"""Unsigned texts: kept for their author alone, and for no one else to see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from helsevev.access.permit import Permit
from helsevev.kit import clock
from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL: Final = load("access")


class StaleDraft(Exception):
    """Another window saved this draft meanwhile; `current` is what stands."""

    def __init__(self, current: Draft) -> None:
        self.current = current
        super().__init__("The draft was saved from another window meanwhile.")


@dataclass(frozen=True, slots=True)
class Draft:
    """An unsigned text of one author about one inhabitant."""

    kind: str
    key: str
    revision: int
    updated_at: datetime
    content: dict[str, Any]


class Drafts:
    """Keeps drafts over one database; a permit says whose and about whom."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(
        self, permit: Permit, kind: str, key: str, content: dict[str, Any], revision: int = 0
    ) -> Draft:
        """Keep `content`; `revision` is the one that the writer has seen, 0 for a new draft.

        Raises `StaleDraft` when another window has saved since.
        """
        saved = await self._write(permit, kind, key, content, revision)
        while saved is None:
            current = await self.one(permit, kind, key)
            if current is not None:
                raise StaleDraft(current)
            # The draft that stood in the way was discarded in between: now there is room.
            saved = await self._write(permit, kind, key, content, revision)
        return saved

    async def keep(self, permit: Permit, kind: str, key: str, content: dict[str, Any]) -> Draft:
        """Keep `content` over whatever stands: the window that saved last counts."""
        saved = await self._write(permit, kind, key, content, None)
        assert saved is not None
        return saved

    async def of(self, permit: Permit) -> list[Draft]:
        """The actor's drafts about this inhabitant, newest first."""
        rows = await self._database.fetch(_SQL["drafts"], permit.patient, permit.actor.id)
        return [
            Draft(kind, key, revision, at, msgspec.json.decode(content))
            for kind, key, revision, at, content in rows
        ]

    async def one(self, permit: Permit, kind: str, key: str) -> Draft | None:
        """One of the actor's drafts about this inhabitant."""
        row = await self._database.fetchrow(
            _SQL["draft"], permit.patient, permit.actor.id, kind, key
        )
        if row is None:
            return None
        return Draft(row[0], row[1], row[2], row[3], msgspec.json.decode(row[4]))

    async def _write(
        self, permit: Permit, kind: str, key: str, content: dict[str, Any], revision: int | None
    ) -> Draft | None:
        """The draft as it now stands; None when another revision than the one named stands."""
        now = clock.now()
        encoded = msgspec.json.encode(_without_nul(content)).decode()
        saved = await self._database.fetchval(
            _SQL["save_draft"],
            *(permit.patient, permit.actor.id, kind, key, now, encoded, revision),
        )
        return None if saved is None else Draft(kind, key, saved, now, content)

    async def discard(self, permit: Permit, kind: str, key: str) -> None:
        """Drop a draft: it was signed, or is not wanted."""
        await self._database.execute(
            _SQL["discard_draft"], permit.patient, permit.actor.id, kind, key
        )


def _without_nul(content: Any) -> Any:
    """The same without the one character that the database cannot hold, and no one can see."""
    match content:
        case str():
            return content.replace("\0", "")
        case dict():
            return {_without_nul(k): _without_nul(v) for k, v in content.items()}
        case list():
            return [_without_nul(item) for item in content]
        case _:
            return content
