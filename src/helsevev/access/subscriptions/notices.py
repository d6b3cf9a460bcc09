"""Notifications as a subscription's owner may have them now: decided and audited like a reading."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from helsevev.access.actor import Actor
from helsevev.access.gate import Gate, author_of
from helsevev.access.subscriptions.standing import owner_of, status_of
from helsevev.fhir import subscription_notification as wire
from helsevev.fhir.subscription_notification import notification
from helsevev.kit import clock
from helsevev.record.audit import audit_row
from helsevev.record.subscriptions import Event, Standing, Subscriptions
from helsevev.record.wall import behind, see_whole, sees

INTERACTION: Final = "subscription"


class Notices:
    """Writes notifications of events, on behalf of a subscription's owner."""

    def __init__(self, gate: Gate, rows: Subscriptions, base: str) -> None:
        self._gate = gate
        self._rows = rows
        self.base = base

    async def of_events(
        self,
        standing: Standing,
        events: Sequence[Event],
        content: str,
        kind: str = "event-notification",
    ) -> bytes:
        """The Bundle that tells of these events, as much as `content` says.

        What the owner may not see any longer is told by its number and time alone. It is made
        behind the wall of the owner, whoever sends it.
        """
        owner = owner_of(standing.owner)
        with behind():
            if owner.kind == "system":
                see_whole()
            return await self._of_events(owner, standing, events, content, kind)

    async def _of_events(
        self, owner: Actor, standing: Standing, events: Sequence[Event], content: str, kind: str
    ) -> bytes:
        allowed = {e.patient: False for e in events}
        for patient in allowed:
            decided = await self._decide(owner, patient, standing, events, content)
            allowed[patient] = decided and sees(patient)
        wanted = [
            (e.patient, e.type, e.id, e.version)
            for e in events
            if allowed[e.patient] and content != "empty" and e.verb != "D"
        ]
        versions = await self._rows.versions(wanted) if wanted else {}
        seen = await self._gate.as_seen(owner, list(versions.values()))
        withheld = versions.keys() - {(s.type, s.id, s.version) for s in seen}
        versions = {(s.type, s.id, s.version): s for s in seen if content == "full-resource"}
        told = []
        for e in events:
            place = (e.type, e.id, e.version)
            stored = versions.get(place)
            closed = not allowed[e.patient] or place in withheld
            reference = f"{e.type}/{e.id}" if not closed and content != "empty" else ""
            json = None if stored is None or stored.deleted else stored.json
            told.append(wire.Event(e.number, _instant(e.at), e.verb, reference, json, closed))
        now = _instant(clock.now())
        status = status_of(standing)
        return notification(kind, status, told, now, self.base, topic=content != "empty")

    def of_status(self, kind: str, standing: Standing) -> bytes:
        """A handshake, a heartbeat or a status: no event is told of."""
        return notification(kind, status_of(standing), (), _instant(clock.now()), self.base)

    async def _decide(
        self, owner: Actor, patient: int, standing: Standing, events: Sequence[Event], content: str
    ) -> bool:
        verdict = await self._gate.permits.verdict(owner, patient)
        if verdict.decision.allowed:
            if content == "empty":
                return True
            author = author_of(owner, INTERACTION, verdict.purpose, basis=verdict.why)
            named = " ".join(f"{e.type}/{e.id}" for e in events if e.patient == patient)
            target = f"{named} (Subscription/{standing.id})"
            row = audit_row(patient, 0, clock.now(), author, target, action="read")
        else:
            author = author_of(owner, INTERACTION, reason=verdict.decision.reason)
            target = f"Subscription/{standing.id}"
            row = audit_row(patient, 0, clock.now(), author, target, action="read", outcome=8)
        await self._gate.trail.keep(row)
        return verdict.decision.allowed


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
