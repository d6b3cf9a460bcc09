"""AuditEvents through the gate: of a record for those who may open it, and the privacy officer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from helsevev.access import app_bounds, touch
from helsevev.access.actor import Actor
from helsevev.access.audit.event import event_of
from helsevev.access.audit.proving import row_of
from helsevev.access.errors import NotFound
from helsevev.access.gate import Gate, author_of
from helsevev.access.policy import may_follow_up
from helsevev.access.touch import Touch, touch_of
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.audit import audit_row
from helsevev.record.database import Database
from helsevev.record.statements import load
from helsevev.record.store import Stored

_SQL: Final = load("audit")
_PEOPLE: Final = load("people")
_TARGET: Final = "AuditEvent?patient"


class Events:
    """Opens the trail as FHIR, on top of the gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._roles = gate.store.roles

    async def read(self, actor: Actor, number: str) -> Stored:
        """One event. Raises `NotFound` or `Refused`, audited."""
        try:
            patient, row = row_of(number)
        except ValueError:
            raise NotFound(f"AuditEvent/{number}") from None
        if not may_follow_up(actor):
            closed = (await self._gate.permits.verdict(actor, patient)).decision
            if not closed.allowed:
                await self._gate.refuse(actor, patient, closed, "read")
        found = await self._trail_of(actor).fetchrow(_SQL["event"], patient, row)
        if found is None:
            raise NotFound(f"AuditEvent/{number}")
        (event,) = await self._events([touch_of(found)])
        if may_follow_up(actor):
            await self._trace(actor, patient, "read", event.reference)
        else:
            await self._gate.allow_read(actor, [event], "read")
        return event

    async def of_patient(
        self,
        actor: Actor,
        patient_id: str,
        *,
        start: datetime = touch.EVER[0],
        end: datetime = touch.EVER[1],
        before: int,
        limit: int,
    ) -> list[Stored]:
        """Who has touched a record in a time, newest first, before a row. Raises `Refused`."""
        patient = keys.patient_key(patient_id)
        if may_follow_up(actor):
            await self._trace(actor, patient, "search-type", _TARGET)
        else:
            await self._gate.open_chart(actor, patient_id, interaction="search-audit")
        found = await touch.of_patient(
            self._trail_of(actor), patient, start=start, end=end, before=before, limit=limit
        )
        return app_bounds.shown(actor, await self._events(found), "search-type")

    def _trail_of(self, actor: Actor) -> Database:
        """All of it for those who follow up; for others what is about whom they may see."""
        return self._roles.officer if may_follow_up(actor) else self._roles.shown

    async def _trace(self, actor: Actor, patient: int, interaction: str, target: str) -> None:
        author = author_of(actor, interaction, "HSYSADMIN", basis="follow-up")
        row = audit_row(patient, 0, clock.now(), author, target, action="read")
        await self._gate.trail.keep(row)

    async def _events(self, found: Iterable[Touch]) -> list[Stored]:
        touches = list(found)
        patients = {each.patient for each in touches if each.patient > keys.REFERENCE}
        rows = await self._roles.people.fetch(_PEOPLE["patients"], list(patients))
        ids = {row["patient"]: row["id"] for row in rows}
        return [event_of(each, ids.get(each.patient, "")) for each in touches]
