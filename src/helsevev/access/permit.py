"""Permits: decisions about one actor and one inhabitant, kept while they hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from helsevev.access import app_bounds
from helsevev.access.actor import Actor
from helsevev.access.policy import Action, Basis, Decision, Facts, decide
from helsevev.fhir import dates
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.database import Database
from helsevev.record.statements import load

HOLDS: Final = timedelta(seconds=20)
"""How long facts are used again; a lost relation closes the record this soon."""

EMERGENCY: Final = timedelta(hours=4)
"""How long a stated emergency opens a record."""

_SQL = load("access")
_MOST_KEPT: Final = 50_000


@dataclass(frozen=True, slots=True)
class Permit:
    """That `actor` may open the record of `patient_id` (key `patient`) until `expires_at`."""

    actor: Actor
    patient: int
    patient_id: str
    basis: Basis
    purpose: str
    expires_at: datetime
    why: str = ""
    """What let the actor in, as audit rows say it: `relation CareTeam/x`, `emergency`, `own` …"""


class Grounds(NamedTuple):
    """Why somebody was let in, as audit rows say it: the purpose, and what it rests on."""

    purpose: str
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision with the purpose that audit rows name and the time until which it holds."""

    decision: Decision
    purpose: str
    until: datetime
    why: str = ""

    @property
    def grounds(self) -> Grounds:
        """Why, for audit rows."""
        return Grounds(self.purpose, self.why)


class Permits:
    """Decides who may open whose record; the facts it rests on are used again for a few seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[tuple[Actor, int], tuple[Facts, datetime]] = {}

    async def verdict(
        self, actor: Actor, patient: int, action: Action = "read", resource_type: str = ""
    ) -> Verdict:
        """Whether `actor` may read (or write a `resource_type`) in what is kept under `patient`."""
        return (await self.verdicts(actor, (patient,), action, resource_type))[patient]

    async def verdicts(
        self,
        actor: Actor,
        patients: Iterable[int],
        action: Action = "read",
        resource_type: str = "",
    ) -> dict[int, Verdict]:
        """The verdict about each of some inhabitants, with one look at what is not known yet."""
        now = clock.now()
        known: dict[int, tuple[Facts, datetime]] = {}
        unknown: list[int] = []
        for patient in dict.fromkeys(patients):
            kept = self._kept.get((actor, patient))
            if kept is not None and now < kept[1]:
                known[patient] = kept
            elif (facts := _plain_facts(actor, patient)) is not None:
                known[patient] = facts, now + HOLDS
            else:
                unknown.append(patient)
        if unknown:
            known |= await self._ties(actor, unknown, now)
        return {
            patient: Verdict(app_bounds.outside(app_bounds.REFUSED_PATIENT), "TREAT", until)
            if app_bounds.bars(actor, patient)
            else _verdict(actor, action, facts, until, resource_type)
            for patient, (facts, until) in known.items()
        }

    async def _ties(
        self, actor: Actor, patients: list[int], now: datetime
    ) -> dict[int, tuple[Facts, datetime]]:
        rows = await self._database.fetch(
            _SQL["ties"], patients, list(actor.grantees), dates.microseconds(now), actor.id, now
        )
        found = {}
        for row in rows:
            patient = row["patient"]
            facts = Facts(
                "inhabitant",
                own=_is_own(actor, patient),
                related=row["relation"] is not None,
                relation=row["relation"] or "",
                emergency_until=row["emergency_until"],
            )
            until = min(now + HOLDS, facts.emergency_until or now + HOLDS)
            # That there is no tie is looked up anew each time: one may just have come.
            if facts.related or facts.own or facts.emergency_until:
                self._keep(actor, patient, facts, until)
            found[patient] = facts, until
        return found

    def _keep(self, actor: Actor, patient: int, facts: Facts, until: datetime) -> None:
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[actor, patient] = (facts, until)

    async def state_emergency(
        self, actor: Actor, patient: int, ground: str, reason: str
    ) -> datetime:
        """Open a record by a stated ground; returns when it closes again."""
        now = clock.now()
        expires = now + EMERGENCY
        await self._database.execute(
            _SQL["break_glass"], patient, keys.next_key(), now, expires,
            actor.id, actor.organisation, ground, reason,
        )  # fmt: skip
        self._kept.pop((actor, patient), None)
        return expires

    def forget(self, patient: int) -> None:
        """Decide anew about this inhabitant: who treats them may have changed."""
        for kept in [key for key in self._kept if key[1] == patient]:
            del self._kept[kept]


def _is_own(actor: Actor, patient: int) -> bool:
    return actor.patient is not None and keys.patient_key(actor.patient[8:]) == patient


def _plain_facts(actor: Actor, patient: int) -> Facts | None:
    """The facts where no tie has to be looked up; None where one has."""
    if patient == keys.REFERENCE:
        return Facts("reference")
    if patient == keys.UNASSIGNED:
        return Facts("unassigned")
    if actor.kind == "system":
        return Facts("inhabitant")
    if actor.kind == "inhabitant":
        return Facts("inhabitant", own=_is_own(actor, patient))
    return None


def _verdict(
    actor: Actor, action: Action, facts: Facts, until: datetime, resource_type: str
) -> Verdict:
    decision = decide(actor, action, facts, resource_type)
    if decision.basis == "emergency" and facts.emergency_until is not None:
        return Verdict(decision, "BTG", facts.emergency_until, decision.basis)
    why = f"relation {facts.relation}" if decision.basis == "relation" else decision.basis
    return Verdict(decision, "TREAT", until, why)


def joined(found: Iterable[Grounds]) -> Grounds:
    """The grounds of a write about several: an emergency before all, then what ties to people."""
    every = dict.fromkeys(found)
    purpose = "BTG" if any(grounds.purpose == "BTG" for grounds in every) else "TREAT"
    whys = dict.fromkeys(g.why for g in every if g.why != "reference")
    return Grounds(purpose, " ".join(whys) if whys else "reference")
