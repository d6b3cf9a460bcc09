"""Subscriptions as they are asked for, changed and looked at, each by its owner (or a system)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any, Final

import msgspec

from helsevev.access import app_bounds
from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.errors import AccessError, Conflict, Invalid, NotFound, Unprocessable
from helsevev.access.gate import Gate
from helsevev.access.policy import Decision
from helsevev.access.subscriptions.endpoints import Endpoints
from helsevev.access.subscriptions.notices import Notices
from helsevev.access.subscriptions.standing import asked_of, owner_of
from helsevev.access.subscriptions.topics import pairs, topics
from helsevev.access.writing import Writer, Written
from helsevev.fhir import dates, subscription_asked
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.search_query import SearchError
from helsevev.fhir.subscription_asked import HIDDEN, Asked, is_topic_based
from helsevev.fhir.subscription_topics import read_filters
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.store import Stored
from helsevev.record.subscriptions import DeadLetter, Standing, Subscriptions
from helsevev.record.turns import Turn
from helsevev.record.wall import beyond

TYPE: Final = "Subscription"
NOT_LASTING: Final = "An app that subscribes needs lasting access (offline_access)."
NOT_YOURS: Final = "A subscription is for the one who asked for it."
MOST_OF_ONE_OWNER: Final = 100
MOST_EVENTS: Final = 1000
"""Most events in one answer to `$events`."""

_LIVE: Final = ("active", "error")
Headers = Sequence[tuple[str, str]]


def refuse_unsealed(subscription: dict[str, Any]) -> Sequence[Issue]:
    """The rule of every other door: what may hold secrets comes in by itself."""
    if not is_topic_based(subscription):
        return ()
    text = "A topic-based Subscription is sent by itself (POST or PUT), not within anything else."
    return (error("business-rule", text, TYPE),)


class SubscriptionDoor:
    """Takes subscriptions in, and opens them to whom they are for."""

    def __init__(
        self,
        gate: Gate,
        plain: Writer,
        rows: Subscriptions,
        notices: Notices,
        endpoints: Endpoints,
    ) -> None:
        self._gate = gate
        self._plain = plain
        self._rows = rows
        self._notices = notices
        self._endpoints = endpoints

    async def write(
        self,
        actor: Actor,
        resource: dict[str, Any],
        *,
        create: bool = False,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        turns: Sequence[Turn] = (),
    ) -> Written:
        """As `Writer.write`; what is kept and shown has its headers' values left out.

        Besides what that raises: `Invalid` or `Unprocessable` for a topic, filter, channel or
        endpoint that is not offered, `Refused` for another's subscription.
        """
        existing = None
        if not create and "id" in resource:
            existing = await self._standing(actor, str(resource["id"]), "write")
        if not is_topic_based(resource):
            self._refuse_turning(existing)
            return await self._plain.write(
                actor, resource, create=create, if_match=if_match,
                idempotency_key=idempotency_key, turns=turns,
            )  # fmt: skip
        self._plain.check(resource)
        asked, headers = self._read(resource)
        headers = await self._unhidden(existing, asked, headers)
        if existing is None:
            await self._refuse_too_many(actor)
            if not app_bounds.lasts(actor):
                decision = Decision(False, "none", NOT_LASTING)
                await self._gate.refuse(
                    actor, keys.UNASSIGNED, decision, "subscription", action="write"
                )
        if create or "id" not in resource:
            resource = {**resource, "id": _new_id(actor, idempotency_key)}
        status = self._status(resource, existing, asked)
        kept = subscription_asked.without_secrets(resource) | {"status": status}
        if status not in _LIVE:
            kept.pop("error", None)
        with beyond():
            # A subscription is about nobody, and its owner's alone.
            written = await self._plain.write(
                _for_own(actor), kept, if_match=if_match, idempotency_key=idempotency_key,
                turns=turns,
            )  # fmt: skip
        # Only what is in the table sends anything: had we stopped here, nobody was told otherwise.
        name = written.stored.id
        if existing is None and await self._rows.one(name) is None:
            await self._rows.add(_new_standing(name, actor, asked, status), headers)
        elif existing is None or status not in _LIVE:
            await self._rows.change(name, asked.as_data(), status, headers)
        return written

    async def delete(
        self, actor: Actor, resource_type: str, resource_id: str, if_match: int | None = None
    ) -> Stored | None:
        """As `Writer.delete`; nothing more is sent."""
        existing = await self._standing(actor, resource_id, "write")
        if existing is None:
            return await self._plain.delete(actor, resource_type, resource_id, if_match)
        with beyond():
            gone = await self._plain.delete(_for_own(actor), resource_type, resource_id, if_match)
        await self._rows.remove(resource_id)
        return gone

    async def open(self, actor: Actor, resource_id: str) -> Stored:
        """The current version, for its owner. Raises `NotFound`, `Gone` or `Refused`."""
        existing = await self._standing(actor, resource_id, "read")
        if existing is None:
            return await self._gate.open_resource(actor, TYPE, resource_id)
        with beyond():
            return await self._gate.open_resource(_for_own(actor), TYPE, resource_id)

    async def open_own(self, actor: Actor) -> list[Stored]:
        """The current versions of the actor's own subscriptions."""
        names = [
            (TYPE, standing.id) for standing in _usable(actor, await self._rows.all_of(actor.id))
        ]
        found = await self._gate.store.beyond.read_many(names)
        return await self._gate.visible(_for_own(actor), list(found.values()), "search-type")

    async def standings(self, actor: Actor, resource_id: str | None = None) -> list[Standing]:
        """How one, or all of the actor's (a system's: everyone's) subscriptions stand.

        Raises `NotFound` or `Refused`.
        """
        if resource_id is None:
            whose = None if actor.kind == "system" else actor.id
            return _usable(actor, await self._rows.all_of(whose))
        standing = await self._standing(actor, resource_id, "read")
        if standing is None:
            raise NotFound(f"{TYPE}/{resource_id}")
        return [standing]

    async def events(
        self, actor: Actor, resource_id: str, since: int, until: int, content: str | None
    ) -> bytes:
        """The notification that tells of its events from one number to another, both included.

        Never more content than the subscription asks for. Raises `NotFound` or `Refused`.
        """
        (standing,) = await self.standings(actor, resource_id)
        asked = asked_of(standing.asked)
        levels = subscription_asked.CONTENTS
        level = min(levels.index(content or asked.content), levels.index(asked.content))
        found = await self._rows.events(standing.id, max(since, 1) - 1, MOST_EVENTS, until)
        return await self._notices.of_events(standing, found, levels[level], "query-event")

    async def dead_letters(self, actor: Actor) -> list[DeadLetter]:
        """What could not be delivered and is the actor's (a system's: anyone's) to see to."""
        found = await self._rows.dead_letters(None if actor.kind == "system" else actor.id)
        if actor.scopes is None:
            return found
        usable = {standing.id for standing in await self.standings(actor)}
        return [letter for letter in found if letter.subscription in usable]

    async def settle(self, actor: Actor, resource_id: str) -> None:
        """The actor has seen to its dead letters; they are not sent. Raises as `standings`."""
        (standing,) = await self.standings(actor, resource_id)
        await self._rows.set_aside(standing.id, clock.now(), actor.id)

    async def retry(self, actor: Actor, resource_id: str) -> None:
        """Begin again where it stopped, at once. Raises as `standings`."""
        (standing,) = await self.standings(actor, resource_id)
        if standing.status == "off":
            headers = await self._rows.headers(standing.id)
            asked = asked_of(standing.asked).as_data()
            await self._rows.change(standing.id, asked, "requested", headers)
        else:
            await self._rows.try_now(standing.id)

    async def show(self, standing: Standing) -> None:
        """Write how it stands into the resource; a write at the same moment goes first."""
        stored = await self._gate.store.read(TYPE, standing.id)
        if stored is not None and not stored.deleted:
            resource = stored.resource
            shown = {**resource, "status": standing.status}
            shown.pop("error", None)
            if standing.error:
                shown["error"] = standing.error
            try:
                await self._plain.write(SYSTEM, shown, if_match=stored.version)
            except Conflict:
                return
            except AccessError as problem:
                raise RuntimeError(f"{stored.reference} cannot say how it stands") from problem
        await self._rows.shown(standing.id, standing.status)

    async def _standing(self, actor: Actor, resource_id: str, action: str) -> Standing | None:
        standing = await self._rows.one(resource_id)
        if standing is None:
            return None
        foreign = actor.kind != "system" and standing.owner_id != actor.id
        if foreign or not app_bounds.may_use(actor, owner_of(standing.owner)):
            decision = Decision(False, "none", NOT_YOURS)
            await self._gate.refuse(actor, keys.UNASSIGNED, decision, "subscription", action=action)
        return standing

    async def _refuse_too_many(self, actor: Actor) -> None:
        if len(await self._rows.all_of(actor.id)) >= MOST_OF_ONE_OWNER:
            text = f"One may have {MOST_OF_ONE_OWNER} subscriptions; delete one first."
            raise Unprocessable([error("too-costly", text, TYPE)])

    def _refuse_turning(self, existing: Standing | None) -> None:
        if existing is not None:
            text = f"It stays topic-based: meta.profile names {subscription_asked.PROFILE}."
            raise Unprocessable([error("business-rule", text, "Subscription.meta.profile")])

    def _read(self, resource: dict[str, Any]) -> tuple[Asked, Headers]:
        asked, issues = subscription_asked.read(resource)
        headers, more = subscription_asked.headers_of(resource)
        issues = [*issues, *more]
        if asked is None or issues:
            raise Unprocessable(issues)
        topic = topics().get(asked.topic)
        if topic is None:
            text = f"Topics are {', '.join(topics())}."
            raise Unprocessable([error("not-supported", text, "Subscription.criteria")])
        try:
            read_filters(topic, [(kind, pairs(query)) for kind, query in asked.filters])
        except (SearchError, ValueError) as problem:
            issues = list(getattr(problem, "issues", ())) or [
                error("value", "A filter cannot be read.", "Subscription.criteria")
            ]
            raise Unprocessable(issues) from problem
        if asked.endpoint and (refusal := self._endpoints.refusal(asked.endpoint)):
            raise Unprocessable([error("business-rule", refusal, "Subscription.channel.endpoint")])
        if resource["status"] == "off":
            return asked, headers
        if asked.end and _is_past(asked.end):
            raise Unprocessable([error("business-rule", "It has ended.", "Subscription.end")])
        return asked, headers

    async def _unhidden(self, existing: Standing | None, asked: Asked, headers: Headers) -> Headers:
        """The headers with the values that were read back hidden, for the same receiver only."""
        if all(value != HIDDEN for _, value in headers):
            return headers
        known: Mapping[str, str] = {}
        if existing is not None and asked_of(existing.asked).endpoint == asked.endpoint:
            known = dict(await self._rows.headers(existing.id))
        found = [(n, known.get(n) if value == HIDDEN else value) for n, value in headers]
        if any(value is None for _, value in found):
            text = "Send the headers again: their values are known for another endpoint only."
            raise Unprocessable([error("required", text, "Subscription.channel.header")])
        return [(name, value or "") for name, value in found]

    def _status(self, resource: dict[str, Any], existing: Standing | None, asked: Asked) -> str:
        if resource["status"] == "off":
            return "off"
        if existing is None and resource["status"] != "requested":
            text = "A new subscription is requested; the server makes it active."
            raise Invalid([error("business-rule", text, "Subscription.status")])
        kept = existing is not None and asked_of(existing.asked) == asked
        headers = resource["channel"].get("header", [])
        told_again = any(not text.endswith(HIDDEN) for text in headers)
        if kept and not told_again and existing and resource["status"] == existing.status:
            return existing.status
        return "requested"


