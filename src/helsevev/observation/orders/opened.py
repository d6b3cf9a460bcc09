"""One patient's orders as somebody opens them, and the units that examinations are sent to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.access.permit import Permit
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.content.packs.orders import Orders
from helsevev.fhir.encounters import the_ongoing
from helsevev.fhir.reading import birth_date, full_name, text
from helsevev.fhir.search_query import parse
from helsevev.follow_up.coding import Who
from helsevev.observation.orders.catalogue import Catalogue
from helsevev.observation.orders.standing import Placing, placings, standing_orders

_ORDERS: Final = 200
_SLICES: Final = (
    Slice("Patient", 1), Slice("Encounter", 50), Slice("ServiceRequest", _ORDERS),
    Slice("Task", 300), Slice("Specimen", _ORDERS), Slice("DiagnosticReport", _ORDERS),
)  # fmt: skip
_UNITS: Final = 40


@dataclass(frozen=True, slots=True)
class OpenedOrders:
    """A patient's orders, and everything that can be ordered for them now."""

    permit: Permit
    name: str
    birth_date: str
    encounter: str | None
    catalogue: Catalogue
    found: Mapping[str, Sequence[Mapping[str, Any]]]

    @property
    def patient_id(self) -> str:
        """Whose orders they are."""
        return self.permit.patient_id

    @property
    def base(self) -> str:
        """The address of the chart."""
        return f"/patient/{self.permit.patient_id}"

    @property
    def placings(self) -> list[Placing]:
        """What was ordered, as it was ordered together."""
        return placings(
            self.found["ServiceRequest"], self.found["Task"], self.found["Specimen"],
            self.found["DiagnosticReport"],
        )  # fmt: skip

    @property
    def standing(self) -> dict[str, str]:
        """Keys and codes of what is ordered and not answered, with when it was ordered."""
        return standing_orders(self.found["ServiceRequest"])


async def open_orders(
    services: Services, actor: Actor, patient_id: str, *, measured: int = 0
) -> OpenedOrders:
    """Open them, decided and audited, with so many of the newest measurements. Raises `Refused`."""
    slices = (*_SLICES, *((Slice("Observation", measured),) if measured else ()))
    permit, found = await services.gate.open_chart_at(
        actor, patient_id, slices, interaction="orders"
    )
    patient = next(iter(found["Patient"]), {})
    return OpenedOrders(
        permit=permit,
        name=full_name(patient.get("name")),
        birth_date=birth_date(patient),
        encounter=the_ongoing(found["Encounter"]),
        catalogue=Catalogue(await services.packs.current()),
        found=found,
    )


async def units_for(services: Services, actor: Actor, of: Orders) -> list[Who]:
    """The units whose names say that they do what a catalogue holds, by name."""
    if not of.place:
        return []
    asked = [("name:contains", ",".join(of.place)), ("_count", str(_UNITS))]
    page = await services.searcher.search(actor, parse("Organization", asked, base=""))
    units = [
        Who(f"Organization/{stored.id}", text(stored.resource.get("name")))
        for stored in page.matches
        if stored.resource.get("active") is not False
    ]
    return sorted(units, key=lambda unit: unit.name.casefold())
