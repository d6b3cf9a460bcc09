"""Reading Subscriptions: a system sees all, anyone else their own."""

from __future__ import annotations

from typing import Final

from helsevev.fhir_api import bundle_text, read, search_type
from helsevev.fhir_api.answer import Answer, of_stored
from helsevev.fhir_api.bundle_text import MATCH
from helsevev.fhir_api.interaction import Doors, Interaction
from helsevev.fhir_api.request import Request
from helsevev.fhir_api.shaping import shape_asked


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with the stored bytes, 304, 404, 410; 403 for another's."""
    request.refuse_parameters()
    shape = shape_asked(request)
    stored = await doors.services.subscriptions.open(request.actor, request.segments[1])
    if read.is_known(request, stored):
        return Answer(304, None, stored.version, stored.last_updated)
    return of_stored(stored, shape(stored))


async def search(doors: Doors, request: Request) -> Answer:
    """200 with a searchset: what a system searches for, or all of one's own."""
    if request.actor.kind == "system":
        return await search_type.answer(doors, request)
    request.refuse_parameters()
    shape = shape_asked(request)
    own = await doors.services.subscriptions.open_own(request.actor)
    links = [("self", f"{request.base}/Subscription")]
    body = bundle_text.searchset(request.base, links, len(own), [(MATCH, own)], shape)
    return Answer(200, body)


OF_SUBSCRIPTIONS: Final = {
    "read": Interaction("read", answer),
    "search-type": Interaction("search-type", search),
}
"""What answers instead, by the code of the interaction that other types have."""
