"""http://hl7.org/fhir/R4/observation-operation-lastn.html: the newest observations of each kind."""

from __future__ import annotations

from typing import Final

from helsevev.fhir_api import bundle_text
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.bundle_text import MATCH
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import PRESENTATION, Request
from helsevev.fhir_api.shaping import shape_asked

_ABOUT: Final = frozenset({"patient", "subject"})
_NARROWING: Final = frozenset({"category", "code"})


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with a searchset of the newest `max` (1) of each code, by any search of observations.

    Patient or subject must be named, and category or code, as R4 asks. 400, 403 as a search.
    """
    search = [(name, value) for name, value in request.parameters if name not in PRESENTATION]
    most = 1
    for name, value in search:
        if name == "max":
            if not (value.isascii() and value.isdigit() and 0 < int(value[:6]) <= 1000):
                raise bad_request("max is a number from 1 to 1,000.", "value", "max")
            most = int(value)
    search = [(name, value) for name, value in search if name != "max"]
    names = {name.partition(":")[0].partition(".")[0] for name, _ in search}
    if not names & _ABOUT:
        raise bad_request("Name the patient or subject.", "required", "patient")
    if not names & _NARROWING:
        raise bad_request("Name a category or a code.", "required", "category")
    if refused := sorted(n for n in names if n.startswith("_") and n not in ("_id", "_tag")):
        raise bad_request(f"$lastn does not know {', '.join(refused)}.", "not-supported")
    found = await doors.services.summaries.last_of_each(request.actor, search, most)
    links = [("self", bundle_text.url(f"{request.base}/Observation/$lastn", request.parameters))]
    shape = shape_asked(request)
    body = bundle_text.searchset(request.base, links, len(found), [(MATCH, found)], shape)
    return Answer(200, body)


OPERATION: Final = Operation(
    name="lastn",
    definition="http://hl7.org/fhir/OperationDefinition/Observation-lastn",
    answer=answer,
    types=("Observation",),
)
