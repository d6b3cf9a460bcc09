"""Those who stay in a unit, or whom it visits, as somebody who works there opens them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.errors import Refused
from helsevev.access.people import Found
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.fhir.encounters import ONGOING
from helsevev.fhir.reading import (
    birth_date,
    concept_texts,
    full_name,
    mapping,
    objects,
    reference_key,
    reference_text,
    start_and_end,
    text,
)
from helsevev.patient.banner import national_number

_AT_ONCE: Final = 4
_OF_STAYS: Final = frozenset({"IMP", "ACUTE", "NONAC", "OBSENC", "SS", "EMER"})


class Resident(Struct, frozen=True):
    """One whom the unit treats, what was read of them, and their stay; empty for none."""

    patient_id: str
    found: Mapping[str, Sequence[Mapping[str, Any]]]
    stay: Mapping[str, Any]

    @property
    def patient(self) -> Mapping[str, Any]:
        """The Patient."""
        return next(iter(self.found.get("Patient", ())), {})

    @property
    def name(self) -> str:
        """What the person is called."""
        return full_name(self.patient.get("name"))

    @property
    def birth_date(self) -> str:
        """The birth date as FHIR writes it, "" when unknown."""
        return birth_date(self.patient)

    @property
    def sex(self) -> str:
        """The administrative gender."""
        return text(self.patient.get("gender"))

    @property
    def number(self) -> str:
        """The national number."""
        return national_number(self.patient)[0]

    @property
    def bed(self) -> str:
        """The reference of the room or bed where they are now, "" when nobody wrote one."""
        return reference_key(mapping(self._place).get("location"))

    @property
    def bed_name(self) -> str:
        """What the room or bed is called, where the stay says it."""
        return reference_text(mapping(self._place).get("location"))

    @property
    def _place(self) -> Mapping[str, Any]:
        places = [p for p in objects(self.stay.get("location")) if p.get("status") != "completed"]
        return places[-1] if places else {}

    @property
    def since(self) -> datetime | None:
        """When the stay began."""
        start, _end = start_and_end(self.stay.get("period"))
        return start.at if start else None

    @property
    def reason(self) -> str:
        """Why they are here."""
        return ", ".join(concept_texts(self.stay.get("reasonCode"))) or ", ".join(
            concept_texts(self.stay.get("type"))
        )

    @property
    def responsible(self) -> str:
        """Who is responsible for the stay."""
        people = objects(self.stay.get("participant"))
        names = [reference_text(each.get("individual")) for each in people]
        return ", ".join(dict.fromkeys(name for name in names if name))


async def residents(
    services: Services, actor: Actor, slices: Sequence[Slice], interaction: str
) -> list[Resident]:
    """Those who stay in the actor's unit now, by name; nobody where it has no such stays."""
    found = await everyone(services, actor, slices, interaction)
    return [each for each in found if each.stay]


async def everyone(
    services: Services, actor: Actor, slices: Sequence[Slice], interaction: str
) -> list[Resident]:
    """Everybody whom the actor's unit treats now and whose record is open to them, by name."""
    people = [each for each in await services.people.mine(actor) if each.may_open]
    turns = asyncio.Semaphore(_AT_ONCE)
    wanted = (Slice("Patient", 1), Slice("Encounter", 30), *slices)

    async def one(person: Found) -> Resident | None:
        async with turns:
            try:
                _permit, found = await services.gate.open_chart_at(
                    actor, person.patient_id, wanted, interaction=interaction
                )
            except Refused:
                return None  # It was closed while the list was drawn.
        return Resident(person.patient_id, found, stay_at(found["Encounter"], actor))

    opened = [each for each in await asyncio.gather(*map(one, people)) if each is not None]
    return sorted(opened, key=lambda each: each.name.casefold())


async def resident(
    services: Services, actor: Actor, patient_id: str, slices: Sequence[Slice], interaction: str
) -> Resident:
    """One of them. Raises `Refused`."""
    wanted = (Slice("Patient", 1), Slice("Encounter", 30), *slices)
    _permit, found = await services.gate.open_chart_at(
        actor, patient_id, wanted, interaction=interaction
    )
    return Resident(patient_id, found, stay_at(found["Encounter"], actor))


def stay_at(encounters: Sequence[Mapping[str, Any]], actor: Actor) -> Mapping[str, Any]:
    """The stay that goes on in the actor's unit; empty when none does."""
    for each in encounters:
        provider = reference_key(each.get("serviceProvider"))
        kind = text(mapping(each.get("class")).get("code"))
        if each.get("status") in ONGOING and provider in actor.unit and kind in _OF_STAYS:
            return each
    return {}
