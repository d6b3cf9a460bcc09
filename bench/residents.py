"""Inhabitants with medicines, to be imported: on wards, in homes, at home with help and without.

The shares are those of Norway, so that so many inhabitants stand for a region of 740,000.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

Resource = dict[str, Any]


class Group(NamedTuple):
    """A share of the inhabitants: how their doses are given, and of how many medicines."""

    name: str
    share: float
    regular: int
    as_needed: int


GROUPS: Final = (
    # 40,000 live in institutions (SSB 2023), on about ten medicines each.
    Group("nursing-home", 0.0075, 8, 2),
    # About every second of 200,000 with home nursing has help with medicines.
    Group("home-care", 0.0185, 7, 2),
    Group("ward", 0.002, 7, 3),
    # Nearly half of all use something regularly (Legemiddelregisteret); nobody gives it to them.
    Group("own", 0.45, 3, 0),
)
_HOURS: Final = (("08:00:00",), ("08:00:00", "20:00:00"), ("08:00:00", "14:00:00", "20:00:00"),
                 ("08:00:00",), ("22:00:00",))  # fmt: skip
_ATC: Final = (
    "N02BE01", "C07AB02", "A06AD65", "B01AC06", "A10BA02", "C10AA05", "N05CF01", "A10AB05",
)  # fmt: skip
_CLASS: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_SERVICE: Final = "urn:oid:2.16.578.1.12.4.1.1.9151"
_SP: Final = {"system": "urn:oid:2.16.578.1.12.4.1.1.9060", "code": "SP"}


def inhabitants(count: int, seed: int = 1) -> Iterator[Resource]:
    """What a number of inhabitants' records hold: themselves, their care and their orders."""
    chance = random.Random(seed)
    for number in range(count):
        drawn, group = chance.random(), None
        for each in GROUPS:
            if drawn < each.share:
                group = each
                break
            drawn -= each.share
        own_id = f"bench-{number}"
        yield _patient(own_id, number)
        if group is None:
            continue
        if group.name != "own":
            yield _care(own_id, group.name, f"bench-unit-{number % 400}")
        for place in range(group.regular):
            hours = chance.choice(_HOURS)
            yield order(own_id, place, {"timeOfDay": list(hours)}, inpatient=group.name == "ward")
        for place in range(group.regular, group.regular + group.as_needed):
            yield order(own_id, place, None, inpatient=group.name == "ward")


def round_of(patients: int, doses: int, units: int, at: datetime) -> Iterator[Resource]:
    """Patients on wards with so many doses each that are due at a moment, and two nurses a ward."""
    for unit in range(units):
        yield _unit(f"bench-unit-{unit}")
        for nurse in range(2):
            yield from _nurse(f"bench-nurse-{unit}-{nurse}", f"bench-unit-{unit}")
    due = at.isoformat()
    for number in range(patients):
        own_id = f"bench-{number}"
        yield _patient(own_id, number)
        yield _care(own_id, "ward", f"bench-unit-{number % units}")
        for place in range(doses):
            repeat = {"frequency": 1, "period": 24, "periodUnit": "h",
                      "boundsPeriod": {"start": due}}  # fmt: skip
            yield order(own_id, place, repeat, inpatient=True)


def written(resources: Iterator[Resource], folder: Path) -> int:
    """Write resources to be imported, a file for each type; how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, Any] = {}
    count = 0
    try:
        for resource in resources:
            kind = resource["resourceType"]
            if kind not in files:
                files[kind] = (folder / f"{kind}.ndjson").open("w")
            files[kind].write(json.dumps(resource) + "\n")
            count += 1
    finally:
        for file in files.values():
            file.close()
    return count


def order(
    own_id: str, place: int, repeat: dict[str, Any] | None, *, inpatient: bool
) -> Resource:  # fmt: skip
    """An order of one tablet; without `repeat` as needed."""
    atc = _ATC[place % len(_ATC)]
    dosage: dict[str, Any] = {
        "text": "1 tablett", "route": {"coding": [{"code": "53"}], "text": "Oral bruk"},
        "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablett"}}],
    }  # fmt: skip
    if repeat is None:
        dosage["asNeededBoolean"] = True
    else:
        dosage["timing"] = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", **repeat}}
    category = "inpatient" if inpatient else "community"
    return {
        "resourceType": "MedicationRequest", "id": f"{own_id}-order-{place}", "status": "active",
        "intent": "order", "category": [{"coding": [{"code": category}]}],
        "medicationCodeableConcept": {
            "coding": [{"system": "http://www.whocc.no/atc", "code": atc}],
            "text": f"Middel {place}",
        },
        "subject": {"reference": f"Patient/{own_id}"}, "authoredOn": "2026-01-01T08:00:00+01:00",
        "dosageInstruction": [dosage],
    }  # fmt: skip


def _patient(own_id: str, number: int) -> Resource:
    return {
        "resourceType": "Patient", "id": own_id, "gender": "female",
        "name": [{"family": f"Rundesen {number}", "given": ["Berit"]}],
        "birthDate": f"{1930 + number % 60}-03-0{1 + number % 9}",
    }  # fmt: skip


def _care(own_id: str, group: str, unit: str) -> Resource:
    subject, where = {"reference": f"Patient/{own_id}"}, {"reference": f"Organization/{unit}"}
    if group == "home-care":
        kind = {"coding": [{"system": _SERVICE, "code": "15"}]}
        return {
            "resourceType": "EpisodeOfCare", "id": f"{own_id}-care", "status": "active",
            "patient": subject, "type": [kind], "managingOrganization": where,
            "period": {"start": "2026-01-01"},
        }  # fmt: skip
    return {
        "resourceType": "Encounter", "id": f"{own_id}-care", "status": "in-progress",
        "class": {"system": _CLASS, "code": "IMP"}, "subject": subject, "serviceProvider": where,
        "period": {"start": "2026-01-01"},
    }  # fmt: skip


def _unit(own_id: str) -> Resource:
    return {"resourceType": "Organization", "id": own_id, "active": True, "name": own_id}


def _nurse(own_id: str, unit: str) -> Iterator[Resource]:
    yield {
        "resourceType": "Practitioner", "id": own_id, "active": True,
        "name": [{"family": own_id, "given": ["Nora"]}],
        "qualification": [{"code": {"coding": [_SP]}}],
    }  # fmt: skip
    yield {
        "resourceType": "PractitionerRole", "id": own_id, "active": True,
        "practitioner": {"reference": f"Practitioner/{own_id}"},
        "organization": {"reference": f"Organization/{unit}"}, "code": [{"text": "Sykepleier"}],
    }  # fmt: skip
