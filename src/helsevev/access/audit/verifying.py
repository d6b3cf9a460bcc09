"""Proves that the audit trail is what was sealed, or finds what was altered and where.

Reads the log from its beginning (or from a checkpoint), one batch at a time: every leaf is made
anew from its row, every root is held against the checkpoint that was signed of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from helsevev.access.audit.checkpoint import BadCheckpoint, Checkpoint, PublicKey, opened
from helsevev.access.audit.merkle import Frontier, leaf_hash
from helsevev.kit import clock
from helsevev.record import keys, sealed
from helsevev.record.database import Database
from helsevev.record.sealed import SQL, Batch, End, Place

MOST_TOLD: Final = 1000
PATIENCE: Final = timedelta(minutes=1)
"""How long a settled row may wait for its seal."""

_PAGE: Final = 5000
_AT_ONCE: Final = 500_000

Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and where: the leaf of the log, and the row, as far as they are known.

    `kind` is altered, deleted, inserted, gap, reordered, truncated, checkpoint, unsealed or
    unsigned.
    """

    kind: str
    text: str
    leaf: int | None = None
    row: str = ""


@dataclass(slots=True)
class Report:
    """What was proved: leaves looked at, checkpoints that hold, and what was found wrong."""

    size: int = 0
    root: bytes = b""
    leaves: int = 0
    checkpoints: int = 0
    signed: int = 0
    waiting: int = 0
    findings: list[Finding] = field(default_factory=list)

    def add(self, kind: str, text: str, leaf: int | None = None, row: str = "") -> None:
        """Note a finding; beyond a thousand only that there are more."""
        if len(self.findings) < MOST_TOLD:
            self.findings.append(Finding(kind, text, leaf, row))


