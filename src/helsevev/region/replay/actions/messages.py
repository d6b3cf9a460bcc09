"""Chat: a message about a patient to colleagues, and the thread as they read it."""

from __future__ import annotations

from ..turn import Turn

_SAID = (
    "Kan noen på neste vakt se til såret på leggen?",
    "Datter ringte og spør om vekten.",
    "Ville ikke ha frokost i dag. Følger med.",
    "Ja, tar det i kveld.",
    "Legen er varslet og ser på det i morgen.",
)


async def send_message(turn: Turn) -> None:
    """Write to the unit about the patient."""
    await turn.create(
        "send message",
        {
            "resourceType": "Communication",
            "status": "completed",
            "subject": {"reference": f"Patient/{turn.patient}"},
            "sent": turn.moment,
            "sender": {"reference": turn.who.practitioner, "display": turn.who.name},
            "recipient": [
                {"reference": f"Organization/{turn.who.unit}", "display": turn.who.unit_name}
            ],
            "payload": [{"contentString": turn.chance.among(_SAID)}],
        },
    )


async def read_messages(turn: Turn) -> None:
    """Read what was last written about the patient."""
    query = f"patient={turn.patient}&_sort=-sent&_count=20"
    await turn.read("read messages", f"/fhir/Communication?{query}")
