"""http://hl7.org/fhir/R4/http.html#patch: change parts of a resource, or of one that is sought."""

from __future__ import annotations

from typing import Final

from helsevev.access.writing import fingerprint_of
from helsevev.fhir import patch as patches
from helsevev.fhir.outcome import error
from helsevev.fhir.patch import JSON_PATCH, Patch
from helsevev.fhir_api.answer import Answer, Header
from helsevev.fhir_api.interaction import Doors, Interaction
from helsevev.fhir_api.negotiation import check_content
from helsevev.fhir_api.problem import Problem, bad_request
from helsevev.fhir_api.request import LARGEST_RESOURCE, Request
from helsevev.fhir_api.written import of_written

ACCEPT_PATCH: Final[Header] = (b"accept-patch", ", ".join(patches.FORMATS).encode())
"""RFC 5789, section 3.1."""

_JSON_PATCH: Final = frozenset({JSON_PATCH})


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with the new version; 400 without If-Match or for a patch that is none.

    412 when another version is the newest, 422 when the patch does not fit it, 404, 410, 415.
    """
    resource_type, resource_id = request.segments
    request.refuse_parameters()
    if_match, key = request.if_match, request.idempotency_key
    patch = await _read(request)
    written = await doors.writer.patch(
        request.actor, resource_type, resource_id, patch.apply,
        if_match=if_match, idempotency_key=key, fingerprint=fingerprint_of(patch.document),
    )  # fmt: skip
    return of_written(request, written)


async def answer_conditionally(doors: Doors, request: Request) -> Answer:
    """The same for the one resource that the query finds; none: 404, several: 412."""
    (resource_type,) = request.segments
    if not request.query:
        raise bad_request("Name the resource by its id, or by a search.", "required")
    if_match, key = request.if_match, request.idempotency_key
    patch = await _read(request)
    written = await doors.conditionals.patch(
        request.actor, resource_type, request.query, patch.apply,
        if_match=if_match, idempotency_key=key, fingerprint=fingerprint_of(patch.document),
    )  # fmt: skip
    return of_written(request, written)


async def _read(request: Request) -> Patch:
    """The patch of the body, or of a Bundle's entry. Raises `Problem` 400, 413, 415."""
    kind = request.header(b"content-type").partition(";")[0].strip().lower()
    if request.content is None and kind == JSON_PATCH:
        check_content(request.headers[b"content-type"], _JSON_PATCH)
        return patches.read_json(await request.body(LARGEST_RESOURCE))
    if request.content is None and not kind:
        raise _unknown_patch("A patch says its Content-Type.")
    try:
        resource = await request.resource()
    except Problem as problem:
        if problem.status == 415:
            raise _unknown_patch(problem.issues[0].diagnostics) from None
        raise
    return patches.of_resource(resource)


def _unknown_patch(diagnostics: str) -> Problem:
    names = " or ".join(patches.FORMATS)
    text = f"{diagnostics} Patches are {names}."
    return Problem(415, error("not-supported", text), headers=(ACCEPT_PATCH,))


INTERACTION: Final = Interaction("patch", answer)
CONDITIONAL: Final = Interaction("patch", answer_conditionally, conditional=True)