def _usable(actor: Actor, standings: list[Standing]) -> list[Standing]:
    if actor.scopes is None:
        return standings
    return [each for each in standings if app_bounds.may_use(actor, owner_of(each.owner))]


def _for_own(actor: Actor) -> Actor:
    """The actor, where the door has decided that the subscription is the actor's own."""
    return replace(actor, kind="system")


def _new_id(actor: Actor, key: str | None) -> str:
    """A new id; for a repeated request with an idempotency key the same one again."""
    made = keys.new_id(TYPE, keys.UNASSIGNED)
    if key is None:
        return made
    digest = blake2b(f"{actor.id}\x00{key}".encode(), digest_size=8, person=b"subscription")
    return f"{made.partition('-')[0]}-{digest.hexdigest()}"


def _new_standing(name: str, actor: Actor, asked: Asked, status: str) -> Standing:
    return Standing(
        id=name, from_xid=0, last_event=0, delivered=0, created_at=clock.now(),
        next_attempt_at=None, failing_since=None, last_sent_at=None, attempts=0, status=status,
        shown_status=status, error="", topic=asked.topic, owner_id=actor.id,
        owner=msgspec.json.encode(actor.as_data()).decode(),
        asked=msgspec.json.encode(asked).decode(),
    )  # fmt: skip


def _is_past(instant: str) -> bool:
    ends = dates.bounds(instant)
    return ends is not None and ends[0] <= dates.microseconds(clock.now())


__all__ = ["TYPE", "DeadLetter", "Standing", "SubscriptionDoor", "refuse_unsealed"]
