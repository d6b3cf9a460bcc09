"""Sends notifications, one process at a time, each subscription at its own pace and in order.

What is to be sent is always read from the tables: a process that is killed anywhere leaves the
next one all that it had not been told of as taken, so that an event may come twice, never not.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from helsevev.access.subscriptions.endpoints import Endpoints
from helsevev.access.subscriptions.matching import Matcher
from helsevev.access.subscriptions.notices import Notices
from helsevev.access.subscriptions.standing import asked_of
from helsevev.fhir import dates
from helsevev.fhir.subscription_asked import REST_HOOK, Asked
from helsevev.kit import clock
from helsevev.kit.posting import Poster, Receipt
from helsevev.record.changes import CHANNEL as CHANGES
from helsevev.record.connection import Connection, DatabaseError
from helsevev.record.subscriptions import CHANNEL, Standing, Subscriptions, still_there

_log = logging.getLogger(__name__)
_GONE: Final = 410
_KEPT: Final = timedelta(days=30)
"""How long an event that was delivered can still be asked for."""

_RESTING: Final = 2.0
_SETTLING: Final = 0.05
_GATHERING: Final = 0.01
"""Seconds between two looks at the feed, in which changes gather."""

_ASKING: Final = 1.0


class Shows(Protocol):
    """Brings the Subscription resource in line with how the subscription stands."""

    async def show(self, standing: Standing) -> None:
        """Write the status into the resource, when it says another."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a receiver that does not answer is waited for.

    `first` and `longest` pause in seconds; after `attempts` failures in a row the status is
    error; after `give_up` it is off, and what was not delivered is the owner's to see to.
    """

    first: float = 0.5
    longest: float = 300.0
    attempts: int = 5
    give_up: timedelta = timedelta(days=3)

    def pause(self, failures: int) -> float:
        """Seconds until the next attempt: doubled each time, and never the same for all."""
        return min(self.first * 2.0 ** min(failures, 20), self.longest) * random.uniform(0.5, 1.0)  # noqa: S311


class Notifier:
    """Makes events and sends them, for as long as it runs and no other process does."""

    def __init__(
        self,
        rows: Subscriptions,
        matcher: Matcher,
        notices: Notices,
        shows: Shows,
        endpoints: Endpoints,
        patience: Patience,
    ) -> None:
        self._rows = rows
        self._matcher = matcher
        self._notices = notices
        self._shows = shows
        self._endpoints = endpoints
        self._patience = patience
        self._rung = asyncio.Event()
        self._listening = False
        self._runner: asyncio.Task[None] | None = None
        self._senders: dict[str, tuple[asyncio.Task[None], asyncio.Event]] = {}
        self._streams: set[str] = set()
        self._poster: Poster | None = None
        self._trimmed = datetime.min.replace(tzinfo=UTC)

    async def start(self) -> None:
        """Begin; runs until `stop`."""
        database = self._rows.database
        await database.listen(CHANNEL, lambda _payload: self._rung.set())
        await database.listen(CHANGES, lambda _payload: self._ring())
        self._runner = asyncio.create_task(self._run(), name="subscriptions")

    async def stop(self) -> None:
        """End; what was being sent is sent again by whoever comes next."""
        if self._runner is not None:
            self._runner.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._runner

    def _ring(self) -> None:
        if self._listening:
            self._rung.set()

    async def _run(self) -> None:
        self._poster = Poster()
        try:
            while True:
                try:
                    async with self._rows.leading() as connection:
                        if connection is not None:
                            await self._lead(connection)
                except DatabaseError as problem:
                    _log.warning("Notifications wait for the database: %s", problem)
                await asyncio.sleep(_ASKING)
        finally:
            await self._poster.close()

    async def _lead(self, connection: Connection) -> None:
        generation, quiet = -2, _RESTING
        try:
            while True:
                await still_there(connection)
                step = await self._matcher.step()
                self._listening = step.listening
                if step.generation != generation:
                    await self._follow()
                    generation = step.generation
                for told in step.told & self._senders.keys():
                    self._senders[told][1].set()
                if step.told & self._streams:
                    await self._rows.tell()
                await self._trim()
                if not step.more:
                    # A change may be behind a transaction that is still running: look again soon.
                    quiet = _SETTLING if step.told else min(quiet * 2, _RESTING)
                    await asyncio.sleep(_GATHERING)
                    if await self._wait(quiet):
                        quiet = _SETTLING
        finally:
            await self._dismiss(list(self._senders))

    async def _wait(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        rung = self._rung.is_set()
        self._rung.clear()
        return rung

    async def _trim(self) -> None:
        now = clock.now()
        if now - self._trimmed > timedelta(hours=1):
            self._trimmed = now
            await self._rows.trim(now - _KEPT)

    async def _follow(self) -> None:
        """A sender for each subscription that is not off; the others look at how they stand now."""
        standings = await self._rows.following()
        following = {standing.id for standing in standings}
        self._streams = {s.id for s in standings if asked_of(s.asked).channel != REST_HOOK}
        for _, woken in self._senders.values():
            woken.set()
        done = [name for name, (task, _) in self._senders.items() if task.done()]
        await self._dismiss(done)
        for name in following - self._senders.keys():
            woken = asyncio.Event()
            self._senders[name] = asyncio.create_task(self._send_on(name, woken)), woken

    async def _dismiss(self, names: list[str]) -> None:
        tasks = [self._senders.pop(name)[0] for name in names]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send_on(self, name: str, woken: asyncio.Event) -> None:
        while True:
            woken.clear()
            try:
                standing = await self._rows.one(name)
                if standing is None:
                    return
                if standing.shown_status != standing.status:
                    await self._shows.show(standing)
                if standing.status == "off":
                    return
                wait = await self._send(standing, asked_of(standing.asked))
            except DatabaseError as problem:
                _log.warning("Subscription/%s waits for the database: %s", name, problem)
                wait = _ASKING
            except Exception:  # noqa: BLE001 - one subscription's trouble is not the others'
                _log.exception("Subscription/%s could not be sent; trying again.", name)
                wait = 30.0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await woken.wait()

    async def _send(self, standing: Standing, asked: Asked) -> float:
        """Send what is due; returns for how many seconds there is nothing more to do."""
        now = clock.now()
        if asked.end and (ends := dates.bounds(asked.end)) and ends[0] <= dates.microseconds(now):
            await self._rows.end(standing.id, now, "The subscription has ended.")
            return 0
        if asked.channel != REST_HOOK:
            if standing.status != "active":
                await self._rows.delivered(standing.id, standing.delivered, now)
                return 0
            return 60.0
        if standing.next_attempt_at is not None and standing.next_attempt_at > now:
            return (standing.next_attempt_at - now).total_seconds()
        if standing.status != "active":
            # An event is only risked when a receiver answers.
            body = self._notices.of_status("handshake", standing)
            return await self._post(standing, asked, body, standing.delivered)
        events = await self._rows.events(standing.id, standing.delivered, asked.most)
        if events:
            body = await self._notices.of_events(standing, events, asked.content)
            return await self._post(standing, asked, body, events[-1].number)
        if not asked.heartbeat:
            return 60.0
        due = (standing.last_sent_at or now) + timedelta(seconds=asked.heartbeat)
        if due > now:
            return min((due - now).total_seconds(), 60.0)
        body = self._notices.of_status("heartbeat", standing)
        return await self._post(standing, asked, body, standing.delivered)

    async def _post(self, standing: Standing, asked: Asked, body: bytes, number: int) -> float:
        assert self._poster is not None
        receipt = Receipt(0, self._endpoints.refusal(asked.endpoint) or "")
        if not receipt.problem:
            headers = [("content-type", "application/fhir+json")]
            headers += await self._rows.headers(standing.id)
            receipt = await self._poster.post(asked.endpoint, body, headers, asked.timeout)
        now = clock.now()
        if receipt.taken:
            await self._rows.delivered(standing.id, number, now)
            return 0
        since = standing.failing_since or now
        if receipt.status == _GONE or now - since > self._patience.give_up:
            await self._rows.end(standing.id, now, receipt.problem)
            return 0
        pause = self._patience.pause(standing.attempts)
        again = now + timedelta(seconds=pause)
        await self._rows.failed(standing.id, now, again, receipt.problem, self._patience.attempts)
        return 0
