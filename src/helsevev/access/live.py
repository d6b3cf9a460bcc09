"""What happens in a chart while it is open, and what is new since one last looked."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from typing import Final

from helsevev.access.actor import Actor
from helsevev.access.gate import Gate
from helsevev.access.permit import HOLDS, TIES, Permit
from helsevev.kit import clock
from helsevev.record.changes import Change, Feed, Place
from helsevev.record.statements import load
from helsevev.record.wall import sees

_SQL: Final = load("access")


class Live:
    """Changes as they are committed, for those who hold a permit."""

    def __init__(self, gate: Gate, feed: Feed) -> None:
        self._gate = gate
        self._database = gate.store.roles.changed
        self._feed = feed

    async def now(self) -> Place:
        """The place in the feed from which a page that is being drawn can follow."""
        return await self._feed.now()

    async def changes(
        self, permit: Permit, after: Place | None = None
    ) -> AsyncGenerator[Change, None]:
        """Every change to the permit's record after a place, without end.

        Raises `Refused` at the first change after the permit has ended for good.
        """
        async with aclosing(self._feed.follow(permit.patient, after)) as changes:
            async for change in changes:
                await self._gate.require(permit, "follow")
                if not sees(permit.patient):
                    return
                seen = await self._as_seen(permit, change)
                if seen.types:
                    yield seen

    async def of_everyone_tied(self, actor: Actor) -> AsyncGenerator[Change, None]:
        """Every change from now on to the record of anybody whom the actor is tied to.

        For pages that show many, and draw themselves anew: it is for the types alone. Nothing is
        told of anybody's record to who could not open it.
        """
        tied: frozenset[int] = frozenset()
        until = clock.now()
        async with aclosing(self._feed.follow_all()) as changes:
            async for change in changes:
                if clock.now() >= until or (change.patient not in tied and _ties(change)):
                    tied = await self._gate.permits.everyone_tied(actor)
                    until = clock.now() + HOLDS
                if change.patient in tied:
                    yield change

    async def _as_seen(self, permit: Permit, change: Change) -> Change:
        """The change without what is withheld from the one who follows."""
        if permit.sight.is_whole:
            return change
        places = list(zip(change.types, change.ids, strict=True))
        rows = [await self._gate.store.read(*place) for place in places]
        there = [stored for stored in rows if stored is not None]
        seen = {(s.type, s.id) for s in await self._gate.as_seen(permit.actor, there)}
        kept = [n for n, place in enumerate(places) if place in seen]
        return replace(
            change,
            verbs="".join(change.verbs[n] for n in kept),
            types=tuple(change.types[n] for n in kept),
            ids=tuple(change.ids[n] for n in kept),
            versions=tuple(change.versions[n] for n in kept),
        )

    async def last_look(self, permit: Permit, part: str = "") -> datetime | None:
        """When the actor last looked at this chart, or a part of it by itself; None when never."""
        at: datetime | None = await self._database.fetchval(
            _SQL["last_look"], permit.patient, _looker(permit, part)
        )
        return at

    async def look(self, permit: Permit, at: datetime, part: str = "") -> None:
        """The actor has seen the chart, or a part of it by itself, as it was at `at`."""
        await self._database.execute(_SQL["look"], permit.patient, _looker(permit, part), at)


def _ties(change: Change) -> bool:
    return not TIES.isdisjoint(change.types)


def _looker(permit: Permit, part: str) -> str:
    return f"{permit.actor.id}#{part}" if part else permit.actor.id
