"""The privacy officer's list: unusual reads and questions, with state, owner and deadline."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from helsevev.access import touch
from helsevev.access.actor import Actor
from helsevev.access.audit.asking import RULE as QUESTION
from helsevev.access.errors import Invalid, NotFound
from helsevev.access.gate import Gate, author_of
from helsevev.access.policy import Decision, may_follow_up
from helsevev.content.loading import unusual_reads
from helsevev.fhir.outcome import Issue
from helsevev.fhir.reading import full_name
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.audit import audit_row
from helsevev.record.statements import load
from helsevev.record.store import Stored
from helsevev.record.wall import beyond

_SQL: Final = load("audit")
_PEOPLE: Final = load("people")
STATES: Final = ("new", "asked", "explained", "breach")
"""Nobody has looked · the reader was asked · it was in order · it was not (§ 22a: notify)."""

_MOST: Final = 200


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """An unusual read or a question about one: whose, about whom, why, and what came of it."""

    patient: int
    id: int
    rule: str
    title: str
    explanation: str
    found_at: datetime
    read_at: datetime
    due_at: datetime
    reads: int
    actor: str
    actor_name: str
    unit: str
    why: Mapping[str, Any]
    state: str
    owner_name: str
    words: str
    person: str
    is_late: bool


class Rate(msgspec.Struct, frozen=True):
    """What came of a rule's findings; `false` is the share of the settled that was explained."""

    title: str
    found: int
    explained: int
    breaches: int

    @property
    def false(self) -> float | None:
        """0 to 1; None while nothing is settled."""
        settled = self.explained + self.breaches
        return self.explained / settled if settled else None


class Findings:
    """Opens the list to the privacy officer, on top of the gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._database = gate.store.roles.officer

    async def listed(self, actor: Actor, rule: str = "", state: str = "") -> list[Finding]:
        """What is found, unsettled first, soonest due first. Raises `Refused`, audited."""
        await self._officers_only(actor)
        rows = await self._database.fetch(_SQL["findings"], rule, state, _MOST)
        names = await self._names(actor, {row["patient"] for row in rows if row["patient"] > 0})
        return [_finding(row, names.get(row["patient"], "")) for row in rows]

    async def rates(self, actor: Actor) -> list[Rate]:
        """How each rule has done. Raises `Refused`."""
        await self._officers_only(actor)
        titles = _titles()
        return [
            Rate(titles.get(rule, ("", ""))[0], found, explained, breaches)
            for rule, found, explained, breaches in await self._database.fetch(_SQL["rates"])
        ]

    async def judge(self, actor: Actor, patient: int, number: int, state: str, words: str) -> None:
        """Say what came of a finding; who says so owns it from now on.

        Raises `Invalid` (no such state, or settled without words), `NotFound` or `Refused`.
        """
        await self._officers_only(actor)
        words = words.strip()[:2000]
        if state not in STATES:
            raise Invalid([Issue("error", "value", f"{state!r} is no state.", "state")])
        if state in ("explained", "breach") and len(words) < 5:
            text = "Say in words what was found out."
            raise Invalid([Issue("error", "required", text, "words")])
        if await self._database.fetchrow(_SQL["finding"], patient, number) is None:
            raise NotFound("The finding")
        author = author_of(actor, "follow-up", "HSYSADMIN", f"{state}: {words}", "follow-up")
        target = f"AuditEvent?finding={keys.text_of(number)}"
        await self._gate.trail.keep(audit_row(patient, 0, clock.now(), author, target))
        await self._database.execute(
            _SQL["judge"], patient, number, state, words, actor.id, actor.name, clock.now()
        )

    async def touches(self, actor: Actor, patient: int) -> list[touch.Touch]:
        """Who has read one record, for who follows up. Raises `Refused`; audited."""
        await self._officers_only(actor)
        author = author_of(actor, "follow-up", "HSYSADMIN", basis="follow-up")
        row = audit_row(patient, 0, clock.now(), author, "AuditEvent", action="read")
        await self._gate.trail.keep(row)
        return await touch.of_patient(self._database, patient, limit=2000)

    async def _officers_only(self, actor: Actor) -> None:
        if not may_follow_up(actor):
            decision = Decision(False, "none", "Only the privacy officer follows up who has read.")
            await self._gate.refuse(actor, keys.REFERENCE, decision, "follow-up")

    async def _names(self, actor: Actor, patients: set[int]) -> dict[int, str]:
        rows = await self._database.fetch(_PEOPLE["patients"], list(patients))
        with beyond():
            found = {row["patient"]: full_name(Stored(*row).resource.get("name")) for row in rows}
        author = author_of(actor, "follow-up", "HSYSADMIN", basis="follow-up")
        now = clock.now()
        await self._gate.trail.keep(
            *(audit_row(p, 0, now, author, "Patient?", action="list") for p in sorted(found))
        )
        return found


def _titles() -> dict[str, tuple[str, str]]:
    return {rule.code: (rule.title, rule.words) for rule in unusual_reads().rule}


def _finding(row: Mapping[str, Any], person: str) -> Finding:
    title, explanation = _titles().get(row["rule"], ("", ""))
    return Finding(
        patient=row["patient"], id=row["id"], rule=row["rule"], title=title,
        explanation=explanation, found_at=row["found_at"], read_at=row["read_at"],
        due_at=row["due_at"], reads=row["reads"], actor=row["actor"],
        actor_name=row["actor_name"], unit=row["unit"],
        why=msgspec.json.decode(row["why"]), state=row["state"], owner_name=row["owner_name"],
        words=row["words"], person=person,
        is_late=row["due_at"] < clock.now() and row["state"] in ("new", "asked"),
    )  # fmt: skip


__all__ = ["QUESTION", "STATES", "Finding", "Findings", "Rate"]
