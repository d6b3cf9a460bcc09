"""Subscriptions, their numbered events and how far these are delivered: the rows of migration 0004.

Events are made from the change feed in one transaction with the reader's place in it, so that a
change becomes an event once, numbers have no gaps, and nothing is lost when anyone is killed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from helsevev.record.changes import Place
from helsevev.record.connection import Connection, Row
from helsevev.record.database import Database
from helsevev.record.statements import load
from helsevev.record.store import Stored

CHANNEL: Final = "helsevev_subscription"
"""NOTIFY: subscriptions are others than they were."""

_SQL: Final = load("subscriptions")
_NOW: Final = load("store")["now_settled"]
_AFTER_ALL: Final = 2**62
_CHANGES: Final = 200
_VERSIONS: Final = 1000


@dataclass(frozen=True, slots=True)
class Standing:
    """One subscription: what it asks for, whose it is, and where it stands."""

    id: str
    from_xid: int
    last_event: int
    delivered: int
    created_at: datetime
    next_attempt_at: datetime | None
    failing_since: datetime | None
    last_sent_at: datetime | None
    attempts: int
    status: str
    shown_status: str
    error: str
    topic: str
    owner_id: str
    owner: str
    """The owner, as JSON."""
    asked: str
    """What it asks for, as JSON."""


@dataclass(frozen=True, slots=True)
class Event:
    """A change that a subscription is told of."""

    number: int
    patient: int
    type: str
    id: str
    version: int
    verb: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Events that were given up, and whose they are to see to."""

    first_event: int
    last_event: int
    at: datetime
    settled_at: datetime | None
    subscription: str
    owner_id: str
    owner_name: str
    reason: str
    settled_by: str


@dataclass(frozen=True, slots=True)
class Altered:
    """One resource's part of a change: the version that came, and the one before it."""

    place: Place
    patient: int
    type: str
    id: str
    version: int
    verb: str
    at: datetime


@dataclass(slots=True)
class Batch:
    """The next changes in the feed, within the transaction that makes events of them."""

    connection: Connection
    generation: int
    place: Place
    altered: list[Altered] = field(default_factory=list)
    last: bool = True
    """Whether the feed ends with it, for now."""

    async def read(self, types: Iterable[str]) -> None:
        """Read the next changes to resources of these types, and move the place behind them."""
        wanted = frozenset(types)
        rows = await self.connection.fetch(
            _SQL["changes"], self.place.xid, self.place.seq, list(wanted), _CHANGES
        )
        for row in rows:
            self.place = Place(row["xid"], row["seq"])
            self.altered += _altered(row, self.place, wanted)
        self.last = len(rows) < _CHANGES

    async def following(self) -> list[Standing]:
        """The subscriptions that changes may be events for."""
        return [Standing(**row) for row in await self.connection.fetch(_SQL["following"])]

    async def last_events(self, subscriptions: Iterable[str]) -> dict[str, int]:
        """The number of each subscription's newest event."""
        rows = await self.connection.fetch(_SQL["last_events"], list(subscriptions))
        return {row["id"]: row["last_event"] for row in rows}

    async def add(self, events: Mapping[str, Sequence[Event]]) -> None:
        """Keep each subscription's new events, and how far the feed has been read."""
        rows = [
            (subscription, e.number, e.patient, e.type, e.id, e.version, e.verb, e.at)
            for subscription, new in events.items()
            for e in new
        ]
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            await self.connection.execute(_SQL["add_events"], *columns)
            numbers = {s: new[-1].number for s, new in events.items() if new}
            await self.connection.execute(
                _SQL["count_events"], list(numbers), list(numbers.values())
            )
        await self.connection.execute(_SQL["advance_reader"], self.place.xid, self.place.seq)


