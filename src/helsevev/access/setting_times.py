"""Setting the times of day of one's own unit: for who leads it, from now on or later, traced."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from helsevev.access.actor import Actor
from helsevev.access.errors import Conflict, Invalid
from helsevev.access.gate import Gate
from helsevev.access.policy import Facts, decide
from helsevev.access.unit_times import TimesOfUnits
from helsevev.fhir.outcome import error
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.statements import load

_SQL: Final = load("unit_times")


class TimesSetting:
    """Sets times for the unit of the role that somebody is signed in with."""

    def __init__(self, gate: Gate, times: TimesOfUnits, actor: Actor) -> None:
        self._gate = gate
        self._times = times
        self._actor = actor

    @property
    def allowed(self) -> bool:
        """Whether the actor leads the unit."""
        return (
            bool(self._actor.unit)
            and decide(self._actor, "set-unit-times", Facts("reference")).allowed
        )

    async def set(self, since: datetime, body: str) -> None:
        """From `since` on, the unit has these times (JSON): never from what has been.

        Raises `Refused` (audited) for those who do not lead it, `Invalid` for a moment that has
        passed and `Conflict` when some have been set from that very moment.
        """
        actor = self._actor
        decision = decide(actor, "set-unit-times", Facts("reference"))
        if not actor.unit or not decision.allowed:
            await self._gate.refuse(actor, keys.REFERENCE, decision, "unit-times", action="write")
        now = clock.now()
        if since < now:
            raise Invalid([error("value", "Times that have been cannot be changed.", "since")])
        said = (actor.unit[0], since, body, now, actor.id, actor.name)
        if await self._gate.store.roles.program.fetchval(_SQL["add"], *said) is None:
            raise Conflict("Times have been set from that moment already.", None)
        self._times.forget()
        await self._gate.trace_nothing(actor, "unit-times", actor.unit[0], action="write")
