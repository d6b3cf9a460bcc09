"""Who works where: units as a tree, people with their roles, and who is signed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from helsevev.access.actor import Actor, actor_of
from helsevev.access.administration.keeping import SQL, Held, StaffKeeper, ended, now_text
from helsevev.access.errors import Conflict, Invalid, NotFound, PreconditionFailed
from helsevev.access.session import Credentials
from helsevev.access.staff import name_of
from helsevev.access.staff_standing import period_of, title_of
from helsevev.access.unit_period import end_of, end_text, is_open, number_of
from helsevev.content.loading import professions
from helsevev.fhir import dates, identifiers
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.search_query import normalize
from helsevev.kit import clock
from helsevev.record.store import Stored

MOST_FOUND: Final = 50
MOST_UNITS: Final = 20_000
MOST_SIGNED_IN: Final = 300


@dataclass(frozen=True, slots=True)
class Unit:
    """An organisation or a unit in the tree; `people` have a role right there now."""

    id: str
    name: str
    number: str
    depth: int
    active: bool
    people: int
    below: int
    end: str = ""
    """The day it closes; "" when it goes on."""


@dataclass(frozen=True, slots=True)
class RoleHeld:
    """A role of somebody's, with its unit's name; times are None where there is no bound."""

    id: str
    title: str
    unit_id: str
    unit_name: str
    start: datetime | None
    end: datetime | None
    holds: bool
    by_group: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works here."""

    id: str
    name: str
    hpr_number: str
    profession: str
    active: bool
    roles: tuple[RoleHeld, ...]
    past: tuple[RoleHeld, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """One browser in which somebody is signed in."""

    id: str
    person: str
    name: str
    role: str
    unit: str
    method: str
    created_at: datetime
    seen_at: datetime
    locked: bool


class Directory:
    """What administrators look at and change. Every method decides and traces; raises `Refused`."""

    def __init__(self, keeper: StaffKeeper, credentials: Credentials) -> None:
        self._keeper = keeper
        self._credentials = credentials

    async def may_change(self, actor: Actor, person_id: str = "") -> None:
        """That the actor may change who works here, or this person's roles: asked before a form."""
        about = f"Practitioner/{person_id}" if person_id else ""
        await self._keeper.decide(actor, "PractitionerRole", about)

    async def units(self, actor: Actor) -> list[Unit]:
        """Every organisation and unit, each under the one it is part of, by name."""
        await self._keeper.decide(actor, "Organization")
        await self._keeper.trace(actor, "administer", "Organization")
        rows = await self._keeper.every("Organization", MOST_UNITS)
        at = dates.microseconds(clock.now())
        counted = await self._keeper.database.fetch(SQL["people_in_units"], at)
        people = {row["unit"]: row["people"] for row in counted}
        return _tree([row.resource for row in rows], people)

    async def people(
        self, actor: Actor, words: str = "", unit: str = "", most: int = MOST_FOUND
    ) -> list[Person]:
        """Those who are called this: parts of names, or an HPR number; at one unit or at any."""
        await self._keeper.decide(actor, "PractitionerRole")
        await self._keeper.trace(actor, "administer", f"Practitioner?{unit}"[:200])
        compact = words.replace(" ", "")
        if compact.isascii() and compact.isdigit():
            found = await self._keeper.by_identifier(
                "Practitioner", (identifiers.HPR_NUMMER, compact)
            )
            return await self._told(found[:most])
        parts = [part.replace("%", "").replace("_", "") for part in normalize(words).split()]
        units = [f"Organization/{unit}"] if unit else None
        rows = await self._keeper.database.fetch(SQL["find_staff"], parts, units, most)
        there = await self._keeper.read_many(f"Practitioner/{row['id']}" for row in rows)
        named = [f"Practitioner/{row['id']}" for row in rows]
        return await self._told([there[each] for each in named if each in there])

    async def person(self, actor: Actor, person_id: str) -> Person:
        """One of them, with roles that have ended too. Raises `NotFound`."""
        await self._keeper.decide(actor, "PractitionerRole")
        stored = await self._practitioner(person_id)
        await self._keeper.trace(actor, "administer", stored.reference)
        (told,) = await self._told([stored], past=True)
        return told

    async def titles(self) -> list[str]:
        """What roles are called here, the most usual first, and those that rules look at."""
        rows = await self._keeper.database.fetch(SQL["titles"], 200)
        return list(dict.fromkeys([*(row["title"] for row in rows), *professions().position]))

    async def add_role(
        self, actor: Actor, person_id: str, unit: str, title: str, start: str, end: str
    ) -> None:
        """Give somebody a role at a unit; `start` and `end` are dates, "" for now and no end.

        Raises `Invalid` with all that is wrong, `NotFound`.
        """
        await self._keeper.decide(actor, "PractitionerRole", f"Practitioner/{person_id}")
        stored = await self._practitioner(person_id)
        issues = _wrong(title, start, end)
        units = await self._keeper.read_many([f"Organization/{unit}"]) if unit else {}
        if not units:
            issues.append(error("required", "Choose a unit of the list.", "unit"))
        else:
            (there,) = units.values()
            issues += _outlasts(there.resource, start, end)
        if not stored.resource.get("active", True):
            issues.append(error("business-rule", "This person no longer works here.", "title"))
        if issues:
            raise Invalid(issues)
        period = {"start": start or now_text(), **({"end": end} if end else {})}
        await self._keeper.write(actor, [{
            "resourceType": "PractitionerRole", "active": True, "period": period,
            "practitioner": {"reference": stored.reference, "display": name_of(stored.resource)},
            "organization": {
                "reference": f"Organization/{unit}",
                "display": units[f"Organization/{unit}"].resource.get("name", unit),
            },
            "code": [{"text": title.strip()}],
        }])  # fmt: skip

    async def end_role(self, actor: Actor, person_id: str, role_id: str) -> None:
        """End a role now, and all that rests on it. Raises `NotFound`."""
        await self._keeper.decide(actor, "PractitionerRole", f"Practitioner/{person_id}")
        role = await self._keeper.read("PractitionerRole", role_id)
        held = {} if role is None else role.resource.get("practitioner", {})
        if role is None or held.get("reference") != f"Practitioner/{person_id}":
            raise NotFound(f"PractitionerRole/{role_id[:64]}")
        await self._write(actor, [ended(role.resource, now_text())])

    async def withdraw(self, actor: Actor, person_id: str) -> None:
        """Somebody no longer works here: every role, session and token ends now."""
        await self._keeper.decide(actor, "Practitioner", f"Practitioner/{person_id}")
        stored = await self._practitioner(person_id)
        roles = await self._keeper.by_reference(
            "PractitionerRole", "practitioner", [stored.reference]
        )
        over = [ended(r.resource, now_text()) for r in roles if r.resource.get("active", True)]
        await self._write(actor, [{**stored.resource, "active": False}, *over])

    async def take_back(self, actor: Actor, person_id: str) -> None:
        """Somebody works here again; roles are given anew."""
        await self._keeper.decide(actor, "Practitioner", f"Practitioner/{person_id}")
        stored = await self._practitioner(person_id)
        await self._write(actor, [{**stored.resource, "active": True}])

    async def signed_in(self, actor: Actor) -> list[SignedIn]:
        """The browsers in which staff are signed in, last used first; no inhabitants."""
        await self._keeper.decide(actor, "session")
        await self._keeper.trace(actor, "administer", "sessions")
        rows = await self._keeper.given_out.fetch(SQL["signed_in"], clock.now(), MOST_SIGNED_IN)
        found = []
        for row in rows:
            who = actor_of(row["actor"])
            if who.kind == "practitioner":
                found.append(SignedIn(
                    row["id"], row["person"], who.name, who.role, who.unit_name, row["method"],
                    row["created_at"], row["seen_at"], row["locked_at"] is not None,
                ))  # fmt: skip
        return found

    async def end_sessions(self, actor: Actor, person_id: str) -> int:
        """Sign a member of staff out everywhere; how many sessions that ended."""
        await self._keeper.decide(actor, "session")
        person = f"Practitioner/{person_id}"
        await self._keeper.trace(actor, "end-sessions", person, action="write")
        return await self._credentials.end_sessions_of(person)

    async def _write(self, actor: Actor, entries: Sequence[dict[str, Any]]) -> None:
        try:
            await self._keeper.write(actor, entries)
        except PreconditionFailed as problem:
            raise Conflict("Someone wrote at the same moment.", problem.current) from problem

    async def _practitioner(self, person_id: str) -> Stored:
        found = await self._keeper.read("Practitioner", person_id)
        if found is None:
            raise NotFound(f"Practitioner/{person_id[:64]}")
        return found

    async def _told(self, people: Sequence[Stored], *, past: bool = False) -> list[Person]:
        references = [stored.reference for stored in people]
        found = await self._keeper.by_reference("PractitionerRole", "practitioner", references)
        named = {role.resource.get("organization", {}).get("reference", "") for role in found}
        units = await self._keeper.read_many(named)
        at, roles = dates.microseconds(clock.now()), dict[str, list[tuple[bool, RoleHeld]]]()
        for role in sorted(found, key=lambda each: each.last_updated, reverse=True):
            person = role.resource["practitioner"]["reference"]
            roles.setdefault(person, []).append(role_told(role, units, at))
        return [
            Person(
                stored.id, name_of(stored.resource), _number(stored.resource),
                profession_of(stored.resource), stored.resource.get("active", True),
                tuple(role for active, role in roles.get(stored.reference, ()) if active),
                tuple(role for active, role in roles.get(stored.reference, ())
                      if past and not active),
            )
            for stored in people
        ]  # fmt: skip


def role_told(role: Stored, units: dict[str, Stored], at: int) -> tuple[bool, RoleHeld]:
    """Whether a role is active and not over, and how it is told."""
    resource = role.resource
    start, end = period_of(resource)
    reference = resource.get("organization", {}).get("reference", "")
    unit = units.get(reference)
    there = unit.resource.get("name", "") if unit else ""
    name = there or resource.get("organization", {}).get("display", "")
    held = Held(role.id, "", reference, title_of(resource), start, end)
    active = resource.get("active", True)
    told = RoleHeld(
        role.id, held.title, reference.partition("/")[2],
        name,
        None if start == dates.MIN else dates.moment(start),
        None if end == dates.MAX else dates.moment(end),
        active and held.holds(at),
        any("role-group" in i.get("system", "") for i in resource.get("identifier", ())),
    )  # fmt: skip
    return active and end > at, told


def profession_of(practitioner: dict[str, Any]) -> str:
    """What somebody is authorised as, in words; "" when nothing is registered."""
    for qualification in practitioner.get("qualification", ()):
        concept = qualification.get("code", {})
        codings = concept.get("coding", [{}])
        if any(c.get("system") == professions().system for c in codings):
            return str(concept.get("text") or codings[0].get("display") or codings[0].get("code"))
    return ""


def _number(practitioner: dict[str, Any]) -> str:
    known = (i for i in practitioner.get("identifier", ())
             if i.get("system") == identifiers.HPR_NUMMER)  # fmt: skip
    return str(next((each.get("value", "") for each in known), ""))


def _wrong(title: str, start: str, end: str) -> list[Issue]:
    issues = []
    if not title.strip() or len(title) > 100 or not title.isprintable():
        issues.append(error("required", "Say what the role is called.", "title"))
    for where, text in (("start", start), ("end", end)):
        if text and (len(text) != 10 or dates.bounds(text) is None):
            issues.append(error("value", "Give a date.", where))
    if not issues and end and end < (start or clock.now().date().isoformat()):
        issues.append(error("value", "The role ends before it begins.", "end"))
    return issues


def _outlasts(unit: dict[str, Any], start: str, end: str) -> list[Issue]:
    """What is wrong with a role for longer than its unit is there."""
    at = dates.microseconds(clock.now())
    if not is_open(unit, at):
        return [error("business-rule", "That unit is closed.", "unit")]
    closes = end_of(unit)
    last = dates.bounds(end or start)
    if closes != dates.MAX and (not end or last is None or last[1] > closes):
        text = "The unit closes: give the role an end on or before that day."
        return [error("business-rule", text, "end")]
    return []


def _tree(rows: Sequence[dict[str, Any]], people: dict[str, int]) -> list[Unit]:
    """Parents before their parts, each level by name; a circle is broken where it is met first."""
    known = {row["id"]: row for row in rows}
    parts: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        parent = row.get("partOf", {}).get("reference", "").partition("/")[2]
        parts.setdefault(parent if parent in known else "", []).append(row)
    found: list[Unit] = []
    at = dates.microseconds(clock.now())
    seen: set[str] = set()

    def add(row: dict[str, Any], depth: int) -> int:
        if row["id"] in seen:
            return 0
        seen.add(row["id"])
        place = len(found)
        here = people.get(f"Organization/{row['id']}", 0)
        found.append(Unit(row["id"], row.get("name", ""), "", depth, True, here, 0))
        below = sum(add(part, depth + 1) for part in _by_name(parts.get(row["id"], [])))
        found[place] = Unit(
            row["id"], row.get("name", row["id"]), number_of(row), depth, is_open(row, at), here,
            below, end_text(row),
        )  # fmt: skip
        return here + below

    for row in [*_by_name(parts.get("", [])), *rows]:
        add(row, 0)
    return found


def _by_name(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row.get("name", ""), row["id"]))
