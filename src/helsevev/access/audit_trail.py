"""The audit trail of reads and refusals: durable before the answer leaves, committed in groups."""

from __future__ import annotations

import asyncio
from typing import Any

from helsevev.record.connection import ConnectionLost
from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL = load("store")

Row = tuple[Any, ...]
_Group = tuple[tuple[Row, ...], asyncio.Future[None]]


class AuditTrail:
    """Collects audit rows of concurrent requests and writes each collection with one statement.

    While one statement is under way the next rows gather; so a lone reader waits for one commit,
    and a hundred readers share it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Group] = []
        self._writer: asyncio.Task[None] | None = None

    async def keep(self, *rows: Row) -> None:
        """Return when `rows` (see `record.store.audit_row`) are durable; else raise."""
        if not rows:
            return
        loop = asyncio.get_running_loop()
        kept = loop.create_future()
        self._waiting.append((rows, kept))
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

    async def _write(self, batch: list[_Group]) -> None:
        rows = [row for group, _ in batch for row in group]
        try:
            await self._database.execute(_SQL["audit"], *(list(c) for c in zip(*rows, strict=True)))
        except ConnectionLost as lost:
            _tell(batch, lost)
        except Exception as failure:  # noqa: BLE001 - every reader in the group waits for an answer
            if len(batch) == 1:
                _tell(batch, failure)
            # One row that cannot be kept is no reason to turn the other readers away.
            else:
                for group in batch:
                    await self._write([group])
        else:
            _tell(batch, None)


def _tell(batch: list[_Group], failure: Exception | None) -> None:
    for _, kept in batch:
        if kept.done():
            continue
        if failure is None:
            kept.set_result(None)
        else:
            kept.set_exception(failure)
