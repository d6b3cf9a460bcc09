"""The home visits of a day: whom, when, where, in the order that the visitor has chosen; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import quote

from msgspec import Struct

from helsevev.content.loading import ward
from helsevev.desk.ward import Resident
from helsevev.fhir.reading import (
    concept_text,
    concept_texts,
    moment,
    objects,
    reference_key,
    text,
)
from helsevev.patient.banner import address_protection, home_address, phone_number

_SHOWN: Final = frozenset({"booked", "pending", "arrived", "checked-in", "fulfilled", "noshow"})


class Visit(Struct, frozen=True, kw_only=True):
    """One visit; no address and no map where the address is protected."""

    id: str
    version: str
    who: Resident
    start: datetime
    end: datetime | None
    what: str
    instruction: str
    address: str
    phone: str
    is_protected: bool
    is_done: bool

    @property
    def map(self) -> str:
        """Where the address is shown on a map, "" without one."""
        return ward().map.place.format(address=quote(self.address)) if self.address else ""

    @property
    def phone_map(self) -> str:
        """The same for a phone's own map."""
        return ward().map.phone.format(address=quote(self.address)) if self.address else ""


def visits(
    people: Iterable[Resident], mine: Iterable[str], units: Iterable[str], day: date,
    order: Sequence[str],
) -> list[Visit]:  # fmt: skip
    """The visits of `day` that name me, or my unit and nobody else, in `order`, then by time."""
    own, ours = frozenset(mine), frozenset(units)
    found = [
        made
        for who in people
        for each in who.found.get("Appointment", ())
        if (made := _visit(each, who, own, ours, day)) is not None
    ]
    places = {key: place for place, key in enumerate(order)}
    found.sort(key=lambda visit: (places.get(visit.id, len(places)), visit.start))
    return found


def reordered(listed: Sequence[Visit], visit_id: str, by: int) -> list[str]:
    """The ids in the order after one has been moved `by` places (-1 up, 1 down)."""
    ids = [visit.id for visit in listed]
    if visit_id not in ids:
        return ids
    place = ids.index(visit_id)
    ids.insert(max(0, min(len(ids), place + by)), ids.pop(place))
    return ids


def _visit(
    appointment: Mapping[str, Any], who: Resident, own: frozenset[str], ours: frozenset[str],
    day: date,
) -> Visit | None:  # fmt: skip
    start, end = moment(appointment.get("start")), moment(appointment.get("end"))
    if start is None or start.day != day or appointment.get("status") not in _SHOWN:
        return None
    actors = {reference_key(each.get("actor")) for each in objects(appointment.get("participant"))}
    staff = {each for each in actors if each.startswith("Practitioner")}
    if not (staff & own or (not staff and actors & ours)):
        return None
    protected = bool(address_protection(who.patient))
    what = text(appointment.get("description")) or concept_text(appointment.get("appointmentType"))
    return Visit(
        id=text(appointment.get("id")),
        version=text((appointment.get("meta") or {}).get("versionId")),
        who=who, start=start.at, end=end.at if end else None,
        what=what or ", ".join(concept_texts(appointment.get("serviceType"))),
        instruction=text(appointment.get("patientInstruction")) or text(appointment.get("comment")),
        address="" if protected else home_address(who.patient),
        phone="" if protected else phone_number(who.patient),
        is_protected=protected,
        is_done=appointment.get("status") == "fulfilled",
    )  # fmt: skip
