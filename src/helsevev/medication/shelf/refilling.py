"""The task to change what is filled, when the list has changed since: one for the same changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

from helsevev.fhir.reading import mapping, objects, reference_key, text
from helsevev.locale import gettext as _
from helsevev.medication.shelf.dispensing import (
    CODES,
    DOSETTE,
    FILLED_AT,
    Change,
    Filling,
    stamp,
)

REFILL: Final = "http://helsevev.no/fhir/refill"
"""Identifier system of the task to change what is filled: the filling, and what has changed."""


def refill_key(filling: Filling, found: Sequence[Change]) -> str:
    """What names the task for these changes of a filling: the same changes, the same task."""
    said = "\n".join(f"{c.name}|{c.what}|{c.before}|{c.now}" for c in found)
    return f"{filling.id}/{blake2b(said.encode(), digest_size=8).hexdigest()}"


def refill_task(
    filling: Filling, found: Sequence[Change], patient_id: str, at: datetime
) -> dict[str, Any]:
    """The task to change what is filled, for the unit where it was filled."""
    owner = next(
        (mapping(e.get("valueReference")) for e in objects(filling.dispenses[0].get("extension"))
         if e.get("url") == FILLED_AT), None,
    )  # fmt: skip
    what = _("Change the dosette") if filling.kind == DOSETTE else _("Change the multidose")
    told = "; ".join(
        f"{c.name} {c.what}" + (f": {c.before} → {c.now}" if c.before and c.now else "")
        for c in found
    )
    made: dict[str, Any] = {
        "resourceType": "Task",
        "identifier": [{"system": REFILL, "value": refill_key(filling, found)}],
        "status": "requested",
        "intent": "order",
        "priority": "urgent",
        "code": {"coding": [{"system": CODES, "code": "refill"}], "text": what},
        "description": told,
        "focus": {"reference": f"MedicationDispense/{filling.dispenses[0]['id']}"},
        "for": {"reference": f"Patient/{patient_id}"},
        "authoredOn": stamp(at),
    }
    return made | ({"owner": owner} if owner else {})


def is_refill_of(task: Mapping[str, Any], filling: str) -> bool:
    """Whether a task that is not done asks to change this filling."""
    named = (text(i.get("value")) for i in objects(task.get("identifier"))
             if i.get("system") == REFILL)  # fmt: skip
    return task.get("status") == "requested" and any(
        each.rpartition("/")[0] == filling for each in named
    )


def refill_address(task: Mapping[str, Any]) -> str:
    """Where a task to change a filling is done; "" for another task."""
    if not any(i.get("system") == REFILL for i in objects(task.get("identifier"))):
        return ""
    return f"/stock/dosettes/{reference_key(task.get('for')).removeprefix('Patient/')}"
