"""Organisations and units changed by an administrator: each change one transaction, with its trace.

What a change does to those who work and are treated there is told before it is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.access.administration.keeping import SQL, Held, StaffKeeper, ended, now_text
from helsevev.access.errors import Conflict, Invalid, NotFound, PreconditionFailed
from helsevev.access.staff import name_of
from helsevev.access.unit_period import NUMBERS, end_text, ending, is_open, number_of
from helsevev.fhir import dates, identifiers
from helsevev.fhir.outcome import Issue, error
from helsevev.kit import clock
from helsevev.record.store import Stored

_LONGEST: Final = 200
CHANGED: Final = "Someone changed it since you opened the page. Look at it again."


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody with a role at a unit; times are None where there is no bound."""

    person: str
    name: str
    title: str
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Consequences:
    """What rests on a unit after a moment: roles there, inhabitants treated there, units below."""

    roles: tuple[Worker, ...]
    treated: Mapping[str, int]
    """How many inhabitants, by the type of what says so."""
    below: tuple[tuple[str, str], ...]
    """Id and name of units that are open."""

    @property
    def mark(self) -> str:
        """Stands for what was told, so that it is told anew when it is otherwise."""
        counts = " ".join(f"{kind}={count}" for kind, count in sorted(self.treated.items()))
        return f"{len(self.roles)} {len(self.below)} {counts}".strip()


@dataclass(frozen=True, slots=True)
class OneUnit:
    """An organisation or a unit as it stands; `end` is the day it closes, "" when it goes on."""

    id: str
    name: str
    number: str
    part_of: str
    part_of_name: str
    is_open: bool
    end: str
    version: int
    now: Consequences


