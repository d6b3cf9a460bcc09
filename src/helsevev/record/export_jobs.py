"""The table of exports: what was asked, how far each has come, which files it left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL: Final = load("export")
_CHANNEL: Final = "helsevev_export"


@dataclass(frozen=True, slots=True)
class JobRow:
    """One export as the record remembers it; `actor`, `asked` and `files` are JSON."""

    id: str
    requested_at: datetime
    transaction_time: datetime | None
    finished_at: datetime | None
    expires_at: datetime
    expected: int
    written: int
    starts: int
    state: str
    problem: str
    request: str
    owner: str
    actor: str
    asked: str
    files: str


class JobRows:
    """The table of exports."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, row: tuple[Any, ...]) -> None:
        """Remember a job: id, requested, expires, request, owner, actor, asked."""
        await self._database.execute(_SQL["add_job"], *row)

    async def tell(self) -> None:
        """Wake whoever carries exports out, in whatever process that is."""
        await self._database.execute(f"NOTIFY {_CHANNEL}")

    async def follow(self, callback: Callable[[], None]) -> None:
        """Call back when there is something new."""
        await self._database.listen(_CHANNEL, lambda _payload: callback())

    async def read(self, job_id: str) -> JobRow | None:
        """One job, or None."""
        row = await self._database.fetchrow(_SQL["job"], job_id)
        return JobRow(*row) if row else None

    async def waiting(self) -> list[str]:
        """Ids of the jobs that are not finished, the oldest first."""
        return [row["id"] for row in await self._database.fetch(_SQL["waiting_jobs"])]

    async def waiting_of(self, owner: str) -> int:
        """How many unfinished jobs somebody has."""
        count: int = await self._database.fetchval(_SQL["waiting_of_owner"], owner)
        return count

    async def expired(self, now: datetime) -> list[str]:
        """Ids of the jobs whose files have been kept long enough."""
        return [row["id"] for row in await self._database.fetch(_SQL["expired_jobs"], now)]

    async def start(self, job_id: str, at: datetime, expected: int) -> int | None:
        """A job begins (anew); how many times it has, or None when it was cancelled."""
        starts: int | None = await self._database.fetchval(_SQL["start_job"], job_id, at, expected)
        return starts

    async def advance(self, job_id: str, written: int) -> bool:
        """Note how far it has come; False when it was cancelled."""
        return await self._database.fetchval(_SQL["advance_job"], job_id, written) is not None

    async def finish(self, job_id: str, *outcome: Any) -> bool:
        """Its end: state, problem, files, written, finished, expires. False when cancelled."""
        return await self._database.fetchval(_SQL["finish_job"], job_id, *outcome) is not None

    async def remove(self, job_id: str) -> None:
        """Forget a job."""
        await self._database.execute(_SQL["remove_job"], job_id)
