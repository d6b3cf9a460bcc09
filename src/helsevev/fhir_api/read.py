"""http://hl7.org/fhir/R4/http.html#read: the current version of a resource."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Final

from helsevev.access.errors import NotFound
from helsevev.access.stored import Stored
from helsevev.fhir_api import audit_events
from helsevev.fhir_api.answer import Answer, of_stored
from helsevev.fhir_api.interaction import Doors, Interaction
from helsevev.fhir_api.request import Request
from helsevev.fhir_api.shaping import Shape, shape_asked, whole


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with the stored bytes, 304 when the client has them, 404, 410 or 403."""
    resource_type, resource_id = request.segments
    shape: Shape = whole
    if request.query:
        request.refuse_parameters()
        shape = shape_asked(request)
    try:
        stored = await doors.gate.open_resource(request.actor, resource_type, resource_id)
    except NotFound:
        if resource_type != audit_events.TYPE:
            raise
        stored = await audit_events.read(doors, request, resource_id)
    if is_known(request, stored):
        return Answer(304, None, stored.version, stored.last_updated)
    return of_stored(stored, shape(stored))


def is_known(request: Request, stored: Stored) -> bool:
    """Whether If-None-Match or else If-Modified-Since says that the client has this version."""
    headers = request.headers
    known = headers.get(b"if-none-match")
    if known is not None:
        etags = {part.strip().removeprefix(b"W/").strip(b'"') for part in known.split(b",")}
        return b"*" in etags or b"%d" % stored.version in etags
    since = headers.get(b"if-modified-since")
    if since is None:
        return False
    try:
        moment = parsedate_to_datetime(since.decode("latin-1"))
    except ValueError:
        return False  # As RFC 9110 asks, a date that is none is left aside.
    if moment.tzinfo is None:
        return False
    return stored.last_updated.replace(microsecond=0) <= moment


INTERACTION: Final = Interaction("read", answer)
