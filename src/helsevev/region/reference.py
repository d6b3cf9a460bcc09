"""What is about no inhabitant: organisations, places, beds, staff and products, parents first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import demo, products
from .catalogue import Unit, catalogue
from .demo.codes import (
    HPR_NUMBER,
    ORGANISATION_NUMBER,
    Resource,
    coding,
    concept,
    hl7,
    no_basis,
    volven,
)
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
            yield _organization(unit)
    for unit in units:
        if unit.place and ("Location", unit.id) not in known:
            yield _location(unit.id, unit.name, unit, "wa" if unit.beds else "bu")
        for bed in range(unit.beds):
            yield _bed(unit, bed)
    for here in workforce().values():
        for colleagues in here.values():
            for worker in colleagues:
                if worker.hpr_number is not None:
                    yield _practitioner(worker)
                    yield _role(worker)
    yield from products.resources()


def _organization(unit: Unit) -> Resource:
    found: Resource = {
        "resourceType": "Organization",
        "id": unit.id,
        "meta": {"profile": [no_basis("Organization")]},
    }
    if unit.organisation_number is not None:
        found["identifier"] = [{"system": ORGANISATION_NUMBER, "value": unit.organisation_number}]
    found["active"] = True
    if unit.code is not None:
        number, code, text = unit.code
        found["type"] = [concept(text, coding(volven(number), code, text))]
    found["name"] = unit.name
    if unit.part_of is not None:
        found["partOf"] = _organisation(unit.part_of)
    return found


def _location(place_id: str, name: str, owner: Unit, kind: str) -> dict[str, Any]:
    return {
        "resourceType": "Location",
        "id": place_id,
        "meta": {"profile": [no_basis("Location")]},
        "status": "active",
        "name": name,
        "mode": "instance",
        "physicalType": concept(None, coding(hl7("location-physical-type"), kind)),
        "managingOrganization": _organisation(owner.id),
    }


def _bed(ward: Unit, number: int) -> Resource:
    room, bed = divmod(number, _BEDS_IN_A_ROOM)
    name = f"{ward.name}, rom {room + 1}, seng {bed + 1}"
    found = _location(f"{ward.id}-seng-{number + 1}", name, ward, "bd")
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
