"""Permits: decisions about one actor and one inhabitant, kept while they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from helsevev.access import app_bounds, blocking, representing, treatment_relation
from helsevev.access.actor import Actor
from helsevev.access.policy import (
    AGE_UNKNOWN,
    Action,
    Basis,
    Closeness,
    Decision,
    Facts,
    decide,
    may_treat,
)
from helsevev.access.sight import ADDRESSES, WHOLE, Block, Sight, blocked, blocks_of, sight_of
from helsevev.content.loading import categories, relations
from helsevev.fhir import dates
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.connection import Row
from helsevev.record.database import Database
from helsevev.record.rows import NO_DATE, label_hash
from helsevev.record.statements import load
from helsevev.record.wall import asking

HOLDS: Final = timedelta(seconds=20)
"""How long facts are used again; a lost relation closes the record this soon."""

EMERGENCY: Final = timedelta(hours=4)
"""How long a stated emergency opens a record."""

STATED: Final = timedelta(hours=relations().stated_hours)
"""How long a stated relation opens a record."""

TIES: Final = (
    treatment_relation.PROJECTION.sources
    | blocking.PROJECTION.sources
    | representing.PROJECTION.sources
    | {"Patient"}
)
"""Types that say who is let in, who is kept out, or how a whole record is marked."""

_SQL = load("access")
_MOST_KEPT: Final = 50_000
_MOST_KEPT_WHOLE: Final = 200


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
    sight: Sight = WHOLE
    """What of the record is withheld."""


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
    sight: Sight = WHOLE

    @property
    def grounds(self) -> Grounds:
        """Why, for audit rows."""
        return Grounds(self.purpose, self.why)


class Known(NamedTuple):
    """What is known of an actor and an inhabitant, and until when it is used."""

    facts: Facts
    sight: Sight
    until: datetime


class Permits:
    """Decides who may open whose record; the facts it rests on are used again for a few seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[tuple[Actor, int], Known] = {}
        self._everyone: dict[Actor, tuple[datetime, int, frozenset[int]]] = {}
        self.edition = 0
        """Goes up when ties may have changed, for those who keep what they worked out of them."""
        self.on_forgotten: list[Callable[[int], None]] = []
        """Told of each inhabitant that is forgotten here, so that other processes hear of it."""

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
        known = await self.known(actor, patients, clock.now())
        # What is known may be the same of many (to a system, of all), and is decided upon once.
        decided: dict[int, Verdict] = {}
        found: dict[int, Verdict] = {}
        for patient, each in known.items():
            if app_bounds.bars(actor, patient):
                refused = app_bounds.outside(app_bounds.REFUSED_PATIENT)
                found[patient] = Verdict(refused, "TREAT", each.until)
                continue
            if id(each) not in decided:
                decided[id(each)] = _verdict(actor, action, each, resource_type)
            found[patient] = decided[id(each)]
        return found

    async def known(self, actor: Actor, patients: Iterable[int], now: datetime) -> dict[int, Known]:
        """The facts about each of some inhabitants that decisions rest on."""
        found: dict[int, Known] = {}
        unknown: list[int] = []
        plain: dict[Facts, Known] = {}
        for patient in dict.fromkeys(patients):
            kept = self._kept.get((actor, patient))
            if kept is not None and now < kept.until:
                found[patient] = kept
            elif (facts := _plain_facts(actor, patient)) is not None:
                if facts not in plain:
                    plain[facts] = Known(facts, sight_of(actor, facts, ()), now + HOLDS)
                found[patient] = plain[facts]
            else:
                unknown.append(patient)
        if unknown:
            found |= await self._ties(actor, unknown, now)
        # What the program writes in somebody's request stays within what that one reaches.
        if actor.kind != "system" and (held := asking()) is not None:
            reached = {p for p, each in found.items() if _reaches(actor, each.facts)}
            held.add(reached)
            for patient in found.keys() - reached:
                held.drop(patient)
        return found

    async def reach_all(self, actor: Actor) -> None:
        """Let the wall show everyone whom the actor is tied to, to look across inhabitants."""
        held = asking()
        if held is None or not may_treat(actor):
            return
        if actor.kind != "practitioner":
            if actor.patient is not None:
                await self.known(actor, [keys.patient_key(actor.patient[8:])], clock.now())
            return
        held.add(await self.everyone_tied(actor))

    async def everyone_tied(self, actor: Actor) -> frozenset[int]:
        """The inhabitants whom somebody who works here is tied to now; nobody for other roles."""
        if actor.kind != "practitioner" or not may_treat(actor):
            return frozenset()
        now = clock.now()
        kept = self._everyone.get(actor)
        if kept is None or now >= kept[0] or kept[1] != self.edition:
            rows = await self._database.fetch(
                _SQL["everyone_tied"], list(actor.grantees), dates.microseconds(now), actor.id, now
            )
            if len(self._everyone) >= _MOST_KEPT_WHOLE:
                self._everyone.clear()
            kept = now + HOLDS, self.edition, frozenset(row["patient"] for row in rows)
            self._everyone[actor] = kept
        return kept[2]

    async def _ties(self, actor: Actor, patients: list[int], now: datetime) -> dict[int, Known]:
        acts_as = keys.patient_key(actor.id[8:]) if actor.acting else None
        asked = patients if acts_as is None else [*dict.fromkeys([*patients, acts_as])]
        rows = await self._database.fetch(
            _SQL["ties"], asked, list(actor.grantees), dates.microseconds(now), actor.id, now,
            list(actor.person), list(actor.unit), acts_as, list(_LABELS),
        )  # fmt: skip
        found = {}
        hidden = any(row["patient"] == acts_as and _hides(row) for row in rows)
        for row in rows:
            patient = row["patient"]
            if patient == acts_as and patient not in patients:
                continue
            blocks = blocks_of(row["blocks"])
            facts = _facts(actor, row, blocks, now, hidden)
            ends = [end for end in (facts.emergency_until, facts.stated_until) if end is not None]
            until = min([now + HOLDS, *ends])
            family = frozenset(_LABELS[label] for label in row["of_family"])
            known = Known(facts, sight_of(actor, facts, blocks, family), until)
            # That there is no tie is looked up anew each time: one may just have come.
            if facts.related or facts.own or ends:
                self._keep(actor, patient, known)
            found[patient] = known
        return found

    def _keep(self, actor: Actor, patient: int, known: Known) -> None:
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[actor, patient] = known

    async def blocked_for(self, actor: Actor, now: datetime) -> dict[int, list[Block]]:
        """What inhabitants have blocked for the actor or for everyone, by inhabitant."""
        rows = await self._database.fetch(
            _SQL["blocked_for"], list(actor.grantees), dates.microseconds(now)
        )
        found: dict[int, list[Block]] = {}
        for patient, *block in rows:
            found.setdefault(patient, []).append(Block(*block))
        return found

    async def marked_at_a_distance(self, actor: Actor, now: datetime) -> set[int]:
        """Those among whom the actor is tied to whose marked record asks for a nearer tie."""
        rows = await self._database.fetch(
            _SQL["marked_at_a_distance"], list(actor.grantees), dates.microseconds(now),
            list(_OF_RECORDS), [*actor.person, *actor.unit], actor.id, now,
        )  # fmt: skip
        tied = await self.known(actor, [row["patient"] for row in rows], now)
        return {p for p, each in tied.items() if not decide(actor, "read", each.facts).allowed}

    async def state_relation(self, actor: Actor, patient: int, ground: str, reason: str) -> None:
        """Note that the actor says to be treating an inhabitant, for a while."""
        now = clock.now()
        await self._database.execute(
            _SQL["state_relation"], patient, keys.next_key(), now, now + STATED,
            actor.id, actor.organisation, ground, reason,
        )  # fmt: skip
        self._kept.pop((actor, patient), None)

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
        self.edition += 1
        return expires

    def forget(self, patient: int) -> None:
        """Decide anew about this inhabitant: who treats them may have changed."""
        self.edition += 1
        self.drop([patient])
        for told in self.on_forgotten:
            told(patient)

    def drop(self, patients: Sequence[int]) -> None:
        """Decide anew about these inhabitants, without telling others; about all, when none."""
        if not patients:
            self._kept.clear()
        for kept in [key for key in self._kept if key[1] in patients]:
            del self._kept[kept]


