"""What is imported: the real records beside the repository, or as many made here."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

_REPOSITORY = Path(__file__).parent.parent
_CODES = (
    ("8867-4", "/min", (400, 1500)),
    ("8310-5", "Cel", (355, 405)),
    ("59408-5", "%", (850, 1000)),
    ("8302-2", "cm", (500, 2000)),
)
"""LOINC code, unit, and the range of plausible values in tenths."""


def folder(temporary: Path) -> tuple[Path, str]:
    """A folder to import, and what is in it."""
    shared = Path(os.environ.get("HELSEVEV_SHARED") or _REPOSITORY.parent / "shared")
    if (shared / "data" / "synthea").is_dir():
        return shared / "data" / "synthea", "synthea"
    made = temporary / "input"
    made.mkdir()
    chance = random.Random(2)
    for n in range(150):
        (made / f"{n:03}.json").write_text(json.dumps(person_bundle(n, chance, 400)))
    return made, "generated"


def observation(subject: str, chance: random.Random) -> dict[str, Any]:
    """A measurement of today's size and shape."""
    code, unit, plausible = chance.choice(_CODES)
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": subject},
        "effectiveDateTime": f"2026-0{chance.randint(1, 9)}-1{chance.randint(0, 9)}T10:00:00+01:00",
        "valueQuantity": {"value": chance.randint(*plausible) / 10, "unit": unit,
                          "system": "http://unitsofmeasure.org", "code": unit},
    }  # fmt: skip


def person_bundle(n: int, chance: random.Random, measurements: int) -> dict[str, Any]:
    """A transaction that stores one inhabitant and so many measurements."""
    patient = {
        "resourceType": "Patient", "gender": chance.choice(["male", "female"]),
        "name": [{"family": f"Familie{n}", "given": [f"Navn{n}"]}], "birthDate": "1950-05-17",
    }  # fmt: skip
    resources = [patient, *(observation("urn:uuid:0", chance) for _ in range(measurements))]
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"fullUrl": f"urn:uuid:{i}", "resource": resource,
             "request": {"method": "POST", "url": resource["resourceType"]}}
            for i, resource in enumerate(resources)
        ],
    }  # fmt: skip
