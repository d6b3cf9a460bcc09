"""The audit trail of reads and refusals: durable before the answer leaves, committed in groups."""

from __future__ import annotations

import asyncio
from typing import Any

from helsevev.record.connection import DatabaseError
from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL = load("store")


class AuditTrail:
    """Collects audit rows of concurrent requests and writes each collection with one statement.

    While one statement is under way the next rows gather; so a lone reader waits for one commit,
    and a hundred readers share it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[tuple[Any, ...], asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def keep(self, *rows: tuple[Any, ...]) -> None:
        """Return when `rows` (see `record.store.audit_row`) are durable; else raise."""
        if not rows:
            return
        loop = asyncio.get_running_loop()
        kept = loop.create_future()
        self._waiting += [(row, kept) for row in rows]
        if self._writer is None:
            self._writer = loop.create_task(self._write_all())
        await kept

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._write(batch)
        finally:
            self._writer = None

    async def _write(self, batch: list[tuple[tuple[Any, ...], asyncio.Future[None]]]) -> None:
        columns = [list(column) for column in zip(*(row for row, _ in batch), strict=True)]
        failure: DatabaseError | None = None
        try:
            await self._database.execute(_SQL["audit"], *columns)
        except DatabaseError as error:
            # Every reader in the group must learn that its trace was not kept.
            failure = error
        for _, kept in batch:
            if kept.done():
                continue
            if failure is None:
                kept.set_result(None)
            else:
                kept.set_exception(failure)