class Verifier:
    """Verifies the log of one database with the keys that may have signed it."""

    def __init__(self, database: Database, known: Sequence[PublicKey]) -> None:
        self._database = database
        self._known = known
        self._report = Report()
        self._absent = 0
        self._signed = 0

    async def verify(
        self,
        held: Iterable[Checkpoint] = (),
        since: datetime | None = None,
        tell: Tell = lambda _leaves: None,
    ) -> Report:
        """Verify all, or what was sealed after the last checkpoint at or before `since`.

        `held` are checkpoints kept outside, checked beside those in the database. `tell` is called
        with the number of leaves looked at. Raises `DatabaseError`.
        """
        report = self._report = Report()
        begin = await self._begin(since)
        frontier = Frontier(begin.size, begin.subtrees)
        signed = _Merged(self._checkpoints(begin.size), [c for c in held if c.size > begin.size])
        await self._meet(frontier, signed)
        place, sealed_at = begin.place, clock.now()
        self._signed = begin.size
        async for batch in sealed.batches(self._database, begin.size):
            if batch.first != frontier.size:
                self._tell_of_gap(batch, frontier.size)
                await self._check_batch(batch)
                continue
            await self._check_batch(batch)
            await self._extend(frontier, batch, signed)
            place, sealed_at = batch.place, batch.sealed_at
            tell(report.leaves)
        report.size, report.root = frontier.size, frontier.root()
        report.signed = self._signed
        async for checkpoint in signed.rest():
            report.add(
                "truncated",
                f"A checkpoint of {checkpoint.at:%Y-%m-%d %H:%M:%S} signs {checkpoint.size} rows;"
                f" the log ends after {frontier.size}.",
                frontier.size,
            )
            break
        if frontier.size > self._signed and sealed_at < clock.now() - PATIENCE:
            text = f"Leaves from {self._signed} on were sealed {sealed_at:%F %T} and not signed."
            report.add("unsigned", text, self._signed)
        await self._check_count(begin, await self._place(place))
        await self._check_waiting()
        return report

    async def _begin(self, since: datetime | None) -> End:
        if since is None:
            return End()
        row = await self._database.fetchrow(SQL["checkpoint_before"], since)
        if row is None:
            return End()
        checkpoint = self._opened(row["note"])
        end = await sealed.end_before(self._database, row["size"])
        if checkpoint is None or end is None:
            return End()
        if Frontier(end.size, end.subtrees).root() != checkpoint.root:
            self._report.add("checkpoint", f"The log's first {end.size} rows are not those signed.")
            return End()
        return end

    async def _place(self, place: Place) -> Place:
        end = await sealed.end(self._database)
        return end.place if end.size == self._report.size else place

    async def _checkpoints(self, size: int) -> AsyncIterator[Checkpoint]:
        after, key = size - 1, "~"
        newest = await self._database.fetchrow(SQL["last_checkpoint"])
        # What is signed from now on is about leaves that may come after the last one looked at.
        most = newest["size"] if newest is not None else 0
        while True:
            rows = await self._database.fetch(SQL["checkpoints"], after, key, most, _PAGE)
            for row in rows:
                if (found := self._opened(row["note"])) is None:
                    continue
                if found.size != row["size"]:
                    self._report.add(
                        "checkpoint", f"The checkpoint of {row['size']} rows is another."
                    )
                yield found
            if len(rows) < _PAGE:
                return
            after, key = rows[-1]["size"], rows[-1]["key"]

    def _opened(self, note: str) -> Checkpoint | None:
        try:
            return opened(note, self._known)
        except BadCheckpoint as problem:
            self._report.add("checkpoint", str(problem))
            return None

    def _tell_of_gap(self, batch: Batch, size: int) -> None:
        kind = "gap" if batch.first > size else "reordered"
        self._report.add(
            kind, f"The log has leaves up to {size}, and goes on at {batch.first}.", size
        )

    async def _check_batch(self, batch: Batch) -> None:
        """Hold every row of a batch against its leaf."""
        if not len(batch.keys) == len(batch.hashes) == batch.size:
            self._report.add("gap", f"Leaves from {batch.first} on are incomplete.", batch.first)
        rows = await self._database.fetch(
            SQL["leaves"], [key[0] for key in batch.keys], [key[1] for key in batch.keys]
        )
        found = {(row["patient"], row["id"]): row for row in rows}
        for number, (key, expected) in enumerate(zip(batch.keys, batch.hashes, strict=False)):
            row = found.get(key)
            leaf = batch.first + number
            if row is None:
                self._absent += 1
                text = f"The row of leaf {leaf} is gone; it was sealed {batch.sealed_at:%F %T}."
                self._report.add("deleted", text, leaf, row_name(*key))
            elif leaf_hash(sealed.leaf(row)) != expected:
                text = f"The row of leaf {leaf} ({row['at']:%F %T}, {row['actor']}) was altered."
                self._report.add("altered", text, leaf, row_name(*key))
        self._report.leaves += len(batch.keys)

    async def _extend(self, frontier: Frontier, batch: Batch, signed: _Merged) -> None:
        """Add a batch's leaves, and stop at each size that was signed."""
        done = 0
        while (size := await signed.next_size()) is not None and size <= batch.first + batch.size:
            frontier.extend(batch.hashes[done : size - batch.first])
            done = size - batch.first
            await self._meet(frontier, signed)
        frontier.extend(batch.hashes[done:])

    async def _meet(self, frontier: Frontier, signed: _Merged) -> None:
        """Hold the tree against every checkpoint of its size."""
        while await signed.next_size() == frontier.size:
            checkpoint = await signed.take()
            if checkpoint.root == frontier.root():
                self._report.checkpoints += 1
                self._signed = frontier.size
            elif not any(f.kind in ("reordered", "checkpoint") for f in self._report.findings):
                self._report.add(
                    "reordered",
                    f"The log's first {frontier.size} leaves are not those that were signed"
                    f" {checkpoint.at:%Y-%m-%d %H:%M:%S}: leaves were exchanged, replaced or"
                    f" put elsewhere after leaf {self._signed}.",
                    self._signed,
                )

    async def _check_count(self, begin: End, place: Place) -> None:
        """That there are no rows in sealed time that the log does not have."""
        start = begin.place if begin.place <= place else End().place
        expected = self._report.size - (begin.size if start == begin.place else 0) - self._absent
        count = await self._database.fetchval(SQL["count_between"], *start, *place)
        if count > expected:
            await self._locate_inserted(start, place)

    async def _locate_inserted(self, start: Place, end: Place) -> None:
        """Find rows without a leaf: what is sealed is looked through once for each half million."""
        after = start
        while True:
            rows: dict[tuple[int, int], str] = {}
            more = True
            while more and len(rows) < _AT_ONCE:
                page = await self._database.fetch(SQL["keys_between"], *after, *end, _PAGE)
                for row in page:
                    rows[row["patient"], row["id"]] = f"{row['at']:%F %T}, {row['actor']}"
                    after = row["xid"], row["id"]
                more = len(page) == _PAGE
            async for batch in sealed.batches(self._database, 0):
                for key in batch.keys:
                    rows.pop(key, None)
            for key, told in rows.items():
                text = f"A row ({told}) is in the trail that was never sealed."
                self._report.add("inserted", text, None, row_name(*key))
            if not more:
                return

    async def _check_waiting(self) -> None:
        end = await sealed.end(self._database)
        row = await self._database.fetchrow(SQL["waiting"], *end.place)
        if row is None:
            return
        self._report.waiting = row["settled"] + row["unsettled"]
        if row["settled"] and row["since"] < clock.now() - PATIENCE:
            text = f"{row['settled']} rows wait for their seal since {row['since']:%F %T}."
            self._report.add("unsealed", text, end.size)


class _Merged:
    """Checkpoints of the database and from outside, in the order of their sizes."""

    def __init__(self, kept: AsyncIterator[Checkpoint], held: Sequence[Checkpoint]) -> None:
        self._kept = kept
        self._held = sorted(held, key=lambda each: -each.size)
        self._next: Checkpoint | None = None
        self._ended = False

    async def next_size(self) -> int | None:
        """The size of the next one; None after the last."""
        await self._fill()
        sizes = [each.size for each in (self._next, *self._held[-1:]) if each is not None]
        return min(sizes, default=None)

    async def take(self) -> Checkpoint:
        """The next one, which there is."""
        size = await self.next_size()
        if self._next is not None and self._next.size == size:
            found, self._next = self._next, None
            return found
        return self._held.pop()

    async def rest(self) -> AsyncIterator[Checkpoint]:
        """Those that are left."""
        while await self.next_size() is not None:
            yield await self.take()

    async def _fill(self) -> None:
        if self._next is None and not self._ended:
            self._next = await anext(self._kept, None)
            self._ended = self._next is None


def row_name(patient: int, row: int) -> str:
    """The id under which a row is read as an AuditEvent."""
    place = "f" * 16 if patient == keys.UNASSIGNED else keys.text_of(patient)
    return f"{place}-{keys.text_of(row)}"