_LABELS: Final = {
    label_hash(mark.key): mark.key for mark in categories().mark if mark.on in ("record", "person")
}
_REFERENCE: Final = Facts("reference")
_UNASSIGNED: Final = Facts("unassigned")
_UNTIED: Final = Facts("inhabitant")
_NOON: Final = 12 * 3600 * 1_000_000
_OF_RECORDS: Final = tuple(
    label_hash(mark.key) for mark in categories().mark if mark.on == "record"
)
_CLOSENESS: Final[dict[str, Closeness]] = {"1": "personal", "2": "unit", "3": "organisation"}


def _reaches(actor: Actor, facts: Facts) -> bool:
    """Whether the wall shows the record: a tie does, which for inhabitants has to open it, too."""
    if actor.kind == "inhabitant":
        return facts.is_tied and decide(actor, "read", facts).allowed
    return facts.is_tied and may_treat(actor)


def _hides(row: Row) -> bool:
    """Whether the national register protects the address of the one whom a row is about."""
    return any(_LABELS[label] in ADDRESSES for label in row["labels"])


def _facts(actor: Actor, row: Row, blocks: tuple[Block, ...], now: datetime, hidden: bool) -> Facts:
    """The facts that statement `ties` tells of one inhabitant.

    `hidden` says that the address of one who acts for somebody is protected.
    """
    relation = row["relation"]
    is_theirs = _is_theirs(actor, row["patient"])
    kind, _, scope = (row["represents"] or "").partition(" ")
    acts = is_theirs and actor.acting != ""
    return Facts(
        "inhabitant",
        own=is_theirs and not acts,
        related=relation is not None,
        relation="" if relation is None else relation[1:],
        emergency_until=row["emergency_until"],
        closeness="unit" if relation is None else _CLOSENESS[relation[0]],
        stated_until=row["stated_until"],
        represents=kind if acts else "",
        scope=scope if acts else "",
        blocked=blocked(block for block in blocks if block.is_whole),
        labels=frozenset(_LABELS[label] for label in row["labels"]),
        age=_age(row["born"], now),
        hidden=hidden and acts,
    )


