"""The change feed: what was written, in an order no reader can miss a part of, told to who listens.

Writers leave a row in their own transaction and, after the commit, ring once; one reader per
process catches up from the table. A place in the feed is (xid, seq): transactions that are
still running come later than every place already shown.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from helsevev.record.connection import DatabaseError, Row
from helsevev.record.database import Database
from helsevev.record.statements import load

CHANNEL: Final = "helsevev_change"
_TIES: Final = "helsevev_ties"
_SQL: Final = load("store")
_BATCH: Final = 500
_MOST_NAMED: Final = 300
"""Inhabitants that fit into one word to other processes."""

_FURTHEST: Final = 2**62
_IDLE_SECONDS: Final = 0.25
"""How long a change made without a ring, or behind a running transaction, waits at most."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in the feed, after which a reader goes on."""

    xid: int
    seq: int

    def __str__(self) -> str:
        return f"{self.xid}-{self.seq}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """The place that `str(place)` wrote. Raises ValueError."""
        xid, seq = (int(part) for part in text.split("-"))
        if max(xid, seq) > _FURTHEST:
            raise ValueError("beyond the end of every feed")
        return cls(xid, seq)


@dataclass(frozen=True, slots=True)
class Change:
    """What one transaction did to one inhabitant's record."""

    place: Place
    patient: int
    at: datetime
    actor: str
    verbs: str
    types: tuple[str, ...]
    ids: tuple[str, ...]
    versions: tuple[int, ...]


class Feed:
    """Reads the feed once for the whole process; those who follow an inhabitant get the changes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._followers: defaultdict[int, set[asyncio.Queue[Change]]] = defaultdict(set)
        self._of_all: set[asyncio.Queue[Change]] = set()
        self._rung = asyncio.Event()
        self._ring_others = False
        self._tied: set[int] = set()
        self._on_ties: list[Callable[[Sequence[int]], None]] = []
        self._reader: asyncio.Task[None] | None = None
        self._place: Place | None = None

    async def start(self) -> None:
        """Begin reading; runs until `stop`."""
        await self._database.listen(CHANNEL, lambda _payload: self._rung.set())
        await self._database.listen(_TIES, self._hear_of_ties)
        self._reader = asyncio.create_task(self._read_on(), name="change feed")

    async def stop(self) -> None:
        """End reading."""
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader

    def ring(self) -> None:
        """Say that something was committed here; other processes are told with the next reading."""
        self._ring_others = True
        self._rung.set()

    def tell_ties(self, patient: int) -> None:
        """Say that who may open an inhabitant's record may have changed, by what was committed."""
        self._tied.add(patient)
        self._rung.set()

    def on_ties(self, callback: Callable[[Sequence[int]], None]) -> None:
        """Call back with inhabitants whose ties any process told of; with none, it may be any.

        Word comes by itself, after the commit, and may be lost when a process dies: what rests on
        it is to hold for seconds only.
        """
        self._on_ties.append(callback)

    def _hear_of_ties(self, payload: str) -> None:
        patients = [int(patient) for patient in payload.split()]
        for callback in self._on_ties:
            callback(patients)

    async def now(self) -> Place:
        """The place after everything that has been committed and can be shown."""
        return Place(await self._database.fetchval(_SQL["now_settled"]), _FURTHEST)

    async def follow(
        self, patient: int, after: Place | None = None
    ) -> AsyncGenerator[Change, None]:
        """Every change to an inhabitant's record after a place (None: from now on), without end."""
        queue: asyncio.Queue[Change] = asyncio.Queue()
        self._followers[patient].add(queue)
        try:
            now = await self.now()
            # The reader rests until somebody listens, and never sets out by itself.
            self._place = self._place or now
            # A place from before the record was restored may lie beyond all that is written now.
            shown = now if after is None else min(after, now)
            if after is not None:
                # What the reader has passed already; a batch that is not full is the last.
                caught_up = False
                while not caught_up:
                    changes = await self.between(patient, shown)
                    caught_up = len(changes) < _BATCH
                    for change in changes:
                        shown = change.place
                        yield change
            while True:
                change = await queue.get()
                if change.place > shown:
                    shown = change.place
                    yield change
        finally:
            self._followers[patient].discard(queue)
            if not self._followers[patient]:
                del self._followers[patient]

    async def follow_all(self) -> AsyncGenerator[Change, None]:
        """Every change to any record from now on; who asks tells what of it to whom."""
        queue: asyncio.Queue[Change] = asyncio.Queue()
        self._of_all.add(queue)
        try:
            self._place = self._place or await self.now()
            while True:
                yield await queue.get()
        finally:
            self._of_all.discard(queue)

    async def between(self, patient: int, after: Place) -> list[Change]:
        """The settled changes to an inhabitant's record after a place."""
        rows = await self._database.fetch(
            _SQL["changes_of_patient_after"], patient, after.xid, after.seq, _BATCH
        )
        return [_change(row) for row in rows]

    async def _read_on(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_IDLE_SECONDS):
                    await self._rung.wait()
            self._rung.clear()
            try:
                await self._read_once()
            except DatabaseError as problem:
                # The table is still there when the database is back; the place has not moved.
                _log.warning("The change feed could not be read; trying again: %s", problem)
                await asyncio.sleep(1)

    async def _read_once(self) -> None:
        if self._ring_others:
            self._ring_others = False
            await self._database.execute(f"NOTIFY {CHANNEL}")
        if self._tied:
            tied, self._tied = self._tied, set()
            told = " ".join(map(str, tied)) if len(tied) <= _MOST_NAMED else ""
            await self._database.fetchval(_SQL["tell_ties"], _TIES, told)
        if not self._followers and not self._of_all:
            self._place = None
        place = self._place
        while place is not None:
            rows = await self._database.fetch(_SQL["changes_after"], place.xid, place.seq, _BATCH)
            for row in rows:
                change = _change(row)
                place = change.place
                for queue in (*self._followers.get(change.patient, ()), *self._of_all):
                    queue.put_nowait(change)
            self._place = place
            if len(rows) < _BATCH:
                return


def _change(row: Row) -> Change:
    place = Place(row["xid"], row["seq"])
    types, ids, versions = tuple(row["types"]), tuple(row["ids"]), tuple(row["versions"])
    return Change(
        place, row["patient"], row["at"], row["actor"], row["verbs"], types, ids, versions
    )
