"""http://hl7.org/fhir/R4/resource-operation-convert.html: a resource in the other format."""

from __future__ import annotations

from typing import Final

from helsevev.access.errors import Invalid
from helsevev.fhir import serialization
from helsevev.fhir.validation import validate
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.request import Request


async def answer(_doors: Doors, request: Request) -> Answer:
    """200 with the body's resource, as Accept or `_format` asks; 400 when it is not valid R4."""
    resource = await request.resource()
    issues = [issue for issue in validate(resource) if issue.is_error]
    if issues:
        raise Invalid(issues)
    return Answer(200, serialization.encode(resource))


OPERATION: Final = Operation(
    name="convert",
    definition="http://hl7.org/fhir/OperationDefinition/Resource-convert",
    answer=answer,
    system=True,
)
