"""http://hl7.org/fhir/R4/composition-operation-document.html: a Composition with all it names."""

from __future__ import annotations

from typing import Final

from helsevev.fhir import serialization
from helsevev.fhir_api.answer import Answer, of_stored
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.operations.parameters import given
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with the document; with `persist` by POST, 201 with the Bundle that was kept.

    400 for `persist` by GET, 403, 404, 410 as for a read; keeping is refused as any write is.
    """
    asked = await given(request, ("persist",))
    keep = asked.flag("persist")
    if keep and request.method != "POST":
        raise bad_request("What keeps something is sent by POST.", "invalid", "persist")
    document = await doors.services.documents.of(
        request.actor, request.segments[1], request.base, keep=keep
    )
    if document.stored is None:
        return Answer(200, serialization.encode(document.bundle))
    stored = document.stored
    location = f"{request.base}/{stored.reference}/_history/{stored.version}"
    return of_stored(stored, stored.json, 201, location)


OPERATION: Final = Operation(
    name="document",
    definition="http://hl7.org/fhir/OperationDefinition/Composition-document",
    answer=answer,
    instances=("Composition",),
)
