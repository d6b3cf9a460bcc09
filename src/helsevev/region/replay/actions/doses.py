"""Doses: the medicine list is read once for each patient, and each dose due is signed."""

from __future__ import annotations

from typing import Any

import msgspec

from ...demo.codes import coding, concept, hl7
from ..turn import Turn

_CATEGORY = concept("Kommunal tjeneste", coding(hl7("medication-admin-category"), "community"))
_USUAL_TIMES = ("08:00:00",)
Due = list[tuple[int, dict[str, Any]]]


async def sign_dose(turn: Turn) -> None:
    """Sign the dose that is due next to this minute of the day."""
    due: Due | None = turn.board.medicines.get(turn.patient)
    if due is None:
        due = await _medicine_list(turn)
        turn.board.medicines[turn.patient] = due
    if not due:
        turn.board.tally.nothing_to_do["sign dose"] += 1
        return
    place = min(range(len(due)), key=lambda n: abs(due[n][0] - turn.minute))
    minute, request = due[place]
    # The same medicine is due at the same time tomorrow: its turn comes after all others.
    due[place] = (minute + 100_000, request)
    dosage = request.get("dosageInstruction", [{}])[0]
    given = {name: dosage[name] for name in ("route",) if name in dosage}
    given["dose"] = dosage.get("doseAndRate", [{}])[0].get("doseQuantity") or {
        "value": 1, "unit": "dose",
    }  # fmt: skip
    await turn.create(
        "sign dose",
        {
            "resourceType": "MedicationAdministration",
            "status": "completed",
            "category": _CATEGORY,
            "medicationCodeableConcept": request["medicationCodeableConcept"],
            "subject": {"reference": f"Patient/{turn.patient}"},
            "effectiveDateTime": turn.moment,
            "performer": [
                {"actor": {"reference": turn.who.practitioner, "display": turn.who.name}}
            ],
            "request": {"reference": f"MedicationRequest/{request['id']}"},
            "dosage": given,
        },
    )


async def _medicine_list(turn: Turn) -> Due:
    """(minute of the day, prescription) of every dose of a day, as the record has them."""
    answer = await turn.read(
        "medicine list", f"/fhir/MedicationRequest?patient={turn.patient}&status=active&_count=100"
    )
    due: Due = []
    for entry in msgspec.json.decode(answer.body).get("entry", ()):
        request = entry["resource"]
        if "medicationCodeableConcept" in request:
            due += [(_minute(time), request) for time in _times(request)]
    return sorted(due, key=lambda each: each[0])


def _times(request: dict[str, Any]) -> tuple[str, ...]:
    for dosage in request.get("dosageInstruction", ()):
        if dosage.get("asNeededBoolean") or "asNeededCodeableConcept" in dosage:
            return ()
        if times := dosage.get("timing", {}).get("repeat", {}).get("timeOfDay"):
            return tuple(times)
    return _USUAL_TIMES


def _minute(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:5])
