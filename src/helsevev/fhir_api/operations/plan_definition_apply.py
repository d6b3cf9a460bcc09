"""http://hl7.org/fhir/R4/plandefinition-operation-apply.html: what a plan proposes for somebody."""

from __future__ import annotations

from typing import Final

from helsevev.care_plan.proposing import find_plan, propose
from helsevev.fhir import serialization
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.operations.parameters import given
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request, is_id

_KNOWN: Final = ("subject", "planDefinition", "canonical", "url", "version")


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with the CarePlan, a draft that is not kept, its goals contained.

    At the type the plan is named by `canonical` or `url` (and `version`). 400 without a patient as
    subject, 403 and 404 as a reading.
    """
    asked = await given(request, _KNOWN)
    subject = asked.needed("subject")
    kind, _slash, patient_id = subject.rpartition("/")
    if kind not in ("", "Patient") or not is_id(patient_id):
        raise bad_request("subject is a Patient, such as Patient/123.", "value", "subject")
    if asked.element("planDefinition") is not None:
        said = "A plan that comes with the request is not applied: name one of the content."
        raise bad_request(said, "not-supported", "planDefinition")
    segments = request.segments
    name = segments[1] if len(segments) > 2 else ""
    canonical = asked.text("canonical") or asked.text("url")
    if version := asked.text("version"):
        canonical = f"{canonical.partition('|')[0]}|{version}"
    if not name and not canonical:
        raise bad_request("Name the plan by canonical or url.", "required", "canonical")
    plan = await find_plan(doors.services, request.actor, name, canonical)
    made = await propose(doors.services, request.actor, plan, patient_id)
    return Answer(200, serialization.encode(made))


OPERATION: Final = Operation(
    name="apply",
    definition="http://hl7.org/fhir/OperationDefinition/PlanDefinition-apply",
    answer=answer,
    types=("PlanDefinition",),
    instances=("PlanDefinition",),
)
