"""Acting for somebody else: whom an inhabitant may act for now, who acts for them, and its end.

Pasient- og brukerrettighetsloven §§ 3-4 and 4-4, helsepersonelloven § 22, the act on guardianship
§ 32; who acts for whom comes from RelatedPerson.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.errors import NotFound
from helsevev.access.gate import Gate, author_of
from helsevev.access.representing import POWER_OF_ATTORNEY, representations
from helsevev.access.slices import Slice
from helsevev.access.writing import Writer
from helsevev.fhir import dates
from helsevev.fhir.reading import full_name
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.audit import audit_row
from helsevev.record.statements import load
from helsevev.record.store import Stored

_ACCESS: Final = load("access")
_PEOPLE: Final = load("people")
_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Represented:
    """Somebody whom an inhabitant may act for: the Patient's id and name, as what, how far.

    `until` is None when no end is set.
    """

    patient_id: str
    name: str
    kind: str
    scope: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Representative:
    """Somebody who may act for an inhabitant now; `may_end` says whether the inhabitant ends it."""

    id: str
    name: str
    kind: str
    scope: str
    until: datetime | None
    may_end: bool


async def represented(gate: Gate, actor: Actor) -> list[Represented]:
    """Those whom the inhabitant may act for now, by name; none whom a rule keeps out."""
    me = own(actor)
    if me.kind != "inhabitant":
        return []
    at = dates.microseconds(clock.now())
    key = keys.patient_key(me.id.removeprefix("Patient/"))
    ties = {
        row["patient"]: row
        for row in await gate.store.database.fetch(_ACCESS["represented_by"], key, at)
    }
    rows = await gate.store.roles.people.fetch(_PEOPLE["patients"], list(ties))
    found = []
    for stored in (Stored(*row) for row in rows):
        tie = ties[stored.patient]
        acting = replace(me, patient=stored.reference, acting=tie["kind"])
        if (await gate.permits.verdict(acting, stored.patient)).decision.allowed:
            seen = await gate.allow_read(acting, [stored], "represented")
            name = full_name(seen[0].resource.get("name")) if seen else ""
            found.append(
                Represented(stored.id, name, tie["kind"], tie["scope"], _end(tie["end_at"]))
            )
    return sorted(found, key=lambda each: (each.name, each.patient_id))


async def acting_for(gate: Gate, actor: Actor, patient_id: str) -> Actor:
    """The inhabitant as the one who acts for another, or for themselves. Raises `NotFound`."""
    me = own(actor)
    if me.id == f"Patient/{patient_id}":
        return me
    for each in await represented(gate, me):
        if each.patient_id == patient_id:
            return replace(me, patient=f"Patient/{patient_id}", acting=each.kind)
    raise NotFound(f"Patient/{patient_id}")


async def representatives(gate: Gate, actor: Actor) -> list[Representative]:
    """Those who may act for the inhabitant now, by name; looking is audited.

    Raises `Refused` for those who may not open their own record.
    """
    me = own(actor)
    at = dates.microseconds(clock.now())
    slices = [Slice("RelatedPerson", _MOST)]
    patient_id = me.id.removeprefix("Patient/")
    _permit, sliced = await gate.open_chart_at(me, patient_id, slices, interaction="read")
    may_end = await _may_end(gate, me)
    found = []
    for person in sliced["RelatedPerson"]:
        for _, kind, scope, start, end in representations(person):
            if start <= at < end:
                ends = may_end and kind == POWER_OF_ATTORNEY
                name = full_name(person.get("name"))
                found.append(Representative(person["id"], name, kind, scope, _end(end), ends))
    return sorted(set(found), key=lambda each: (each.name, each.id))


async def end_representation(writer: Writer, actor: Actor, person_id: str) -> None:
    """Take back a power of attorney, at once, also where it is in use now.

    Raises `Refused` or `NotFound`.
    """
    gate, me = writer.gate, own(actor)
    patient = keys.patient_key(me.id.removeprefix("Patient/"))
    verdict = await gate.permits.verdict(me, patient, "end-representation")
    if not verdict.decision.allowed:
        await gate.refuse(me, patient, verdict.decision, "end-representation", action="write")
    ended = [each for each in await representatives(gate, me) if each.id == person_id]
    if not any(each.may_end for each in ended):
        raise NotFound(f"RelatedPerson/{person_id}")
    stored = await gate.open_resource(me, "RelatedPerson", person_id)
    author = author_of(me, "end-representation", verdict.purpose, basis=verdict.why)
    row = audit_row(patient, 0, clock.now(), author, stored.reference, action="write")
    await gate.trail.keep(row)
    # The register of persons is kept by the program; the row above says on whose word.
    await writer.write(SYSTEM, {**stored.resource, "active": False}, if_match=stored.version)


async def _may_end(gate: Gate, me: Actor) -> bool:
    patient = keys.patient_key(me.id.removeprefix("Patient/"))
    return (await gate.permits.verdict(me, patient, "end-representation")).decision.allowed


def _end(at: int) -> datetime | None:
    # The moment after; what people are told is the last one.
    return None if at >= dates.MAX else dates.moment(at - 1)


def own(actor: Actor) -> Actor:
    """The inhabitant acting for themselves again."""
    return replace(actor, patient=actor.id, acting="") if actor.acting else actor


__all__ = [
    "Representative", "Represented", "acting_for", "end_representation", "own", "representatives",
    "represented",
]  # fmt: skip
