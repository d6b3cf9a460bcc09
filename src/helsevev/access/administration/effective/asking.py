"""Who has what, and what came and went, for those who look after access: decided and traced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from helsevev.access.actor import Actor
from helsevev.access.administration.effective.rights import difference, rows_of
from helsevev.access.administration.effective.standing import (
    Holding,
    Standing,
    moment_of,
    narrowed,
    standing_at,
)
from helsevev.access.administration.effective.working_out import EffectiveAccess, Row
from helsevev.access.administration.keeping import SQL, StaffKeeper
from helsevev.access.errors import Invalid
from helsevev.fhir import dates
from helsevev.fhir.outcome import Issue, error
from helsevev.kit import clock

REACHED: Final = ("reaches-personally", "reaches-by-unit", "reaches-by-organisation")
"""Columns with how many inhabitants a role reaches by each relation."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom somebody asks about: a person, a unit with all below it, a role or a profession.

    "" is everybody. `on` is a date or a moment, "" for now; `since` another one before it, for
    what has changed.
    """

    person: str = ""
    unit: str = ""
    role: str = ""
    on: str = ""
    since: str = ""

    @property
    def who(self) -> dict[str, str]:
        """Whom it is about."""
        return {"person": self.person, "unit": self.unit, "role": self.role}


@dataclass(frozen=True, slots=True)
class Told:
    """The rows, the moments they are about, and the units that were there, by id."""

    rows: list[Row]
    at: datetime
    since: datetime | None
    units: dict[str, str]


async def told(keeper: StaffKeeper, actor: Actor, asked: Asked) -> Told:
    """Who has what at a moment, or what has come and gone since another one.

    Raises `Refused` (audited), and `Invalid` for dates that are none.
    """
    await EffectiveAccess(keeper).may_look(actor)
    at, since = _moments(asked)
    named = " ".join(each for each in (asked.person, asked.unit, asked.role) if each)
    what = "access-difference" if since else "effective-access"
    await keeper.trace(
        actor, what, f"{named or 'everybody'} {asked.since} {asked.on}".strip()[:200]
    )
    after = await standing_at(keeper.database, at)
    units = {reference.partition("/")[2]: name for reference, name in after.units.items()}
    if since is not None:
        before = await standing_at(keeper.database, since)
        return Told(difference(before, after, **asked.who), at, since, units)
    return Told(await _with_reach(keeper, after, asked), at, None, units)


def _moments(asked: Asked) -> tuple[datetime, datetime | None]:
    now, issues = clock.now(), list[Issue]()
    found: dict[str, datetime] = {}
    for name, text in (("on", asked.on), ("since", asked.since)):
        try:
            found[name] = moment_of(text, now)
        except ValueError as problem:
            issues.append(error("value", str(problem), name))
    if not issues and asked.since and found["since"] > found["on"]:
        issues.append(error("value", "The first date is after the second.", "since"))
    if issues:
        raise Invalid(issues)
    return found["on"], found["since"] if asked.since else None


async def _with_reach(keeper: StaffKeeper, standing: Standing, asked: Asked) -> list[Row]:
    """The rows, with how many inhabitants each role reaches; shared units are counted once."""
    held = narrowed(standing.held, **asked.who)
    at = dates.microseconds(standing.at)
    personal = await _reached(keeper, at, [(ref, _role(e)) for e in held for ref in e.actor.person])
    units = {each.actor.organisations[0] for each in held}
    here = await _reached(keeper, at, [(each, each) for each in sorted(units)])
    chains = {_chain(each): each.actor.organisations[1:] for each in held}
    above = await _reached(
        keeper, at, [(unit, chain) for chain, line in chains.items() for unit in line]
    )
    told_rows = []
    for each in held:
        (row,) = rows_of([each])
        counts = (personal.get(_role(each), 0), here.get(each.actor.organisations[0], 0),
                  above.get(_chain(each), 0))  # fmt: skip
        told_rows.append(row | {n: str(c) for n, c in zip(REACHED, counts, strict=True)})
    return sorted(told_rows, key=lambda row: (row["unit"], row["name"], row["role"]))


async def _reached(
    keeper: StaffKeeper, at: int, holders: Sequence[tuple[str, str]]
) -> dict[str, int]:
    if not holders:
        return {}
    references, names = zip(*holders, strict=True)
    rows = await keeper.database.fetch(SQL["reach_of_each"], references, at, names)
    return {row["holder"]: row["people"] for row in rows}


def _role(held: Holding) -> str:
    return held.actor.practitioner_role or held.actor.id


def _chain(held: Holding) -> str:
    return " ".join(held.actor.organisations[1:])
