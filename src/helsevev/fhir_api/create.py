"""http://hl7.org/fhir/R4/http.html#create, also when If-None-Exist gives a condition (#ccreate)."""

from __future__ import annotations

from typing import Final

from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors, Interaction
from helsevev.fhir_api.request import Request
from helsevev.fhir_api.written import of_written, refuse_other_type


async def answer(doors: Doors, request: Request) -> Answer:
    """201 with the new resource, whose id the server made; 200 when the condition found one.

    412 when the condition fits several resources, 400 or 422 for content that breaks rules.
    """
    (resource_type,) = request.segments
    request.refuse_parameters()
    condition = request.header(b"if-none-exist")
    key = request.idempotency_key
    resource = await request.resource()
    refuse_other_type(resource, resource_type)
    if condition:
        written = await doors.conditionals.create(request.actor, resource, condition, key)
    else:
        written = await doors.writer.write(
            request.actor, resource, create=True, idempotency_key=key
        )
    return of_written(request, written)


INTERACTION: Final = Interaction("create", answer)
