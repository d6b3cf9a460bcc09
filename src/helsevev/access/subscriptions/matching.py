"""From changes to events: every change that a subscription listens to becomes its next number."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from helsevev.access import app_bounds
from helsevev.access.actor import Actor
from helsevev.access.gate import Gate
from helsevev.access.subscriptions.standing import filters_of, owner_of
from helsevev.access.subscriptions.topics import topics
from helsevev.fhir.search_query import SearchError
from helsevev.fhir.subscription_topics import DELETED, Change, Filters, Topic, fires, passes
from helsevev.record.store import Stored
from helsevev.record.subscriptions import Altered, Batch, Event, Standing, Subscriptions

_log = logging.getLogger(__name__)
_AT_ONCE: Final = 500
"""Resources held in memory at a time."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A subscription as changes are held against it."""

    id: str
    from_xid: int
    owner: Actor
    filters: Filters


@dataclass(frozen=True, slots=True)
class Step:
    """What one step came to: who has new events, and whether more changes wait."""

    told: frozenset[str] = frozenset()
    more: bool = False
    listening: bool = False
    generation: int = -1


class Matcher:
    """Makes events of the next changes in the feed."""

    def __init__(self, gate: Gate, rows: Subscriptions) -> None:
        self._gate = gate
        self._rows = rows
        self._generation = -1
        self._listeners: dict[str, list[Listener]] = {}

    async def step(self) -> Step:
        """Read on in the feed; what became of it is durable when this returns."""
        async with self._rows.batch() as batch:
            if batch.generation != self._generation:
                self._listeners = _by_topic(await batch.following())
                self._generation = batch.generation
            if not self._listeners:
                return Step(generation=batch.generation)
            begun = batch.place
            followed = [topics()[url] for url in self._listeners]
            await batch.read(kind for topic in followed for kind in topic.types)
            events = await self._events(batch) if batch.altered else {}
            if batch.place != begun:
                await batch.add(events)
        return Step(frozenset(events), not batch.last, True, batch.generation)

    async def _events(self, batch: Batch) -> Mapping[str, list[Event]]:
        found: defaultdict[str, list[Altered]] = defaultdict(list)
        for start in range(0, len(batch.altered), _AT_ONCE):
            part = batch.altered[start : start + _AT_ONCE]
            wanted = [(a.patient, a.type, a.id, a.version - n) for a in part for n in (0, 1)]
            versions = await self._rows.versions(place for place in wanted if place[3] > 0)
            for altered in part:
                for listener in await self._told(altered, versions):
                    found[listener].append(altered)
        if not found:
            return {}
        last = await batch.last_events(found)
        return {
            subscription: [_event(last[subscription] + n, a) for n, a in enumerate(new, 1)]
            for subscription, new in found.items()
            if subscription in last
        }

    async def _told(
        self, altered: Altered, versions: Mapping[tuple[str, str, int], Stored]
    ) -> list[str]:
        """The subscriptions that the change is an event of, and whose owners may know."""
        change = _change(altered, versions)
        told = []
        for url, listeners in self._listeners.items():
            topic: Topic = topics()[url]
            if altered.type not in topic.types or not fires(topic, change):
                continue
            for listener in listeners:
                if altered.place.xid > listener.from_xid and passes(listener.filters, change):
                    verdict = await self._gate.permits.verdict(listener.owner, altered.patient)
                    if not verdict.decision.allowed:
                        continue
                    if _is_within(listener.owner, altered, change) and await self._gate.as_seen(
                        listener.owner, _content(altered, versions)
                    ):
                        told.append(listener.id)
        return told


def _content(altered: Altered, versions: Mapping[tuple[str, str, int], Stored]) -> list[Stored]:
    """The version that a change left, or for a deletion the one before it."""
    found = (versions.get((altered.type, altered.id, altered.version - n)) for n in (0, 1))
    return [stored for stored in found if stored is not None and not stored.deleted][:1]


def _is_within(owner: Actor, altered: Altered, change: Change) -> bool:
    """Whether the scopes of the app that subscribed let it read what changed."""
    resource = change.before if change.after is None else change.after
    return app_bounds.covers(owner, ("r",), altered.type, altered.patient, resource)


def _by_topic(standings: list[Standing]) -> dict[str, list[Listener]]:
    found: defaultdict[str, list[Listener]] = defaultdict(list)
    for standing in standings:
        if standing.topic not in topics():
            _log.warning("Subscription/%s is to a topic that is gone.", standing.id)
            continue
        try:
            filters = filters_of(standing.asked)
        except SearchError:
            _log.warning("The filters of Subscription/%s cannot be read any more.", standing.id)
            continue
        owner = owner_of(standing.owner)
        found[standing.topic].append(Listener(standing.id, standing.from_xid, owner, filters))
    return dict(found)


def _change(altered: Altered, versions: Mapping[tuple[str, str, int], Stored]) -> Change:
    def resource(version: int) -> dict[str, object] | None:
        stored = versions.get((altered.type, altered.id, version))
        return None if stored is None or stored.deleted else stored.resource

    after = None if altered.verb == DELETED else resource(altered.version)
    return Change(altered.type, altered.verb, resource(altered.version - 1), after)


def _event(number: int, altered: Altered) -> Event:
    return Event(
        number, altered.patient, altered.type, altered.id, altered.version, altered.verb, altered.at
    )
