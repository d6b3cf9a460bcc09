"""Alarms that signing in has raised, for those who act on them: listed, and answered in words."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.errors import Invalid, NotFound
from helsevev.access.gate import Gate, author_of
from helsevev.access.policy import Facts, decide
from helsevev.fhir.outcome import error
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.audit import audit_row
from helsevev.record.statements import load

_SQL: Final = load("audit")
_MOST: Final = 200
_SHORTEST: Final = 5
_LONGEST: Final = 2000


class Alarm(Struct, frozen=True, kw_only=True):
    """Something that somebody has to act on: whose sign-in, of which kind, and what was done."""

    id: int
    at: datetime
    kind: str
    person: str
    person_name: str
    organisation: str
    seen_at: datetime | None
    seen_by_name: str
    done: str


class AlarmBook:
    """Opens the alarms to administrators and the privacy officer, on top of the gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._database = gate.store.database

    async def listed(self, actor: Actor) -> list[Alarm]:
        """The alarms, those that nobody has answered first. Raises `Refused`, audited."""
        await self._allowed(actor)
        await self._gate.trace_nothing(actor, "read-alarms", "security_alarm")
        rows = await self._database.fetch(_SQL["alarms_to_answer"], _MOST)
        return [Alarm(**dict(row)) for row in rows]

    async def answer(self, actor: Actor, number: int, words: str) -> None:
        """Say what was done about an alarm. Raises `Invalid` without words, `NotFound`, `Refused`.

        What somebody has answered stays as it is: who comes later reads it.
        """
        await self._allowed(actor)
        words = words.strip()[:_LONGEST]
        if len(words) < _SHORTEST:
            raise Invalid([error("required", "Say what was done.", "words")])
        there = await self._database.fetchval(
            _SQL["answer_alarm"], number, clock.now(), actor.id, actor.name, words
        )
        if there is None:
            raise NotFound("The alarm")
        author = author_of(actor, "answer-alarm", "HSYSADMIN", words, "follow-up")
        row = audit_row(keys.REFERENCE, 0, clock.now(), author, f"alarm/{number}", action="login")
        await self._gate.trail.keep(row)

    async def _allowed(self, actor: Actor) -> None:
        decision = decide(actor, "answer-alarms", Facts("reference"))
        if not decision.allowed:
            await self._gate.refuse(actor, keys.REFERENCE, decision, "read-alarms")
