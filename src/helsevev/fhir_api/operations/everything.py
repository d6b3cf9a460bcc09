"""http://hl7.org/fhir/R4/operation-patient-everything.html and the encounter's: a whole record."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final

from helsevev.access.everything import EverythingPage, Part
from helsevev.access.export.asked import moment_of, types_of
from helsevev.fhir import dates
from helsevev.fhir_api import bundle_text, pretty
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.bundle_text import INCLUDE, MATCH
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.negotiation import FHIR_JSON, FHIR_XML, media_type
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.operations.parameters import Given, given
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request
from helsevev.fhir_api.shaping import whole

_WHOLE_ANSWER: Final = 1000
"""Up to so many resources an answer is sent in one piece, with its length."""

_PIECE: Final = 200
_PATIENT: Final = frozenset({"start", "end", "_since", "_type", "_count", "_cursor"})
_ENCOUNTER: Final = frozenset({"_since", "_type", "_count", "_cursor"})


async def of_patient(doors: Doors, request: Request) -> Answer:
    """200 with a searchset; 400, 403, 404, 410."""
    asked = await given(request, _PATIENT)
    start, end = _bounds(asked, "start"), _bounds(asked, "end")
    part = Part(
        types_of(asked.all("_type")),
        moment_of(asked.text("_since"), "_since") or Part().since,
        start[0] if start else dates.MIN,
        end[1] if end else dates.MAX,
    )
    page = await doors.services.everything.of_patient(
        request.actor, request.segments[1], part, count=_count(asked), cursor=asked.text("_cursor")
    )
    return _answer(request, asked, page)


async def of_encounter(doors: Doors, request: Request) -> Answer:
    """200 with a searchset; 400, 403, 404, 410."""
    asked = await given(request, _ENCOUNTER)
    since = moment_of(asked.text("_since"), "_since") or Part().since
    encounter_id = request.segments[1]
    part = Part(types_of(asked.all("_type")), since, encounter=encounter_id)
    page = await doors.services.everything.of_encounter(
        request.actor, encounter_id, part, count=_count(asked), cursor=asked.text("_cursor")
    )
    return _answer(request, asked, page)


def _count(asked: Given) -> int | None:
    count = asked.whole("_count")
    if count == 0:
        raise bad_request("_count is at least 1.", "value", "_count")
    return count


def _bounds(asked: Given, name: str) -> tuple[int, int] | None:
    text = asked.text(name).replace(" ", "+")
    found = dates.bounds(text) if text else None
    if text and found is None:
        raise bad_request(f"{name} is a date, not {text[:80]!r}.", "value", name)
    return found


def _answer(request: Request, asked: Given, page: EverythingPage) -> Answer:
    path = "/".join((request.base, *request.segments))
    pairs = [(n, str(v)) for n, values in asked.texts.items() for v in values if n != "_cursor"]
    links = [("self", bundle_text.url(path, [(n, v) for n, v in pairs]))]
    if page.next_cursor is not None:
        links.append(("next", bundle_text.url(path, [*pairs, ("_cursor", page.next_cursor)])))
    only = page.next_cursor is None and not asked.text("_cursor")
    total = len(page.matches) if only else None
    parts = [(MATCH, page.matches), (INCLUDE, page.included)]
    if len(page.matches) + len(page.included) <= _WHOLE_ANSWER or not _takes_pieces(request):
        return Answer(200, bundle_text.searchset(request.base, links, total, parts, whole))
    return Answer(
        200, extra=((b"content-type", FHIR_JSON),), stream=_stream(request.base, links, total, page)
    )


def _takes_pieces(request: Request) -> bool:
    """Whether the bytes go out as they are: XML and indented JSON are made of the whole."""
    asked = pretty.asked_format(request.query) if request.query else None
    if request.query and pretty.is_asked(request.query):
        return False
    return media_type(request.headers.get(b"accept", b""), asked) is not FHIR_XML


async def _stream(
    base: str, links: list[bundle_text.Link], total: int | None, page: EverythingPage
) -> AsyncGenerator[bytes, None]:
    """The same Bundle, so many entries at a time: no more than that is held expanded."""
    head = bundle_text.searchset(base, links, total, [], whole)
    before = head[:-1] + b',"entry":['
    for mode, rows in ((MATCH, page.matches), (INCLUDE, page.included)):
        for start in range(0, len(rows), _PIECE):
            found = [(mode, rows[start : start + _PIECE])]
            entries = bundle_text.searchset(base, (), None, found, whole)
            yield before + entries[entries.index(b'"entry":[') + 9 : -2]
            before = b","
    yield b"]}"


_DEFINITION: Final = "http://hl7.org/fhir/OperationDefinition/"
PATIENT: Final = Operation(
    "everything", f"{_DEFINITION}Patient-everything", of_patient, instances=("Patient",)
)
ENCOUNTER: Final = Operation(
    "everything", f"{_DEFINITION}Encounter-everything", of_encounter, instances=("Encounter",)
)