class Units:
    """What administrators do to organisations and units. Every method decides; raises `Refused`."""

    def __init__(self, keeper: StaffKeeper) -> None:
        self._keeper = keeper

    async def may_change(self, actor: Actor) -> None:
        """That the actor may change units: asked before a form is read."""
        await self._keeper.decide(actor, "Organization")

    async def one(self, actor: Actor, unit_id: str) -> OneUnit:
        """One of them, with what rests on it now. Raises `NotFound`."""
        await self.may_change(actor)
        stored = await self._stored(unit_id)
        await self._keeper.trace(actor, "administer", stored.reference)
        unit, at = stored.resource, dates.microseconds(clock.now())
        parent = unit.get("partOf", {}).get("reference", "")
        above = (await self._keeper.read_many([parent])).get(parent) if parent else None
        return OneUnit(
            stored.id, unit.get("name", ""), number_of(unit), parent.partition("/")[2],
            "" if above is None else above.resource.get("name", ""), is_open(unit, at),
            end_text(unit), stored.version, await self._consequences(stored.reference, at),
        )  # fmt: skip

    async def closing(self, actor: Actor, unit_id: str, end: str) -> Consequences:
        """What closing a unit at a date would end or leave behind. Raises `Invalid`, `NotFound`."""
        await self.may_change(actor)
        stored = await self._stored(unit_id)
        moment, _ = _end_of_day(end)
        await self._keeper.trace(actor, "administer", stored.reference)
        return await self._consequences(stored.reference, moment)

    async def create(self, actor: Actor, name: str, part_of: str, number: str) -> str:
        """A new organisation, or a unit of one; its id. Raises `Invalid` with all that is wrong."""
        await self.may_change(actor)
        issues = await self._wrong(name, number)
        issues += await self._wrong_place(part_of)
        if issues:
            raise Invalid(issues)
        made = {"resourceType": "Organization", "active": True, "name": name.strip()}
        (stored,) = await self._write(actor, [_placed(_numbered(made, number), part_of)])
        return stored.id

    async def describe(
        self, actor: Actor, unit_id: str, name: str, number: str, version: int
    ) -> None:
        """Another name or number. Raises `Invalid`, `NotFound`, `Conflict`."""
        await self.may_change(actor)
        stored = await self._seen(unit_id, version)
        if issues := await self._wrong(name, number, stored.id):
            raise Invalid(issues)
        await self._write(actor, [_numbered({**stored.resource, "name": name.strip()}, number)])

    async def move(self, actor: Actor, unit_id: str, part_of: str, version: int) -> None:
        """Put it under another one, or by itself (""). Who works there or below signs in anew.

        Raises `Invalid`, `NotFound`, `Conflict`; `Refused` where the actor works there.
        """
        await self.may_change(actor)
        stored = await self._seen(unit_id, version)
        below = await self._below(stored.reference)
        await self._not_ones_own(actor, below)
        issues = await self._wrong_place(part_of)
        if f"Organization/{part_of}" in below:
            text = "A unit cannot be part of itself, or of what is below it."
            issues.append(error("business-rule", text, "part_of"))
        if issues:
            raise Invalid(issues)
        await self._write(actor, [_placed(stored.resource, part_of)])

    async def close(self, actor: Actor, unit_id: str, end: str, version: int, told: str) -> None:
        """Close it at the end of a day ("": now), and every role there with it.

        `told` is the mark of the consequences that the actor has seen. Raises `Invalid` where
        units below are open, `Conflict` where something is otherwise than it was told.
        """
        await self.may_change(actor)
        stored = await self._seen(unit_id, version)
        await self._not_ones_own(actor, [stored.reference])
        moment, text = _end_of_day(end)
        found = await self._consequences(stored.reference, moment)
        if found.below:
            raise Invalid([error("business-rule", "Close or move the units below first.", "end")])
        if found.mark != told:
            raise Conflict(CHANGED, stored)
        is_now = moment <= dates.microseconds(clock.now())
        closed = ending(stored.resource, text) | {"active": not is_now}
        roles = await self._roles_after(stored.reference, moment)
        await self._write(actor, [closed, *(_over(role, moment, text, is_now) for role in roles)])

    async def reopen(self, actor: Actor, unit_id: str, version: int) -> None:
        """Open it again, or let it go on; roles that have ended are given anew."""
        await self.may_change(actor)
        stored = await self._seen(unit_id, version)
        await self._write(actor, [ending(stored.resource, "") | {"active": True}])

    async def _not_ones_own(self, actor: Actor, units: Sequence[str]) -> None:
        """That the actor has no role there: what it reaches is for somebody else to change."""
        roles = await self._keeper.roles_of(actor.id)
        if any(role.unit in units for role in roles):
            await self._keeper.decide(actor, "PractitionerRole", actor.id)

    async def _consequences(self, reference: str, at: int) -> Consequences:
        rows = await self._keeper.database.fetch(SQL["roles_after"], [reference], at)
        held = [Held(*row) for row in rows]
        people = await self._keeper.read_many({role.person for role in held})
        workers = [
            Worker(
                role.person.partition("/")[2],
                name_of(people[role.person].resource) if role.person in people else "",
                role.title,
                None if role.start_at == dates.MIN else dates.moment(role.start_at),
                None if role.end_at == dates.MAX else dates.moment(role.end_at),
            )
            for role in held
        ]
        treated = await self._keeper.database.fetch(SQL["treated_after"], [reference], at)
        parts = await self._keeper.by_reference("Organization", "partof", [reference])
        return Consequences(
            tuple(sorted(workers, key=lambda each: (each.name, each.title))),
            {row["source_type"]: row["people"] for row in treated},
            tuple((p.id, p.resource.get("name", p.id)) for p in parts if is_open(p.resource, at)),
        )

    async def _roles_after(self, reference: str, at: int) -> list[dict[str, Any]]:
        rows = await self._keeper.database.fetch(SQL["roles_after"], [reference], at)
        found = await self._keeper.read_many(f"PractitionerRole/{row['id']}" for row in rows)
        return [role.resource for role in found.values()]

    async def _below(self, reference: str) -> list[str]:
        rows = await self._keeper.database.fetch(SQL["units_below"], reference)
        return [row["unit"] for row in rows]

    async def _wrong(self, name: str, number: str, own_id: str = "") -> list[Issue]:
        issues = []
        if not name.strip() or len(name) > _LONGEST or not name.isprintable():
            issues.append(error("required", "Say what the unit is called.", "name"))
        if not number:
            return issues
        system = _system_of(number)
        if system is None:
            text = "An organisation number has nine digits, a RESH id four to seven."
            return [*issues, error("value", text, "number")]
        others = await self._keeper.by_identifier("Organization", (system, number))
        if any(other.id != own_id for other in others):
            issues.append(error("duplicate", "Another unit has this number.", "number"))
        return issues

    async def _wrong_place(self, part_of: str) -> list[Issue]:
        if not part_of:
            return []
        reference = f"Organization/{part_of}"
        above = (await self._keeper.read_many([reference])).get(reference)
        if above is None:
            return [error("value", "Choose a unit of the list.", "part_of")]
        if not is_open(above.resource, dates.microseconds(clock.now())):
            return [error("business-rule", "That unit is closed.", "part_of")]
        return []

    async def _write(self, actor: Actor, entries: Sequence[dict[str, Any]]) -> list[Stored]:
        try:
            return await self._keeper.write(actor, entries)
        except PreconditionFailed as problem:
            raise Conflict(CHANGED, problem.current) from problem

    async def _stored(self, unit_id: str) -> Stored:
        found = await self._keeper.read("Organization", unit_id)
        if found is None:
            raise NotFound(f"Organization/{unit_id[:64]}")
        return found

    async def _seen(self, unit_id: str, version: int) -> Stored:
        found = await self._stored(unit_id)
        if found.version != version:
            raise Conflict(CHANGED, found)
        return found


