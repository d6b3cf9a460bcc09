"""Acting for somebody else: whom an inhabitant may act for now, and the actor that makes of them.

Pasient- og brukerrettighetsloven §§ 3-1, 3-3 and 4-4; who acts for whom comes from RelatedPerson.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from helsevev.access.actor import Actor
from helsevev.access.errors import NotFound
from helsevev.access.gate import Gate
from helsevev.fhir import dates
from helsevev.fhir.reading import full_name
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.statements import load
from helsevev.record.store import Stored

_ACCESS: Final = load("access")
_PEOPLE: Final = load("people")


@dataclass(frozen=True, slots=True)
class Represented:
    """Somebody whom an inhabitant may act for: the Patient's id and name, and as what."""

    patient_id: str
    name: str
    kind: str


async def represented(gate: Gate, actor: Actor) -> list[Represented]:
    """Those whom the inhabitant may act for now, by name; none whom a rule keeps out."""
    me = own(actor)
    if me.kind != "inhabitant":
        return []
    at = dates.microseconds(clock.now())
    key = keys.patient_key(me.id.removeprefix("Patient/"))
    ties = await gate.store.database.fetch(_ACCESS["represented_by"], key, at)
    kinds = {row["patient"]: row["kind"] for row in ties}
    rows = await gate.store.database.fetch(_PEOPLE["patients"], list(kinds))
    found = []
    for stored in (Stored(*row) for row in rows):
        kind = kinds[stored.patient]
        acting = replace(me, patient=stored.reference, acting=kind)
        if (await gate.permits.verdict(acting, stored.patient)).decision.allowed:
            seen = await gate.allow_read(acting, [stored], "represented")
            name = full_name(seen[0].resource.get("name")) if seen else ""
            found.append(Represented(stored.id, name, kind))
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


def own(actor: Actor) -> Actor:
    """The inhabitant acting for themselves again."""
    return replace(actor, patient=actor.id, acting="") if actor.acting else actor


__all__ = ["Represented", "acting_for", "own", "represented"]
