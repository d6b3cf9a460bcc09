"""The region's units: municipalities with their services, trusts with hospitals and departments.

Units of the demo's stories are used where they coincide, under the ids they have there. Nothing
here depends on how many inhabitants are told, or on the seed: a region's organisations are the same
at every scale.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from .demo import units as demo_units
from .facts import facts

_SPELLED = str.maketrans({"æ": "ae", "ø": "o", "å": "a", "é": "e"})
_NOT_IN_IDS = re.compile(r"[^a-z0-9]+")


@dataclass(slots=True)
class Unit:
    """One organisation: what it is part of, its kind, its national codes and who works there."""

    id: str
    name: str
    kind: str
    part_of: str | None = None
    code: tuple[int, str, str] | None = None
    organisation_number: str | None = None
    beds: int = 0
    staff: dict[str, int] = field(default_factory=dict)
    place: bool = False
    """Whether people come there: it has a Location of the same id."""
    in_demo: bool = False


@dataclass(slots=True)
class Municipality:
    """A municipality that takes part, and its units by kind."""

    code: str
    name: str
    population: int
    postal_code: str
    postal_place: str
    hospital: str
    units: dict[str, list[Unit]] = field(default_factory=dict)


@dataclass(slots=True)
class Catalogue:
    """Every unit of the region by its id, parents first, and the ways to find one."""

    units: dict[str, Unit]
    municipalities: list[Municipality]
    hospitals: dict[str, dict[str, str]]
    """Hospital -> kind of department -> the unit's id; kinds that it lacks lead elsewhere."""


def slug(text: str) -> str:
    """A name as part of an id: small letters, digits and hyphens."""
    return _NOT_IN_IDS.sub("-", text.lower().translate(_SPELLED)).strip("-")


@cache
def catalogue() -> Catalogue:
    """The whole region. Built once; what is returned must not be changed."""
    found = Catalogue({}, [], {})
    for unit in demo_units.UNITS:
        kind = "demo" if unit.part_of is not None else "legal"
        found.units[unit.id] = Unit(
            unit.id, unit.name, kind, unit.part_of, unit.kind, unit.organisation_number,
            in_demo=True,
        )  # fmt: skip
    _hospitals(found)
    for row in facts("municipalities")["municipality"]:
        if row["takes_part"]:
            found.municipalities.append(_municipality(found, row))
    _shared_units(found)
    return found


def _add(found: Catalogue, unit: Unit) -> Unit:
    """Keep a unit; one of the demo's keeps its name and codes and gets kind, staff and place."""
    known = found.units.get(unit.id)
    if known is None:
        found.units[unit.id] = unit
        return unit
    if not known.in_demo:
        raise ValueError(f"two units would be called {unit.id}")
    known.kind, known.staff, known.place = unit.kind, unit.staff, unit.place
    known.beds = unit.beds
    return known


def _hospitals(found: Catalogue) -> None:
    content = facts("hospitals")
    for trust in content["trust"]:
        number = trust["organisation_number"]
        _add(
            found,
            Unit(_trust_id(trust["key"]), trust["name"], "legal", None, (8624, "01", "Sykehus"),
                 number),
        )  # fmt: skip
    own: dict[str, dict[str, str]] = {}
    rows = {row["key"]: row for row in content["hospital"]}
    for key, row in rows.items():
        trust = _trust_id(row["trust"])
        if key != trust:
            _add(
                found,
                Unit(_hospital_id(key), row["name"], "hospital", trust, (8624, "01", "Sykehus"),
                     row.get("organisation_number")),
            )  # fmt: skip
        own[key] = {
            each["kind"]: _department(found, _hospital_id(key), each).id
            for each in row["departments"]
        }
    for key in rows:
        found.hospitals[key] = _with_neighbours(key, rows, own)


def _trust_id(key: str) -> str:
    return "st-olavs" if key == "st-olavs-hf" else key


def _hospital_id(key: str) -> str:
    # Most hospitals are named after the municipality they are in, whose id is the bare name.
    return key if key == "st-olavs" else f"{key}-sykehus"


