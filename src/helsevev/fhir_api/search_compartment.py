"""http://hl7.org/fhir/R4/http.html#vsearch: search in a compartment.

`Patient/<id>/Observation?…` is the type's search with the inhabitant as one condition more, and
`Encounter/<id>/Observation?…` one for what belongs to the encounter: so for all five of R4's
compartments. `Patient/<id>/*` is everything that is kept with the inhabitant.
"""

from __future__ import annotations

from typing import Final

from helsevev.fhir.compartments import COMPARTMENTS
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.outcome import error
from helsevev.fhir_api import bundle_text
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.bundle_text import MATCH
from helsevev.fhir_api.interaction import Doors, Interaction
from helsevev.fhir_api.national_numbers import refuse_in_url
from helsevev.fhir_api.problem import Problem, bad_request
from helsevev.fhir_api.request import PRESENTATION, Request
from helsevev.fhir_api.search_type import Pairs, posted, search
from helsevev.fhir_api.shaping import shape_of

_ABOUT: Final = ("patient", "subject", "beneficiary", "individual", "actor")
_KNOWN: Final = PRESENTATION | {"_count", "_cursor", "_type"}
_USUAL_COUNT: Final = 100


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with a searchset; 403, 404 for a type that is in no compartment, 400."""
    refuse_in_url(request.actor, request.parameters)
    return await _search(doors, request, request.parameters)


async def answer_post(doors: Doors, request: Request) -> Answer:
    """The same, with parameters in the body as well as in the URL."""
    return await _search(doors, request, await posted(request))


async def _search(doors: Doors, request: Request, asked: Pairs) -> Answer:
    compartment, owner, resource_type, *_ = request.segments
    if resource_type == "*":
        if compartment == "Patient":
            return await _everything(doors, request, owner, asked)
        text = f"Name a type: {compartment}/{owner}/Observation. Only a Patient has …/*."
        raise bad_request(text, "not-supported")
    if compartment == "Patient" == resource_type:
        return await search(doors, request, "Patient", asked, [("_id", owner)])
    names = COMPARTMENTS[compartment].get(resource_type)
    if names is None:
        text = f"{resource_type} is not in the compartment of a {compartment}."
        raise Problem(404, error("not-found", text))
    if compartment == "Patient":
        names = (next((name for name in _ABOUT if name in names), names[0]),)
    owned = [(n, owner if n == "_id" else f"{compartment}/{owner}") for n in names]
    return await search(doors, request, resource_type, asked, owned)


async def _everything(doors: Doors, request: Request, patient_id: str, asked: Pairs) -> Answer:
    given = dict(asked)
    unknown = [name for name in given if name not in _KNOWN]
    if unknown and request.prefer.strict:
        text = f"Patient/<id>/* does not know the parameter {', '.join(unknown)}."
        raise Problem(400, error("not-supported", text))
    count = given.get("_count", str(_USUAL_COUNT))
    if not (count.isascii() and count.isdigit() and len(count) < 10):
        raise bad_request("_count is a whole number.", "value", "_count")
    types = [part for part in given.get("_type", "").split(",") if part]
    if wrong := [part for part in types if part not in RESOURCE_TYPES]:
        raise bad_request(f"R4 has no resource type {', '.join(wrong)}.", "value", "_type")
    page = await doors.compartments.of_patient(
        request.actor, patient_id, types=types, count=int(count), cursor=given.get("_cursor")
    )
    path = f"{request.base}/Patient/{patient_id}/*"
    links = [("self", bundle_text.url(path, asked))]
    if page.next_cursor is not None:
        following = [pair for pair in asked if pair[0] != "_cursor"]
        links.append(("next", bundle_text.url(path, [*following, ("_cursor", page.next_cursor)])))
    names = [part.strip() for part in given.get("_elements", "").split(",") if part.strip()]
    shape = shape_of(given.get("_summary"), names)
    body = bundle_text.searchset(request.base, links, None, [(MATCH, page.resources)], shape)
    return Answer(200, body)


INTERACTION: Final = Interaction("search-type", answer)
BY_POST: Final = Interaction("search-type", answer_post)
