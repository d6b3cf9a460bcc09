"""Who held which role at a moment, as the record knew it then: from every version of what it says.

A date that has passed is answered from what stood then, not from what stands now of that time; a
date to come from what stands now. Access that was taken back later is still told where it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.access.administration.keeping import PLACES, SQL
from helsevev.access.staff import MOST_PARENTS, name_of, profession_in
from helsevev.access.staff_standing import period_of, title_of
from helsevev.access.unit_period import is_open
from helsevev.fhir import dates
from helsevev.record.database import Database
from helsevev.record.store import Stored

_TYPES: Final = ("Practitioner", "PractitionerRole", "Organization")
Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Holding:
    """Somebody in a role at a unit, from when until when. Times in microseconds since 1970."""

    actor: Actor
    start: int
    end: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two holdings the same: who, as what and where."""
        return self.actor.id, self.actor.role, (self.actor.unit or ("",))[0]


@dataclass(frozen=True, slots=True)
class Ended:
    """When a role that is over ended."""

    key: tuple[str, str, str]
    at: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Everybody who held a role at a moment, when others had ended, and what units there were."""

    at: datetime
    held: tuple[Holding, ...]
    ended: tuple[Ended, ...]
    units: Mapping[str, str]
    """Names of organisations and units that were open, by reference."""


@dataclass(frozen=True, slots=True)
class _Known:
    people: Mapping[str, Resource]
    roles: Mapping[str, Resource]
    units: Mapping[str, Resource]


def moment_of(text: str, now: datetime) -> datetime:
    """The end of a day, or the moment, that `text` names; `now` for "" and for today.

    Raises `ValueError` when it names none.
    """
    if not text:
        return now
    found = dates.bounds(text)
    if found is None or len(text) < 10:
        raise ValueError("Give a date such as 2026-11-22.")
    low, high = found
    at = dates.microseconds(now)
    if low <= at < high:
        return now
    return dates.moment(high - 1)


async def standing_at(database: Database, at: datetime) -> Standing:
    """Who held which role at a moment."""
    known = await _known(database, at)
    moment = dates.microseconds(at)
    held, ended = [], []
    for name, role in known.roles.items():
        start, end = period_of(role)
        person = known.people.get(role.get("practitioner", {}).get("reference", ""))
        unit = role.get("organization", {}).get("reference", "")
        lineage = _lineage(known.units, unit)
        if person is None or not lineage:
            continue
        actor = _actor(person, role, name, lineage)
        works = person.get("active", True) and is_open(known.units[unit], moment)
        if role.get("active", True) and start <= moment < end and works:
            held.append(Holding(actor, start, end))
        elif start <= moment:
            ended.append(Ended(Holding(actor, start, end).key, min(end, moment)))
    open_units = {
        reference: str(unit.get("name", ""))
        for reference, unit in known.units.items() if is_open(unit, moment)
    }  # fmt: skip
    return Standing(at, tuple(held), tuple(ended), open_units)


async def _known(database: Database, at: datetime) -> _Known:
    found: dict[str, dict[str, Resource]] = {kind: {} for kind in _TYPES}
    for kind in _TYPES:
        for row in await database.fetch(SQL["staff_at"], PLACES, kind, at):
            stored = Stored(*row)
            if not stored.deleted:
                found[kind][stored.reference] = stored.resource
    return _Known(*(found[kind] for kind in _TYPES))


def _lineage(units: Mapping[str, Resource], reference: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    while reference in units and len(found) < MOST_PARENTS:
        found.append((reference, str(units[reference].get("name", ""))))
        reference = units[reference].get("partOf", {}).get("reference", "")
    return found


def _actor(
    person: Resource, role: Resource, reference: str, lineage: list[tuple[str, str]]
) -> Actor:
    title = title_of(role)
    return Actor(
        kind="practitioner", id=f"Practitioner/{person['id']}", name=name_of(person),
        profession=profession_in(person, title), role=title, organisation=lineage[-1][0],
        organisation_name=lineage[-1][1], unit_name=lineage[0][1],
        organisations=tuple(each for each, _ in lineage), practitioner_role=reference,
    )  # fmt: skip


def narrowed(
    held: Iterable[Holding], *, person: str = "", unit: str = "", role: str = ""
) -> list[Holding]:
    """Those of a person (an id), at a unit or below it (an id), or in a role or profession."""
    wanted = role.strip().casefold()
    return [
        each for each in held
        if (not person or each.actor.id == f"Practitioner/{person}")
        and (not unit or f"Organization/{unit}" in each.actor.organisations)
        and (not wanted or wanted in (each.actor.role.casefold(), each.actor.profession))
    ]  # fmt: skip
