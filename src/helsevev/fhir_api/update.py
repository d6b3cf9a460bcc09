"""http://hl7.org/fhir/R4/http.html#update, also of the one that a search finds (#cond-update)."""

from __future__ import annotations

from typing import Final

from helsevev.access.writing import Written
from helsevev.fhir.outcome import error
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors, Interaction
from helsevev.fhir_api.problem import Problem, bad_request
from helsevev.fhir_api.request import NO_SUCH_VERSION, Request
from helsevev.fhir_api.written import of_written, refuse_other_type


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with the new version, or 201 when the client's id was free.

    An update of what exists names the version it follows: 400 without If-Match (as R4 asks of
    servers that require it), 412 when another version is the newest.
    """
    resource_type, resource_id = request.segments
    request.refuse_parameters()
    if_match, key = request.if_match, request.idempotency_key
    resource = await request.resource()
    refuse_other_type(resource, resource_type)
    if resource.get("id") != resource_id:
        text = f"The id in the body must be {resource_id!r}, as in the URL."
        raise bad_request(text, "value", f"{resource_type}.id")
    written = await doors.writer.write(
        request.actor, resource, if_match=if_match, idempotency_key=key
    )
    return _told(request, written, if_match)


async def answer_conditionally(doors: Doors, request: Request) -> Answer:
    """The same for the one resource that the query finds; none: it is created; several: 412."""
    (resource_type,) = request.segments
    if not request.query:
        raise bad_request("Name the resource by its id, or by a search.", "required")
    if_match, key = request.if_match, request.idempotency_key
    resource = await request.resource()
    refuse_other_type(resource, resource_type)
    written = await doors.conditionals.update(request.actor, resource, request.query, if_match, key)
    return _told(request, written, if_match)


def _told(request: Request, written: Written, if_match: int | None) -> Answer:
    newest = written.stored.version
    impossible = if_match is not None and (if_match == NO_SUCH_VERSION or if_match > newest)
    if impossible and not written.changed:
        # Nothing had to be changed. An older version means a repeat after a lost answer; one
        # that never was means a mistake.
        text = f"{written.stored.reference} is at version {newest}; another was seen."
        raise Problem(412, error("conflict", text))
    return of_written(request, written)


INTERACTION: Final = Interaction("update", answer)
CONDITIONAL: Final = Interaction("update", answer_conditionally, conditional=True)
