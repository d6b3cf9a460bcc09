"""From a provider's claims to whom the record knows: a Practitioner's roles, or one inhabitant."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from helsevev.access import staff
from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.gate import Gate
from helsevev.access.identity.claims import InhabitantClaims, StaffClaims
from helsevev.access.identity.refusals import LoginRefused
from helsevev.access.searching import Searcher
from helsevev.fhir import dates
from helsevev.fhir.identifiers import HPR_NUMMER, ORGANISASJONSNUMMER, PERSON_SYSTEMS
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.record.wall import beyond

UNKNOWN_HPR: Final = "HPR number %s is not registered among those who work here."
WITHDRAWN: Final = "The authorisation of HPR number %s is withdrawn or has ended."
NO_ROLE: Final = "HPR number %s has no active role here. Ask your manager to register one."
NO_ROLE_THERE: Final = "HPR number %s has no active role at the organisation you signed in for."
UNKNOWN_INHABITANT: Final = "There is no record here for your national identity number."
SEVERAL_RECORDS: Final = "Your number stands in several records. Those who run this must mend it."
_MOST_ROLES: Final = 40


class Matcher:
    """Looks people up in the record by the numbers that providers vouch for."""

    def __init__(self, gate: Gate, searcher: Searcher) -> None:
        self._store = gate.store
        self._searcher = searcher

    async def staff(self, claims: StaffClaims) -> list[Actor]:
        """Everyone this person can be at work: one actor for each active role, by unit's name.

        Only roles at or below the organisation that the sign-in is for, when it names one. Raises
        `LoginRefused` for a number that is unknown or withdrawn, or has no role.
        """
        number = claims.hpr_number
        found = await self._match("Practitioner", f"identifier={HPR_NUMMER}|{number}")
        if not found:
            raise LoginRefused(UNKNOWN_HPR, "unknown HPR number", about=number)
        person = f"Practitioner/{found[0]['id']}"
        now = clock.now()
        if len(found) > 1 or not _is_authorised(found[0], now):
            raise LoginRefused(WITHDRAWN, "withdrawn", about=number, person=person)
        actors = await self.roles_of(person)
        if not actors:
            raise LoginRefused(NO_ROLE, "no active role", about=number, person=person)
        wanted = claims.unit or claims.organisation
        if wanted:
            actors = await self._within(actors, wanted)
        if not actors:
            raise LoginRefused(
                NO_ROLE_THERE, f"no role at {wanted}"[:60], about=number, person=person
            )
        return actors

    async def roles_of(self, person: str) -> list[Actor]:
        """The actors of a Practitioner's roles that are active now, by unit's name."""
        now = clock.now()
        rows = await self._match("PractitionerRole", f"practitioner={person}", _MOST_ROLES)
        active = [row for row in rows if _is_active(row, now)]
        actors = [await staff.actor_of_role(self._store, row["id"]) for row in active]
        return sorted((a for a in actors if a is not None), key=lambda a: (a.unit_name, a.role))

    async def inhabitant(self, claims: InhabitantClaims) -> Actor:
        """The inhabitant with exactly this national number. Raises `LoginRefused`."""
        number = claims.national_number
        # The same eleven digits can be somebody else's number only in another system.
        found = [
            row
            for system in PERSON_SYSTEMS[:2]
            for row in await self._match("Patient", f"identifier={system}|{number}")
            if row.get("active", True) and not _is_replaced(row)
        ]
        if not found:
            raise LoginRefused(UNKNOWN_INHABITANT, "no such inhabitant")
        if len(found) > 1:
            raise LoginRefused(SEVERAL_RECORDS, "several records with the number")
        (patient,) = found
        reference = f"Patient/{patient['id']}"
        return Actor(
            kind="inhabitant", id=reference, name=staff.name_of(patient), profession="inhabitant",
            role=_("Inhabitant"), patient=reference, assurance="high",
        )  # fmt: skip

    async def _match(self, kind: str, query: str, most: int = 3) -> list[dict[str, Any]]:
        # Who signs in is nobody yet, and has no ties.
        with beyond():
            found = await self._searcher.match(SYSTEM, kind, query, most)
            return [stored.resource for stored in found]

    async def _within(self, actors: list[Actor], number: str) -> list[Actor]:
        found = await self._match("Organization", f"identifier={ORGANISASJONSNUMMER}|{number}")
        there = {f"Organization/{row['id']}" for row in found}
        return [actor for actor in actors if there.intersection(actor.organisations)]


def _is_active(role: dict[str, Any], now: datetime) -> bool:
    return role.get("active", True) and _is_now(role.get("period", {}), now)


def _is_authorised(practitioner: dict[str, Any], now: datetime) -> bool:
    """Active, and with an authorisation that has not ended where any is registered."""
    if not practitioner.get("active", True):
        return False
    periods = [each.get("period", {}) for each in practitioner.get("qualification", ())]
    return not periods or any(_is_now(period, now) for period in periods)


def _is_now(period: dict[str, Any], now: datetime) -> bool:
    moment = dates.microseconds(now)
    start, end = dates.bounds(period.get("start", "")), dates.bounds(period.get("end", ""))
    return (start is None or start[0] <= moment) and (end is None or moment < end[1])


def _is_replaced(patient: dict[str, Any]) -> bool:
    return any(link.get("type") == "replaced-by" for link in patient.get("link", ()))
