"""The patient that is written about, as the record was opened to whoever writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.access.draft import Draft
from helsevev.access.permit import Permit
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.content.packs.shelf import Shelf
from helsevev.documentation.note import Author
from helsevev.documentation.notes.offered import Offered, every_heading, offered
from helsevev.fhir.encounters import the_ongoing
from helsevev.fhir.reading import birth_date, full_name, reference_key

LEAST: Final = (Slice("Patient", 1), Slice("Encounter", 50), Slice("Composition", 10))


@dataclass(frozen=True, slots=True)
class Desk:
    """Who is written about, by the permit that opened the record, and what was read of it."""

    permit: Permit
    services: Services
    shelf: Shelf
    found: Mapping[str, Sequence[Mapping[str, Any]]]

    @property
    def actor(self) -> Actor:
        """Who writes."""
        return self.permit.actor

    @property
    def base(self) -> str:
        """The address of the chart."""
        return f"/patient/{self.permit.patient_id}"

    @property
    def patient(self) -> Mapping[str, Any]:
        """The Patient; empty when it is not shown."""
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
    def encounter(self) -> str | None:
        """The contact that goes on."""
        return the_ongoing(self.found.get("Encounter", ()))

    @property
    def notes(self) -> Sequence[Mapping[str, Any]]:
        """The newest notes."""
        return self.found.get("Composition", ())

    @property
    def kinds(self) -> list[Offered]:
        """What the actor writes by."""
        return offered(self.shelf, self.actor.profession)

    @property
    def headings(self) -> list[str]:
        """Every heading of the notes that the actor writes."""
        return every_heading(self.kinds)

    @property
    def author(self) -> Author:
        """The actor as a note's author."""
        actor = self.actor
        return Author(actor.id, actor.name, actor.organisation, actor.organisation_name)

    def is_about(self, resource: Mapping[str, Any]) -> bool:
        """Whether a resource is about this very patient."""
        return reference_key(resource.get("subject")) == f"Patient/{self.permit.patient_id}"

    async def draft(self, kind: str, key: str) -> Draft | None:
        """What the actor has written and not signed."""
        return await self.services.drafts.one(self.permit, kind, key)


async def open_desk(
    services: Services,
    actor: Actor,
    patient_id: str,
    slices: Sequence[Slice] = LEAST,
    *,
    interaction: str = "write",
) -> Desk:
    """Open a record to write in it, with some slices of it. Decided and audited; `Refused`."""
    permit, found = await services.gate.open_chart_at(
        actor, patient_id, slices, interaction=interaction, reading="form"
    )
    return Desk(permit, services, await services.packs.current(actor), found)
