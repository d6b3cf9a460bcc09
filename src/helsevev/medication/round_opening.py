"""One patient's round as somebody opens it: read at once, decided and audited."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.history import History
from helsevev.access.permit import Permit
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.fhir import dates
from helsevev.fhir.reading import OSLO, full_name, mapping, moment, text
from helsevev.kit import clock
from helsevev.medication.round import BACK, Round, governing, leaves_of, round_of
from helsevev.medication.round_times import times_of
from helsevev.medication.timing import Standing

_ENDED: Final = ("completed", "cancelled", "entered-in-error", "draft")
_SLICES: Final = (
    Slice("Patient", 1), Slice("Encounter", 20), Slice("MedicationRequest", 300, _ENDED),
    Slice("MedicationAdministration", 300), Slice("Task", 50),
)  # fmt: skip
_MOST_VERSIONS: Final = 50


class OpenedRound(Struct, frozen=True):
    """One patient's round as somebody has opened it, and the orders that it was made of."""

    permit: Permit
    patient_id: str
    name: str
    birth_date: str
    sex: str
    round: Round
    orders: tuple[Mapping[str, Any], ...] = ()
    patient: Mapping[str, Any] = {}

    @property
    def href(self) -> str:
        """Where the doses are signed."""
        return f"/rounds/{self.patient_id}"


async def open_round(services: Services, actor: Actor, patient_id: str) -> OpenedRound:
    """One patient's round, decided and audited. Raises `Refused`."""
    now = clock.now()
    permit = await services.gate.open_chart(actor, patient_id, interaction="round")
    found = await services.gate.open_slices(permit, _SLICES, interaction="round")
    patient = next(iter(found["Patient"]), {})
    orders = governing(found["MedicationRequest"], found["Encounter"])
    histories = [await _history(services.history, actor, order, now) for order in orders]
    born = moment(patient.get("birthDate"))
    return OpenedRound(
        permit=permit,
        patient_id=patient_id,
        name=full_name(patient.get("name")),
        birth_date=born.text if born else "",
        sex=text(patient.get("gender")),
        round=round_of(
            histories, found["MedicationAdministration"], found["Task"],
            leaves_of(found["Encounter"]), now=now, zone=OSLO, times=times_of(actor.organisations),
        ),
        orders=tuple(orders),
        patient=patient,
    )  # fmt: skip


async def _history(history: History, actor: Actor, order: Any, now: datetime) -> list[Standing]:
    """The versions of an order that stood in the time that the round looks back on."""
    meta = mapping(order.get("meta"))
    said = dates.bounds(text(meta.get("lastUpdated")))
    since = dates.moment(said[0]) if said else now
    newest = Standing(since, order)
    if text(meta.get("versionId")) == "1" or since < now - BACK:
        return [newest]
    page = await history.of_instance(
        actor, "MedicationRequest", text(order.get("id")), count=_MOST_VERSIONS
    )
    earlier = [Standing(v.last_updated, {} if v.deleted else v.resource) for v in page.versions]
    return list(reversed(earlier)) or [newest]
