"""Notifications over an open connection: the same events, read from the table by their numbers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from helsevev.access.actor import Actor
from helsevev.access.errors import Unprocessable
from helsevev.access.subscriptions.door import SubscriptionDoor
from helsevev.access.subscriptions.notices import Notices
from helsevev.access.subscriptions.standing import asked_of
from helsevev.fhir.outcome import error
from helsevev.fhir.subscription_asked import STREAM
from helsevev.kit import clock
from helsevev.record.subscriptions import CHANNEL, Standing, Subscriptions

_LOOK: Final = 1.0
_BEAT: Final = 25
"""Seconds between two signs of life, when the subscription asks for none."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification, with the number of the last event it tells of; None tells of no event."""

    number: int | None
    body: bytes


class Streams:
    """Follows subscriptions for those who hold a connection open."""

    def __init__(self, door: SubscriptionDoor, rows: Subscriptions, notices: Notices) -> None:
        self._door = door
        self._rows = rows
        self._notices = notices
        self._open: set[asyncio.Event] = set()
        self._listening = False

    async def begin(self, actor: Actor, resource_id: str, seen: int | None) -> tuple[Standing, int]:
        """Where a stream begins, having noted that the receiver has all events up to `seen`.

        Raises `NotFound`, `Refused`, or `Unprocessable` for a subscription by another channel.
        """
        (standing,) = await self._door.standings(actor, resource_id)
        if asked_of(standing.asked).channel != STREAM:
            text = "The subscription is sent to its endpoint; it has no stream."
            raise Unprocessable([error("business-rule", text, "Subscription.channel.type")])
        if seen is not None:
            seen = min(seen, standing.last_event)
            await self._rows.delivered(standing.id, seen, clock.now())
        return standing, standing.delivered if seen is None else seen

    async def follow(
        self, actor: Actor, resource_id: str, after: int
    ) -> AsyncGenerator[Notice, None]:
        """Every event after a number as it comes, and heartbeats between, until it is off.

        Who may see it is decided for each notification. Raises `Refused` or `NotFound` when the
        subscription is no longer the actor's.
        """
        await self._listen()
        woken = asyncio.Event()
        self._open.add(woken)
        (standing,) = await self._door.standings(actor, resource_id)
        yield Notice(None, self._notices.of_status("handshake", standing))
        try:
            spoken = clock.now()
            while True:
                woken.clear()
                (standing,) = await self._door.standings(actor, resource_id)
                asked = asked_of(standing.asked)
                if standing.status == "off":
                    yield Notice(None, self._notices.of_status("heartbeat", standing))
                    return
                events = await self._rows.events(standing.id, after, asked.most)
                if events:
                    after = events[-1].number
                    body = await self._notices.of_events(standing, events, asked.content)
                    spoken = clock.now()
                    yield Notice(after, body)
                    continue
                if (clock.now() - spoken).total_seconds() >= (asked.heartbeat or _BEAT):
                    spoken = clock.now()
                    yield Notice(None, self._notices.of_status("heartbeat", standing))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK):
                        await woken.wait()
        finally:
            self._open.discard(woken)

    async def _listen(self) -> None:
        if not self._listening:
            self._listening = True
            await self._rows.database.listen(CHANNEL, lambda _payload: self._wake())

    def _wake(self) -> None:
        for woken in self._open:
            woken.set()