def _system_of(number: str) -> str | None:
    if identifiers.organisation_number_fault(number) is None:
        return identifiers.ORGANISASJONSNUMMER
    is_resh = number.isascii() and number.isdigit() and 4 <= len(number) <= 7
    return identifiers.RESH_ID if is_resh else None


def _numbered(unit: Mapping[str, Any], number: str) -> dict[str, Any]:
    """The Organization with this number in place of its first one."""
    if number == number_of(unit):
        return dict(unit)
    kept = [i for i in unit.get("identifier", ())
            if not (i.get("system") in NUMBERS and i.get("value") == number_of(unit))]  # fmt: skip
    named = [{"system": _system_of(number), "value": number}] if number else []
    rest = {name: value for name, value in unit.items() if name != "identifier"}
    return rest | ({"identifier": [*named, *kept]} if named or kept else {})


def _placed(unit: Mapping[str, Any], part_of: str) -> dict[str, Any]:
    rest = {name: value for name, value in unit.items() if name != "partOf"}
    return rest | ({"partOf": {"reference": f"Organization/{part_of}"}} if part_of else {})


def _end_of_day(text: str) -> tuple[int, str]:
    """The moment after which a unit is closed, and how it is written. Raises `Invalid`."""
    now = clock.now()
    if not text:
        return dates.microseconds(now), now_text()
    bounds = dates.bounds(text) if len(text) == 10 else None
    if bounds is None or bounds[1] > dates.microseconds(now + timedelta(days=3660)):
        raise Invalid([error("value", "Give a date within ten years.", "end")])
    if bounds[1] <= dates.microseconds(now):
        raise Invalid([error("value", "That day has passed. Leave it empty for now.", "end")])
    return bounds[1], text


def _over(role: Mapping[str, Any], moment: int, text: str, is_now: bool) -> dict[str, Any]:
    """A role that ends with its unit; one that would begin after that never begins."""
    start = dates.bounds(role.get("period", {}).get("start", ""))
    if is_now or (start is not None and start[0] >= moment):
        return ended(role, now_text())
    return {**role, "period": {**role.get("period", {}), "end": text}}
