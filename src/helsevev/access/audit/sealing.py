"""Seals the audit trail: rows become leaves of a Merkle log, and its root is signed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Final

from helsevev.access.audit.checkpoint import BadCheckpoint, Checkpoint, opened, signed
from helsevev.access.audit.log_keys import LogKeys, Signer
from helsevev.access.audit.merkle import Frontier, leaf_hash
from helsevev.kit import clock
from helsevev.kit.background import Background
from helsevev.record import sealed
from helsevev.record.connection import DatabaseError, Row, UniqueViolation
from helsevev.record.database import Database
from helsevev.record.sealed import SQL, End

EVERY: Final = 1.0
"""Seconds between two looks at what is new."""

SIGN_EVERY: Final = 10.0
"""Seconds between two checkpoints, at least."""

MOST: Final = 2048
"""Most rows of one batch."""

_log = logging.getLogger(__name__)


class BrokenLog(Exception):
    """The log in the database is not the one that was signed: it is not continued."""


class Sealer(Background):
    """Seals over one database. Several may: who comes second finds the rows sealed."""

    name = "audit sealer"

    def __init__(self, database: Database, keys: LogKeys) -> None:
        self._database = database
        self._keys = keys
        self._signed_at = 0.0

    async def stop(self) -> None:
        """End sealing, with all that is settled sealed and signed."""
        if self._task is None:
            return
        await super().stop()
        with contextlib.suppress(DatabaseError, BrokenLog):
            await self.seal()
            await self.sign()

    async def seal(self, most: int = MOST) -> int:
        """Seal every settled row; returns how many. Raises `BrokenLog` or `DatabaseError`."""
        count = 0
        while True:
            end = await sealed.end(self._database)
            rows = await self._database.fetch(SQL["unsealed"], *end.place, most)
            if not rows:
                return count
            try:
                await self._append(end, rows)
            except UniqueViolation:
                continue  # Another process was first with these rows.
            count += len(rows)

    async def sign(self) -> str:
        """The newest checkpoint, made now unless nothing was sealed since the last one.

        Raises `BrokenLog` when the log does not go on where it was signed.
        """
        end = await sealed.end(self._database)
        row = await self._database.fetchrow(SQL["last_checkpoint"])
        if row is not None and row["size"] == end.size:
            self._check(end, row["note"])
            return str(row["note"])
        if row is not None:
            await self._check_signed(end, row["size"], row["note"])
        return await self._keep(end, [self._keys.signer()])

    async def rotate(self) -> str:
        """Change to a new key: a checkpoint that the old and the new one sign."""
        await self.seal()
        await self.sign()
        end = await sealed.end(self._database)
        return await self._keep(end, self._keys.rotate())

    async def _append(self, end: End, rows: Sequence[Row]) -> None:
        frontier = Frontier(end.size, end.subtrees)
        hashes = [leaf_hash(sealed.leaf(row[1:])) for row in rows]
        frontier.extend(hashes)
        last = rows[-1]
        await self._database.execute(
            SQL["seal"], end.size, len(rows), last["xid"], last["id"], clock.now(),
            [row["patient"] for row in rows], [row["id"] for row in rows],
            b"".join(hashes), frontier.subtrees,
        )  # fmt: skip

    async def _keep(self, end: End, signers: Sequence[Signer]) -> str:
        root = Frontier(end.size, end.subtrees).root()
        checkpoint = Checkpoint(self._keys.name(), end.size, root, clock.now())
        note = signed(checkpoint, signers)
        newest = signers[-1][0].id.hex()
        await self._database.execute(SQL["add_checkpoint"], end.size, checkpoint.at, newest, note)
        return note

    async def _check_signed(self, end: End, size: int, note: str) -> None:
        then = await sealed.end_before(self._database, size)
        if size > end.size or then is None:
            raise BrokenLog(f"The log was signed at {size} rows and holds {end.size}.")
        self._check(then, note)

    def _check(self, end: End, note: str) -> None:
        try:
            checkpoint = opened(note, self._keys.known())
        except BadCheckpoint as problem:
            raise BrokenLog(str(problem)) from problem
        if Frontier(end.size, end.subtrees).root() != checkpoint.root:
            raise BrokenLog(f"The log's first {end.size} rows are not those that were signed.")

    async def _go_on(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                await self.seal()
                if loop.time() - self._signed_at >= SIGN_EVERY:
                    await self.sign()
                    self._signed_at = loop.time()
            except DatabaseError as problem:
                _log.warning("The audit trail could not be sealed; trying again: %s", problem)
            except BrokenLog as problem:
                _log.critical("The audit trail is no longer sealed: %s", problem)
                return
            await asyncio.sleep(EVERY)
