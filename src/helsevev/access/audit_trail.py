"""The audit trail of reads and refusals: durable before the answer leaves, committed in groups."""

from __future__ import annotations

from collections.abc import Sequence

from helsevev.kit.gathering import Gathering
from helsevev.record import audit
from helsevev.record.audit import Row
from helsevev.record.connection import ConnectionLost
from helsevev.record.database import Database


class AuditTrail:
    """Collects audit rows of concurrent requests and writes each collection with one statement.

    A lone reader waits for one commit, and a hundred readers share it. One row that cannot be
    kept turns none of the other readers away.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        # While one collection is being flushed to disk, the next gets in line for the next flush.
        self._rows: Gathering[tuple[Row, ...], None] = Gathering(
            self._write, final=(ConnectionLost,), at_once=2
        )

    async def keep(self, *rows: Row) -> None:
        """Return when `rows` (see `record.store.audit_row`) are durable; else raise."""
        if rows:
            await self._rows.ask(rows)

    async def _write(self, groups: Sequence[tuple[Row, ...]]) -> list[None]:
        rows = [row for group in groups for row in group]
        await audit.keep(self._database, rows)
        return [None] * len(groups)
