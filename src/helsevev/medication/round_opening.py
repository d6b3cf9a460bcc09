"""One patient's round as somebody opens it: read at once, decided and audited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.history import History
from helsevev.access.permit import Permit
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.fhir import dates
from helsevev.fhir.encounters import ONGOING
from helsevev.fhir.reading import (
    OSLO,
    birth_date,
    codes,
    full_name,
    mapping,
    objects,
    reference_key,
    reference_text,
    text,
)
from helsevev.kit import clock
from helsevev.medication.leave import leaves_of
from helsevev.medication.round import BACK, Round, governing, round_of
from helsevev.medication.round_times import times_history
from helsevev.medication.timing import Standing

_ENDED: Final = ("completed", "cancelled", "entered-in-error", "draft")
_SLICES: Final = (
    Slice("Patient", 1), Slice("Encounter", 20), Slice("MedicationRequest", 300, _ENDED),
    Slice("MedicationAdministration", 300), Slice("Task", 50),
)  # fmt: skip
INPATIENT: Final = "IMP"
_MOST_VERSIONS: Final = 50


class OpenedRound(Struct, frozen=True):
    """One patient's round as somebody has opened it, and the orders that it was made of."""

    permit: Permit
    patient_id: str
    name: str
    birth_date: str
    sex: str
    unit: str
    room: str
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
    permit, found = await services.gate.open_chart_at(
        actor, patient_id, _SLICES, interaction="round"
    )
    patient = next(iter(found["Patient"]), {})
    orders = governing(found["MedicationRequest"], found["Encounter"])
    histories = [await _history(services.history, actor, order, now) for order in orders]
    stays = [await _history(services.history, actor, stay, now)
             for stay in found["Encounter"] if _may_tell_of_leave(stay)]  # fmt: skip
    # Where the patient is decides, and only then from where they are looked at.
    units = dict.fromkeys((*map(_provider, _stays(found["Encounter"])), *actor.organisations))
    times = times_history([u for u in units if u], await services.unit_times.known())
    return OpenedRound(
        permit=permit,
        patient_id=patient_id,
        name=full_name(patient.get("name")),
        birth_date=birth_date(patient),
        sex=text(patient.get("gender")),
        unit=await _unit(services, actor, found["Encounter"]),
        room=await _room(services, actor, found["Encounter"]),
        round=round_of(
            histories, found["MedicationAdministration"], found["Task"],
            leaves_of(stays), now=now, zone=OSLO, times=times,
        ),
        orders=tuple(orders),
        patient=patient,
    )  # fmt: skip


async def _unit(services: Services, actor: Actor, contacts: Sequence[Mapping[str, Any]]) -> str:
    """What the unit of the stay that goes on is called; "" outside of a stay."""
    units = [stay.get("serviceProvider") for stay in _stays(contacts)]
    if any(reference_key(each) in actor.unit for each in units):
        return actor.unit_name
    return await _called(services, actor, units)


async def _room(services: Services, actor: Actor, contacts: Sequence[Mapping[str, Any]]) -> str:
    """What the room or bed of the stay that goes on is called."""
    places = [place for stay in _stays(contacts) for place in objects(stay.get("location"))]
    current = [each for each in places if each.get("status") in (None, "active")]
    # The narrowest is written last: the ward, the room, the bed.
    return await _called(services, actor, [each.get("location") for each in reversed(current)])


def _provider(stay: Mapping[str, Any]) -> str:
    return reference_key(stay.get("serviceProvider"))


def _stays(contacts: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [each for each in contacts
            if each.get("status") in ONGOING and INPATIENT in codes(each.get("class"))]  # fmt: skip


async def _called(services: Services, actor: Actor, named: Sequence[object]) -> str:
    """The name of the first that is named."""
    for reference in named:
        if name := reference_text(reference):
            return name
        kind, _sep, key = reference_key(reference).partition("/")
        if not key:
            continue
        there = await services.gate.open_many(actor, [(kind, key)], interaction="names")
        if name := text(there.get((kind, key), {}).get("name")):
            return name
    return ""


def _may_tell_of_leave(stay: Mapping[str, Any]) -> bool:
    """Whether a contact is one that patients go on leave from."""
    return INPATIENT in codes(stay.get("class")) and stay.get("status") != "planned"


async def _history(
    history: History, actor: Actor, resource: Mapping[str, Any], now: datetime
) -> list[Standing]:
    """The versions of a resource that stood in the time that the round looks back on."""
    meta = mapping(resource.get("meta"))
    said = dates.bounds(text(meta.get("lastUpdated")))
    since = dates.moment(said[0]) if said else now
    newest = Standing(since, resource)
    if text(meta.get("versionId")) == "1" or since < now - BACK:
        return [newest]
    page = await history.of_instance(
        actor, text(resource["resourceType"]), text(resource.get("id")), count=_MOST_VERSIONS
    )
    earlier = [Standing(v.last_updated, {} if v.deleted else v.resource) for v in page.versions]
    return list(reversed(earlier)) or [newest]
