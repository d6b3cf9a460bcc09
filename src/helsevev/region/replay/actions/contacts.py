"""Contacts: one who comes or is visited, written as an Encounter."""

from __future__ import annotations

from datetime import datetime, timedelta

from ...demo.codes import coding, concept
from ..turn import Turn

_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"


async def write_contact(turn: Turn) -> None:
    """A contact that has just ended."""
    end = datetime.fromisoformat(turn.moment)
    start = end - timedelta(minutes=turn.chance.whole(10, 40))
    await turn.create(
        "write contact",
        {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {"system": _ACT, "code": "AMB", "display": "ambulatory"},
            "type": [{"text": "Kontakt"}],
            "subject": {"reference": f"Patient/{turn.patient}"},
            "participant": [
                {
                    "type": [concept("Ansvarlig", coding(_PARTICIPATION, "PPRF"))],
                    "individual": {"reference": turn.who.practitioner, "display": turn.who.name},
                }
            ],
            "period": {"start": start.isoformat(), "end": end.isoformat()},
            "serviceProvider": {
                "reference": f"Organization/{turn.who.unit}",
                "display": turn.who.unit_name,
            },
        },
    )
