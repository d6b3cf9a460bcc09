"""http://hl7.org/fhir/R4/http.html#vread: one version of a resource."""

from __future__ import annotations

from typing import Final

from helsevev.access.errors import NotFound
from helsevev.fhir_api.answer import Answer, of_stored
from helsevev.fhir_api.interaction import Doors, Interaction
from helsevev.fhir_api.read import is_known
from helsevev.fhir_api.request import NO_SUCH_VERSION, Request, version_number
from helsevev.fhir_api.shaping import shape_asked


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with that version's bytes, 304, 404, 403, or 410 when that version is the deletion."""
    resource_type, resource_id, _, text = request.segments
    request.refuse_parameters()
    shape = shape_asked(request)
    version = version_number(text)
    if version == NO_SUCH_VERSION:
        raise NotFound(f"{resource_type}/{resource_id}/_history/{text[:64]}")
    stored = await doors.gate.open_version(request.actor, resource_type, resource_id, version)
    if is_known(request, stored):
        return Answer(304, None, stored.version, stored.last_updated)
    return of_stored(stored, shape(stored))


INTERACTION: Final = Interaction("vread", answer)
