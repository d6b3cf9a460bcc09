"""The rounds of a nursing home in the last weeks: what was given, when, and what was not.

Figures are of the plan as it stood, so this is loaded as of the days on which it happened.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

from .codes import Resource, coding, concept
from .staff import practitioner
from .story import Story, organisation, transaction
from .timeline import OSLO

WEEKS: Final = 6
"""How many weeks back rounds are told."""

KEY: Final = "dagny"
_DOSE_DUE: Final = "http://helsevev.no/fhir/dose-due"
_REASON: Final = "http://helsevev.no/fhir/CodeSystem/dose-reason"
_STOP: Final = "http://helsevev.no/fhir/CodeSystem/scan-stop"
_STOP_ACT: Final = "http://helsevev.no/fhir/CodeSystem/scan-stop-act"
_STOPPED_AT: Final = "http://helsevev.no/fhir/StructureDefinition/stopped-at"
_GIVERS: Final = ("annemette-brekken", "gunn-morken")


class Planned(NamedTuple):
    """A medicine of the home, by the slug of its order, and the hours at which it is given."""

    slug: str
    hours: tuple[int, ...]


_PLANNED: Final = (
    Planned("paracet-500", (8, 14, 20)), Planned("movicol", (8,)), Planned("mirtazapin-15", (20,)),
)  # fmt: skip
# Minutes from the time planned, round after round, as they came; what was not given has a reason.
_MOVED: Final = (5, -10, 12, 20, -4, 35, 8, 0, 15, -20, 25, 10, 3)
_LATE: Final = 85
_REFUSED: Final = ("refused", "Pasienten ønsket ikke")


def history(story: Story) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """(when it was written, transaction): the plan of Dagny's stay, then her rounds by week."""
    today = story.time.today
    first = today - timedelta(days=today.weekday() + 7 * WEEKS)
    planned = {f"demo-{KEY}-forskrivning-{each.slug}": each for each in _PLANNED}
    whose = ("Patient", "Encounter", "EpisodeOfCare")
    told = [r for r in story.resources if r["resourceType"] in whose or r["id"] in planned]
    orders = {r["id"]: r for r in told if r["id"] in planned}
    yield _at(first, 0), transaction(told)
    for week in range(WEEKS + 1):
        days = [first + timedelta(days=7 * week + n) for n in range(7)]
        given = [
            dose
            for day in days if day < today
            for order_id, each in planned.items() if order_id in orders
            for hour in each.hours
            if (dose := _dose(orders[order_id], day, hour, week)) is not None
        ]  # fmt: skip
        given += [_stop(day) for day in days if day < today and day.toordinal() % 9 == 0]
        if given:
            yield _at(min(days[-1] + timedelta(days=1), today), 0), transaction(given)


def _dose(order: Resource, day: date, hour: int, week: int) -> Resource | None:
    """What was signed for one dose; None: nobody did."""
    due = _at(day, hour)
    turn = (day.toordinal() * 7 + hour * 3 + len(str(order["id"]))) % 97
    if turn in (11, 60):
        return None
    late = (week < 3 and hour == 14 and turn % 3 == 0) or turn in (5, 41)
    moved = _LATE + turn if late else _MOVED[turn % len(_MOVED)]
    at = due + timedelta(minutes=moved)
    key = f"{order['id']}/{due.astimezone(UTC):%Y%m%dT%H%MZ}"
    made: Resource = {
        "resourceType": "MedicationAdministration",
        "id": f"demo-{KEY}-dose-{order['id'].rpartition('-forskrivning-')[2]}-{day:%y%m%d}-{hour}",
        "identifier": [{"system": _DOSE_DUE, "value": key}],
        "status": "completed",
        "medicationCodeableConcept": order["medicationCodeableConcept"],
        "subject": order["subject"],
        "context": order["encounter"],
        "effectiveDateTime": at.isoformat(),
        "performer": [{"actor": practitioner(_GIVERS[turn % len(_GIVERS)])}],
        "request": {"reference": f"MedicationRequest/{order['id']}"},
    }
    if turn in (23, 77):
        code, words = _REFUSED
        return made | {
            "status": "not-done", "statusReason": [concept(words, coding(_REASON, code, words))],
        }  # fmt: skip
    given = order["dosageInstruction"][0]
    return made | {
        "dosage": {
            "text": given["text"],
            "route": given["route"],
            "dose": given["doseAndRate"][0]["doseQuantity"],
        }
    }


def _stop(day: date) -> Resource:
    """A tablet of another strength, scanned in the morning; the right one was found at once."""
    at, home = _at(day, 8) + timedelta(minutes=4), "trondheim-bakkehaugen-2"
    words = "Det skannede har en annen styrke enn det som er ordinert."
    return {
        "resourceType": "DetectedIssue",
        "id": f"demo-{KEY}-stopp-{day:%y%m%d}",
        "extension": [{"url": _STOPPED_AT, "valueReference": organisation(home)}],
        "status": "final",
        "code": concept(None, coding(_STOP, "wrong-strength")),
        "severity": "high",
        "patient": {"reference": f"Patient/demo-{KEY}"},
        "identifiedDateTime": at.isoformat(),
        "author": practitioner(_GIVERS[0]),
        "detail": words,
        "mitigation": [
            {
                "action": concept("Fant det rette", coding(_STOP_ACT, "changed")),
                "date": (at + timedelta(minutes=2)).isoformat(),
                "author": practitioner(_GIVERS[0]),
            }
        ],
    }


def _at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=OSLO)
