"""Files of an unsigned text: kept for their author alone until it is signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from helsevev.access.permit import Permit
from helsevev.kit import clock
from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL: Final = load("draft_files")


@dataclass(frozen=True, slots=True)
class DraftFile:
    """A file as it is listed; `size` in bytes."""

    id: str
    title: str
    media_type: str
    size: int


class DraftFiles:
    """Keeps files over one database; a permit says whose and about whom."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, permit: Permit, draft: str, file: DraftFile, content: bytes) -> None:
        """Keep a file with a draft; the same id again changes nothing."""
        await self._database.execute(
            _SQL["keep_draft_file"],
            *(permit.patient, permit.actor.id, draft, file.id, clock.now()),
            *(file.title.replace("\0", ""), file.media_type, content),
        )

    async def of(self, permit: Permit, draft: str) -> list[DraftFile]:
        """The files of one of the actor's drafts, the oldest first."""
        rows = await self._database.fetch(
            _SQL["draft_files"], permit.patient, permit.actor.id, draft
        )
        return [DraftFile(*row) for row in rows]

    async def content(self, permit: Permit, draft: str, file_id: str) -> tuple[str, bytes] | None:
        """Media type and bytes of one of them; None when there is none such."""
        row = await self._database.fetchrow(
            _SQL["draft_file"], permit.patient, permit.actor.id, draft, file_id
        )
        return None if row is None else (row["media_type"], row["content"])

    async def drop(self, permit: Permit, draft: str, file_id: str = "") -> None:
        """Take one away, or all of the draft's."""
        place = (permit.patient, permit.actor.id, draft)
        if file_id:
            await self._database.execute(_SQL["drop_draft_file"], *place, file_id)
        else:
            await self._database.execute(_SQL["drop_draft_files"], *place)
