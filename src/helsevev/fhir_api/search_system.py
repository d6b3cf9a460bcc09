"""http://hl7.org/fhir/R4/http.html#search: search without a type in the path; `_type` names one."""

from __future__ import annotations

from typing import Final

from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors, Interaction
from helsevev.fhir_api.national_numbers import refuse_in_url
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request
from helsevev.fhir_api.search_type import Pairs, posted, search


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with a searchset of the type that `_type` names, 400 when it names none or several."""
    refuse_in_url(request.actor, request.parameters)
    return await _search(doors, request, request.parameters)


async def answer_post(doors: Doors, request: Request) -> Answer:
    """The same, with parameters in the body as well as in the URL."""
    return await _search(doors, request, await posted(request))


async def _search(doors: Doors, request: Request, asked: Pairs) -> Answer:
    named = [value for name, value in asked if name == "_type"]
    if len(named) != 1 or named[0] not in RESOURCE_TYPES:
        text = "A search of the whole record names one type: _type=Observation."
        raise bad_request(text, "not-supported", "_type")
    request.segments = (named[0],)
    return await search(doors, request, named[0], [pair for pair in asked if pair[0] != "_type"])


INTERACTION: Final = Interaction("search-system", answer)
BY_POST: Final = Interaction("search-system", answer_post)