def _department(found: Catalogue, hospital: str, row: dict[str, Any]) -> Unit:
    kind: str = row["kind"]
    staffing = facts("units")["hospital"]
    if kind in ("mental-clinic", "youth-clinic", "substance-clinic"):
        code, staff = (8624, "31", "DPS"), staffing["mental"]
    elif kind.endswith("-clinic"):
        code, staff = (8624, "11", "Poliklinikk"), staffing["clinic"]
    elif kind == "laboratory":
        code, staff = (8624, "14", "Laboratorium"), staffing["laboratory"]
    elif kind in ("emergency", "radiology"):
        code, staff = (8624, "05", "Avdeling"), staffing[kind]
    else:
        code, staff = (8624, "08", "Post"), staffing["ward"]
    if kind in ("maternity", "maternity-clinic"):
        staff = staffing["maternity"]
    return _add(
        found,
        Unit(
            row.get("demo", f"{hospital}-{kind}"), row["name"], kind, hospital, code,
            beds=row["beds"], staff=dict(staff), place=True,
        ),
    )  # fmt: skip


def _with_neighbours(
    key: str, rows: dict[str, dict[str, Any]], own: dict[str, dict[str, str]]
) -> dict[str, str]:
    """A hospital's departments, and its larger neighbours' where it has none of that kind."""
    reached: dict[str, str] = {}
    where: str | None = key
    while where is not None:
        reached = {**own[where], **reached}
        where = rows[where].get("elsewhere")
    return reached


def _municipality(found: Catalogue, row: dict[str, Any]) -> Municipality:
    name, population = row["name"], row["population"]
    root = slug(name)
    _add(found, Unit(root, f"{name} kommune", "legal", None, None, row.get("organisation_number")))
    made = Municipality(
        row["code"], name, population, row["postal_code"], row["postal_place"], row["hospital"]
    )
    for kind in facts("units")["municipal"]:
        count = max(1, round(population / kind["per"]))
        if kind["kind"] == "out-of-hours" and population < 9000:
            continue
        made.units[kind["kind"]] = [
            _municipal_unit(found, kind, root, name, number, count) for number in range(count)
        ]
    homes = made.units["nursing-home"]
    made.units["nursing-home-ward"] = [
        _ward(found, home, number) for home in homes for number in (1, 2)
    ]
    return made


def _municipal_unit(
    found: Catalogue, kind: dict[str, Any], root: str, name: str, number: int, count: int
) -> Unit:
    words = facts("units")["words"]
    areas = words["area"]
    area = areas[number] if number < len(areas) else f"sone {number + 1}"
    filled = {"area": area if count > 1 else name, "municipality": name}
    for word in ("home", "school"):
        listed = words[word]
        nth = (number + len(root)) % len(listed)
        again = number // len(listed)
        filled[word] = listed[nth] + (f" {again + 1}" if again else "")
    demo = kind["demo"] if root == "trondheim" else []
    unit_id = demo[number] if number < len(demo) else f"{root}-{kind['kind']}-{number + 1}"
    # A general practice is run by its doctors, not by the municipality.
    owner = None if kind["kind"] == "general-practice" else root
    return _add(
        found,
        Unit(unit_id, kind["name"].format(**filled), kind["kind"], owner, tuple(kind["code"]),
             staff=dict(kind["staff"]), place=True),
    )  # fmt: skip


def _ward(found: Catalogue, home: Unit, number: int) -> Unit:
    ward = facts("units")["ward"]
    unit_id = f"{home.id}-{number}"
    name = f"{home.name}, avdeling {number}"
    return _add(
        found,
        Unit(unit_id, name, ward["kind"], home.id, (8624, "05", "Avdeling"),
             staff=dict(ward["staff"]), place=True),
    )  # fmt: skip


def _shared_units(found: Catalogue) -> None:
    """Give small municipalities a host's legevakt, and every one an ambulance station."""
    hosts: dict[str, list[Unit]] = {}
    for each in found.municipalities:
        if "out-of-hours" in each.units:
            hosts.setdefault(each.hospital, each.units["out-of-hours"])
    anybody = next(iter(hosts.values()))
    staff = facts("units")["hospital"]["ambulance"]
    for each in found.municipalities:
        each.units.setdefault("out-of-hours", hosts.get(each.hospital, anybody))
        hospital = _hospital_id(each.hospital)
        trust = found.units[hospital].part_of or hospital
        station = Unit(
            f"{slug(each.name)}-ambulance", f"Ambulansestasjonen i {each.name}", "ambulance",
            trust, (8624, "07", "Fagenhet"), staff=dict(staff), place=True,
        )  # fmt: skip
        each.units["ambulance"] = [_add(found, station)]


def lineage(unit_id: str) -> Iterator[Unit]:
    """The unit and everything it is part of, itself first."""
    units = catalogue().units
    unit: Unit | None = units[unit_id]
    while unit is not None:
        yield unit
        unit = units[unit.part_of] if unit.part_of is not None else None