class Subscriptions:
    """The tables, over one database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[Batch]:
        """Have the reader's place to oneself; what is added is kept when the block ends well."""
        async with self.database.transaction() as connection:
            row = await connection.fetchrow(_SQL["reader"])
            assert row is not None
            place = Place(row["xid"], row["seq"])
            yield Batch(connection, row["generation"], place)

    async def add(self, standing: Standing, headers: Sequence[tuple[str, str]]) -> None:
        """Keep a new subscription; every change that is committed from here on may be its event."""
        async with self.database.transaction() as connection:
            await connection.fetchrow(_SQL["reader"])
            now = await _begin(connection)
            await connection.execute(
                _SQL["add"], standing.id, now, standing.created_at, standing.status,
                standing.topic, standing.owner_id, standing.owner, standing.asked,
            )  # fmt: skip
            await _keep_headers(connection, standing.id, headers)
        await self.tell()

    async def change(
        self,
        subscription: str,
        asked: Mapping[str, Any],
        status: str,
        headers: Sequence[tuple[str, str]],
    ) -> None:
        """Let it ask for something else, be off, or begin again."""
        async with self.database.transaction() as connection:
            await connection.fetchrow(_SQL["reader"])
            now = await _begin(connection)
            data = msgspec.json.encode(asked).decode()
            await connection.execute(
                _SQL["change"], subscription, asked["topic"], data, status, now
            )
            await connection.execute(_SQL["forget_headers"], subscription)
            await _keep_headers(connection, subscription, headers)
        await self.tell()

    async def remove(self, subscription: str) -> None:
        """Forget a subscription and its events."""
        async with self.database.transaction() as connection:
            await connection.execute(_SQL["remove"], subscription)
            await connection.execute(_SQL["touch"])
        await self.tell()

    async def tell(self) -> None:
        """Wake the one that sends notifications."""
        await self.database.execute(f"NOTIFY {CHANNEL}")

    async def one(self, subscription: str) -> Standing | None:
        """One subscription, or None."""
        row = await self.database.fetchrow(_SQL["one"], subscription)
        return Standing(**row) if row else None

    async def following(self) -> list[Standing]:
        """Those that are not off."""
        return [Standing(**row) for row in await self.database.fetch(_SQL["following"])]

    async def all_of(self, owner: str | None) -> list[Standing]:
        """Every subscription, or one owner's."""
        return [Standing(**row) for row in await self.database.fetch(_SQL["all_of_owner"], owner)]

    async def headers(self, subscription: str) -> list[tuple[str, str]]:
        """What its receiver is to be told, in order."""
        rows = await self.database.fetch(_SQL["headers"], subscription)
        return [(row["name"], row["value"]) for row in rows]

    async def events(
        self, subscription: str, after: int, most: int, until: int = _AFTER_ALL
    ) -> list[Event]:
        """Its events after a number and up to another, at most so many."""
        rows = await self.database.fetch(_SQL["events"], subscription, after, until, most)
        return [Event(**row) for row in rows]

    async def versions(
        self, wanted: Iterable[tuple[int, str, str, int]]
    ) -> dict[tuple[str, str, int], Stored]:
        """Those of the versions `(inhabitant, type, id, version)` that there are."""
        places = sorted(set(wanted))
        found: dict[tuple[str, str, int], Stored] = {}
        for start in range(0, len(places), _VERSIONS):
            columns = zip(*places[start : start + _VERSIONS], strict=True)
            rows = await self.database.fetch(_SQL["versions"], *(list(c) for c in columns))
            found.update({(row["type"], row["id"], row["version"]): Stored(*row) for row in rows})
        return found

    async def delivered(self, subscription: str, number: int, at: datetime) -> None:
        """Its receiver has all events up to a number."""
        await self.database.execute(_SQL["delivered"], subscription, number, at)

    async def failed(
        self, subscription: str, at: datetime, again: datetime, error: str, patience: int
    ) -> None:
        """A notification did not arrive; after `patience` failures in a row the status says so."""
        await self.database.execute(_SQL["failed"], subscription, at, again, error, patience)

    async def end(self, subscription: str, at: datetime, reason: str) -> None:
        """Switch it off; what it had not delivered becomes a dead letter of its owner's."""
        async with self.database.transaction() as connection:
            await connection.execute(_SQL["end"], subscription, at, reason)
            await connection.execute(_SQL["touch"])
        await self.tell()

    async def shown(self, subscription: str, status: str) -> None:
        """Note that the resource says this status."""
        await self.database.execute(_SQL["shown"], subscription, status)

    async def try_now(self, subscription: str) -> None:
        """Let the next attempt be at once."""
        await self.database.execute(_SQL["try_now"], subscription)
        await self.tell()

    async def set_aside(self, subscription: str, at: datetime, by: str) -> None:
        """Send nothing of what waits; its dead letters are settled by `by`."""
        async with self.database.transaction() as connection:
            await connection.execute(_SQL["set_aside"], subscription)
            await connection.execute(_SQL["settle"], subscription, at, by)
        await self.tell()

    async def dead_letters(self, owner: str | None) -> list[DeadLetter]:
        """What was given up and nobody has seen to; all, or one owner's."""
        rows = await self.database.fetch(_SQL["dead_letters"], owner)
        return [DeadLetter(**row) for row in rows]

    async def trim(self, before: datetime) -> None:
        """Forget events that were delivered and are older."""
        await self.database.execute(_SQL["trim"], before)

    @asynccontextmanager
    async def leading(self) -> AsyncIterator[Connection | None]:
        """The right to send notifications, None when another process has it.

        Ends with the connection: whoever holds it asks `still_there` from time to time.
        """
        async with self.database.connection() as connection:
            leads = await connection.fetchval(_SQL["lead"])
            try:
                yield connection if leads else None
            finally:
                if leads and not connection.closed:
                    await connection.fetchval(_SQL["resign"])


async def still_there(connection: Connection) -> None:
    """Raises `ConnectionLost` when the connection that leads has gone."""
    await connection.fetchval(_SQL["still_there"])


async def settle_restored(database: Database) -> None:
    """Find the reader's place again in a feed that was restored; before the feed is settled."""
    async with database.transaction() as connection:
        await connection.execute(_SQL["settle_restored_subscriptions"])
        await connection.execute(_SQL["settle_restored_reader"])


async def _begin(connection: Connection) -> int:
    """Where a subscription begins to listen; the reader is the transaction's."""
    now: int = await connection.fetchval(_NOW)
    if await connection.fetchval(_SQL["any_following"]):
        await connection.execute(_SQL["touch"])
    else:
        # What nobody listened to need not be looked through.
        await connection.execute(_SQL["start_reader"], now, _AFTER_ALL)
    return now


async def _keep_headers(
    connection: Connection, subscription: str, headers: Sequence[tuple[str, str]]
) -> None:
    names, values = [name for name, _ in headers], [value for _, value in headers]
    places = list(range(len(headers)))
    await connection.execute(_SQL["keep_headers"], subscription, places, names, values)


def _altered(row: Row, place: Place, wanted: frozenset[str]) -> list[Altered]:
    if row["types"] is None:
        return []
    each = zip(row["verbs"], row["types"], row["ids"], row["versions"], strict=True)
    return [
        Altered(place, row["patient"], kind, resource_id, version, verb, row["at"])
        for verb, kind, resource_id, version in each
        if kind in wanted
    ]
