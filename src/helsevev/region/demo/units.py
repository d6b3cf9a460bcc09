"""The demo's organisations and places: one hospital trust, one municipality, one general practice.

Legal entities are real public bodies with their public organisation numbers; every unit below them
is invented for the demo and therefore has no number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .codes import (
    ORGANISATION_NUMBER,
    Resource,
    coding,
    concept,
    hl7,
    no_basis,
    volven,
)


class Unit(NamedTuple):
    """One organisation: its id, its name, what it is part of, and the kind of unit it is."""

    id: str
    name: str
    part_of: str | None
    kind: tuple[int, str, str] | None = None
    organisation_number: str | None = None


_WARD = (8624, "08", "Post")
_CLINIC = (8624, "02", "Klinikk")
_OUTPATIENT = (8624, "11", "Poliklinikk")
_DEPARTMENT = (8624, "05", "Avdeling")
_HOME_CARE = (8663, "KP02", "Sykepleietjeneste")
_HEALTH_STATION = (8663, "KF01", "Helsestasjons- og skolehelsetjeneste")

UNITS: tuple[Unit, ...] = (
    Unit("st-olavs", "St. Olavs hospital", None, (8624, "01", "Sykehus"), "883974832"),
    Unit("st-olavs-medisin", "Medisinsk klinikk", "st-olavs", _CLINIC),
    Unit("st-olavs-lunge", "Lungemedisinsk sengepost", "st-olavs-medisin", _WARD),
    Unit("st-olavs-lungepol", "Lungepoliklinikken", "st-olavs-medisin", _OUTPATIENT),
    Unit("st-olavs-hjertepol", "Hjertesviktpoliklinikken", "st-olavs-medisin", _OUTPATIENT),
    Unit("st-olavs-geriatri", "Geriatrisk sengepost", "st-olavs-medisin", _WARD),
    Unit("st-olavs-diabetespol", "Diabetespoliklinikken", "st-olavs", _OUTPATIENT),
    Unit("st-olavs-akuttmottak", "Akuttmottaket", "st-olavs", _DEPARTMENT),
    Unit("st-olavs-barn", "Barne- og ungdomsklinikken", "st-olavs", _CLINIC),
    Unit("st-olavs-nyfodt", "Nyfødtintensiv", "st-olavs-barn", _WARD),
    Unit("st-olavs-barnepol", "Barnepoliklinikken", "st-olavs-barn", _OUTPATIENT),
    Unit("st-olavs-fode", "Føde- og svangerskapspoliklinikken", "st-olavs", _OUTPATIENT),
    Unit("st-olavs-psykisk", "Psykisk helsevern for voksne", "st-olavs", _CLINIC),
    Unit("nidaro-dps", "Nidarø DPS, voksenpoliklinikken", "st-olavs-psykisk", (8624, "31", "DPS")),
    Unit(
        "st-olavs-biokjemi",
        "Medisinsk biokjemi",
        "st-olavs",
        (8624, "14", "Laboratorium"),
    ),
    Unit("st-olavs-radiologi", "Radiologisk avdeling", "st-olavs", _DEPARTMENT),
    Unit("trondheim", "Trondheim kommune", None, None, "942110464"),
    Unit("trondheim-hjemmetjeneste-ost", "Hjemmetjenesten øst", "trondheim", _HOME_CARE),
    Unit("trondheim-helsestasjon-ost", "Helsestasjon øst", "trondheim", _HEALTH_STATION),
    Unit("trondheim-legevakt", "Trondheim legevakt", "trondheim", (8663, "KA02", "Legevakt")),
    Unit("trondheim-bakkehaugen", "Bakkehaugen helse- og velferdssenter", "trondheim"),
    Unit("trondheim-bakkehaugen-2", "Bakkehaugen, avdeling 2", "trondheim-bakkehaugen"),
    Unit("fjordgata-legesenter", "Fjordgata legesenter", None, (8663, "KA01", "Fastlegetjeneste")),
)

_PLACES = (
    ("st-olavs-lunge-rom-312", "Lungemedisinsk sengepost, rom 312", "st-olavs-lunge", "ro"),
    ("st-olavs-lunge-rom-312-seng-1", "Rom 312, seng 1", "st-olavs-lunge", "bd"),
    ("st-olavs-lunge-rom-312-seng-2", "Rom 312, seng 2", "st-olavs-lunge", "bd"),
    ("st-olavs-lunge-rom-313-seng-1", "Rom 313, seng 1", "st-olavs-lunge", "bd"),
    ("st-olavs-lunge-rom-314", "Rom 314, isolat", "st-olavs-lunge", "ro"),
    ("st-olavs-geriatri-rom-214", "Geriatrisk sengepost, rom 214", "st-olavs-geriatri", "ro"),
    ("st-olavs-akuttmottak", "Akuttmottaket", "st-olavs-akuttmottak", "bu"),
    ("st-olavs-lungepol", "Lungepoliklinikken", "st-olavs-lungepol", "bu"),
    ("st-olavs-hjertepol", "Hjertesviktpoliklinikken", "st-olavs-hjertepol", "bu"),
    ("st-olavs-diabetespol", "Diabetespoliklinikken", "st-olavs-diabetespol", "bu"),
    ("st-olavs-nyfodt", "Nyfødtintensiv", "st-olavs-nyfodt", "wa"),
    ("st-olavs-barnepol", "Barnepoliklinikken", "st-olavs-barnepol", "bu"),
    ("st-olavs-fode", "Føde- og svangerskapspoliklinikken", "st-olavs-fode", "bu"),
    ("nidaro-dps", "Nidarø DPS, voksenpoliklinikken", "nidaro-dps", "bu"),
    ("trondheim-legevakt-rom-4", "Trondheim legevakt, rom 4", "trondheim-legevakt", "ro"),
    ("trondheim-hjemmetjeneste-ost", "Hjemmetjenesten øst", "trondheim-hjemmetjeneste-ost", "bu"),
    ("trondheim-helsestasjon-ost", "Helsestasjon øst", "trondheim-helsestasjon-ost", "bu"),
    ("trondheim-bakkehaugen-2", "Bakkehaugen, avdeling 2", "trondheim-bakkehaugen-2", "wa"),
    ("trondheim-bakkehaugen-2-rom-8", "Avdeling 2, rom 8", "trondheim-bakkehaugen-2", "ro"),
    ("fjordgata-legesenter", "Fjordgata legesenter", "fjordgata-legesenter", "bu"),
)

_BY_ID = {unit.id: unit for unit in UNITS}
_NAMES = {place_id: name for place_id, name, _owner, _kind in _PLACES}


def unit(unit_id: str) -> Unit:
    """The unit with this id. KeyError when the demo has none."""
    return _BY_ID[unit_id]


def with_parents(unit_id: str) -> list[Unit]:
    """The unit and everything it is part of, itself first and the legal entity last."""
    found = [_BY_ID[unit_id]]
    while found[-1].part_of is not None:
        found.append(_BY_ID[found[-1].part_of])
    return found


def resources() -> Iterator[Resource]:
    """Every Organization, parents first, then every Location."""
    for each in UNITS:
        part_of = None if each.part_of is None else _reference(each.part_of)
        yield organization(each.id, each.name, part_of, each.kind, each.organisation_number)
    for place_id, name, owner, kind in _PLACES:
        yield location(place_id, name, kind, _reference(owner), _room_of(place_id))


def organization(
    unit_id: str,
    name: str,
    part_of: Resource | None,
    kind: tuple[int, str, str] | None,
    number: str | None,
) -> Resource:
    """One Organization: `kind` is Volven's number of the code set, code and words."""
    found: Resource = {
        "resourceType": "Organization",
        "id": unit_id,
        "meta": {"profile": [no_basis("Organization")]},
    }
    if number is not None:
        found["identifier"] = [{"system": ORGANISATION_NUMBER, "value": number}]
    found["active"] = True
    if kind is not None:
        code_set, code, words = kind
        found["type"] = [concept(words, coding(volven(code_set), code, words))]
    found["name"] = name
    if part_of is not None:
        found["partOf"] = part_of
    return found


def place_name(place_id: str) -> str:
    """What a place is called. KeyError when the demo has none."""
    return _NAMES[place_id]


def location(
    place_id: str, name: str, kind: str, owner: Resource, part_of: str | None = None
) -> Resource:
    """One Location; `kind` is a code of HL7's location-physical-type."""
    found: Resource = {
        "resourceType": "Location",
        "id": place_id,
        "meta": {"profile": [no_basis("Location")]},
        "status": "active",
        "name": name,
        "mode": "instance",
        "physicalType": concept(None, coding(hl7("location-physical-type"), kind)),
        "managingOrganization": owner,
    }
    if part_of is not None:
        found["partOf"] = {"reference": f"Location/{part_of}", "display": _NAMES[part_of]}
    return found


def _room_of(place_id: str) -> str | None:
    room, _bed, _number = place_id.partition("-seng-")
    return room if room != place_id and room in _NAMES else None


def _reference(unit_id: str) -> Resource:
    return {"reference": f"Organization/{unit_id}", "display": _BY_ID[unit_id].name}
