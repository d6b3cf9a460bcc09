"""http://hl7.org/fhir/R4/http.html#delete, also of the one that a search finds (#cdelete)."""

from __future__ import annotations

from typing import Final

from helsevev.access.stored import Stored
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors, Interaction
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request


async def answer(doors: Doors, request: Request) -> Answer:
    """204, also when there was no such resource; every version stays in its history."""
    resource_type, resource_id = request.segments
    request.refuse_parameters()
    gone = await doors.writer.delete(request.actor, resource_type, resource_id, request.if_match)
    return _of_deletion(gone)


async def answer_conditionally(doors: Doors, request: Request) -> Answer:
    """204 when the query finds one resource or none, 412 when it finds several.

    Where the server is set to take several, all go in one act.
    """
    (resource_type,) = request.segments
    if not request.query:
        raise bad_request("Name the resource by its id, or by a search.", "required")
    if doors.deletes_several:
        return await _take_all(doors, request, resource_type)
    gone = await doors.conditionals.delete(request.actor, resource_type, request.query)
    return _of_deletion(gone)


async def _take_all(doors: Doors, request: Request, resource_type: str) -> Answer:
    found = await doors.conditionals.fitting(request.actor, resource_type, request.query)
    entries = [
        {
            "request": {
                "method": "DELETE",
                "url": stored.reference,
                "ifMatch": f'W/"{stored.version}"',
            }
        }
        for stored in found
    ]
    if entries:
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        await doors.bundles.transact(request.actor, bundle)
    return _of_deletion(None)


def _of_deletion(gone: Stored | None) -> Answer:
    return Answer(204, None, None if gone is None else gone.version)


INTERACTION: Final = Interaction("delete", answer)
CONDITIONAL: Final = Interaction("delete", answer_conditionally, conditional=True)