def _age(born: int | None, now: datetime) -> int:
    """Whole years from a birth date in microseconds since 1970."""
    if born is None or born == NO_DATE:
        return AGE_UNKNOWN
    # Noon of the day, so that no zone makes another day of it.
    day = dates.moment(born + _NOON)
    had_birthday = (now.month, now.day) >= (day.month, day.day)
    return max(0, now.year - day.year - (not had_birthday))


def _is_theirs(actor: Actor, patient: int) -> bool:
    return actor.patient is not None and keys.patient_key(actor.patient[8:]) == patient


def _plain_facts(actor: Actor, patient: int) -> Facts | None:
    """The facts where no tie has to be looked up; None where one has."""
    if patient == keys.REFERENCE:
        return _REFERENCE
    if patient == keys.UNASSIGNED:
        return _UNASSIGNED
    if actor.kind == "system":
        return _UNTIED
    if actor.kind == "inhabitant" and not _is_theirs(actor, patient):
        return _UNTIED
    return None


def _verdict(actor: Actor, action: Action, known: Known, resource_type: str) -> Verdict:
    facts, sight, until = known
    decision = decide(actor, action, facts, resource_type)
    if decision.basis == "emergency" and facts.emergency_until is not None:
        return Verdict(decision, "BTG", facts.emergency_until, decision.basis, sight)
    why = f"relation {facts.relation}" if decision.basis == "relation" else decision.basis
    if decision.basis == "representation":
        why = facts.represents
    return Verdict(decision, "TREAT", until, why, sight)


def joined(found: Iterable[Grounds]) -> Grounds:
    """The grounds of a write about several: an emergency before all, then what ties to people."""
    every = dict.fromkeys(found)
    purpose = "BTG" if any(grounds.purpose == "BTG" for grounds in every) else "TREAT"
    whys = dict.fromkeys(g.why for g in every if g.why != "reference")
    return Grounds(purpose, " ".join(whys) if whys else "reference")
