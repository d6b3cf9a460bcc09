"""What is about no inhabitant: organisations, places, beds, staff and products, parents first."""

from __future__ import annotations

from collections.abc import Iterator

from . import demo, products
from .catalogue import Unit, catalogue
from .demo.codes import HPR_NUMBER, Resource, coding, concept, no_basis, volven
from .demo.units import location, organization
from .facts import facts
from .workforce import Worker, role_of, workforce

_BEDS_IN_A_ROOM = 2


def resources(stories: bool = True) -> Iterator[Resource]:
    """Every Organization, Location, Practitioner, PractitionerRole and Medication of the region.

    The demo's own come first, as its stories have them, or not at all.
    """
    known = set()
    for resource in demo.reference_resources():
        known.add((resource["resourceType"], resource["id"]))
        if stories:
            yield resource
    units = catalogue().units.values()
    for unit in units:
        if not unit.in_demo:
            part_of = None if unit.part_of is None else _organisation(unit.part_of)
            yield organization(unit.id, unit.name, part_of, unit.code, unit.organisation_number)
    for unit in units:
        if unit.place and ("Location", unit.id) not in known:
            kind = "wa" if unit.beds else "bu"
            yield location(unit.id, unit.name, kind, _organisation(unit.id))
        for bed in range(unit.beds):
            yield _bed(unit, bed)
    for here in workforce().values():
        for colleagues in here.values():
            for worker in colleagues:
                if worker.hpr_number is not None:
                    yield _practitioner(worker)
                    yield _role(worker)
    yield from products.resources()


def _bed(ward: Unit, number: int) -> Resource:
    room, bed = divmod(number, _BEDS_IN_A_ROOM)
    name = f"{ward.name}, rom {room + 1}, seng {bed + 1}"
    found = location(f"{ward.id}-seng-{number + 1}", name, "bd", _organisation(ward.id))
    found["partOf"] = {"reference": f"Location/{ward.id}", "display": ward.name}
    return found


def _practitioner(worker: Worker) -> Resource:
    code, text, _ = facts("units")["profession"][worker.profession]
    return {
        "resourceType": "Practitioner",
        "id": worker.id,
        "meta": {"profile": [no_basis("Practitioner")]},
        "identifier": [{"system": HPR_NUMBER, "value": worker.hpr_number}],
        "active": True,
        "name": [{"use": "official", "family": worker.family, "given": worker.given.split(" ")}],
        "gender": worker.gender,
        "qualification": [{"code": concept(text, coding(volven(9060), code, text))}],
    }


def _role(worker: Worker) -> Resource:
    return {
        "resourceType": "PractitionerRole",
        "id": worker.id,
        "meta": {"profile": [no_basis("PractitionerRole")]},
        "active": True,
        "practitioner": {"reference": f"Practitioner/{worker.id}", "display": worker.name},
        "organization": _organisation(worker.unit),
        "code": [concept(role_of(worker.profession))],
    }


def _organisation(unit_id: str) -> Resource:
    return {"reference": f"Organization/{unit_id}", "display": catalogue().units[unit_id].name}
