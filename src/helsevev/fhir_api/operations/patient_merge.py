"""Patient/$merge, as R5 has it (patient-operation-merge.html), and its undoing, $unmerge."""

from __future__ import annotations

from typing import Any, Final

from helsevev.access.person_merging import Merged
from helsevev.fhir import references
from helsevev.fhir.outcome import Issue, outcome
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.operations.parameters import Given, answered, given
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request

_SOURCE: Final = "source-patient"
_TARGET: Final = "target-patient"


async def merge(doors: Doors, request: Request) -> Answer:
    """200 with what was moved and the Patient that stays; with `preview`, with what would be.

    403 for those who do not keep the register, 404 or 410 for who is not there, 422 for records
    that cannot be merged, 409 when somebody wrote at the same moment.
    """
    asked = await given(request, (_SOURCE, _TARGET, "preview"))
    source, target = _patient(asked, _SOURCE), _patient(asked, _TARGET)
    preview = asked.flag("preview")
    merged = await doors.services.person_merger.merge(
        request.actor, source, target, preview=preview
    )
    return _told(merged, "would move" if preview else "moved")


async def unmerge(doors: Doors, request: Request) -> Answer:
    """200 with what went back and the Patient that it went back to; failures as `$merge`."""
    await given(request, ())
    merged = await doors.services.person_merger.part(request.actor, request.segments[1])
    return _told(merged, "went back")


def _told(merged: Merged, done: str) -> Answer:
    counted = ", ".join(f"{number} {kind}" for kind, number in sorted(merged.moved.items()))
    text = f"{sum(merged.moved.values())} resources {done}{f': {counted}' if counted else ''}."
    if merged.followed:
        text += f" {merged.followed} kept elsewhere refer to what {done}, and follow it."
    said = outcome([Issue("information", "informational", text)])
    return answered(
        [{"name": "outcome", "resource": said}, {"name": "result", "resource": merged.patient}]
    )


def _patient(asked: Given, name: str) -> str:
    value: dict[str, Any] | None = asked.element(name)
    place = references.relative((value or {}).get("reference", ""))
    if place is None or place[0] != "Patient":
        raise bad_request(f"The parameter {name} is a reference Patient/[id].", "required", name)
    return place[1]


MERGE: Final = Operation(
    name="merge",
    definition="http://hl7.org/fhir/OperationDefinition/Patient-merge",
    answer=merge,
    types=("Patient",),
    affects_state=True,
)
UNMERGE: Final = Operation(
    name="unmerge",
    definition="https://helsevev.example/fhir/OperationDefinition/Patient-unmerge",
    answer=unmerge,
    instances=("Patient",),
    affects_state=True,
)
