"""AuditEvents of the record's own trail: read by id, or searched, newest first.

By patient (and date) for those who may see that record's log; by agent, entity, outcome and date
across records for the privacy officer and systems.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from helsevev.access.audit.events import Events
from helsevev.access.audit.trail_search import Asked, Place, TrailSearch, cursor_of, place_of
from helsevev.access.stored import Stored
from helsevev.access.touch import EVER
from helsevev.fhir import dates
from helsevev.fhir.search_query import parse
from helsevev.fhir.search_terms import TokenTerm
from helsevev.fhir_api import bundle_text
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.bundle_text import MATCH
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request
from helsevev.fhir_api.shaping import shape_of

TYPE: Final = "AuditEvent"
_SHAPE: Final = frozenset(
    {"_count", "_cursor", "_sort", "_elements", "_summary", "_format", "_pretty"}
)
_OF_ONE: Final = frozenset({"patient", "date"})
_ACROSS: Final = frozenset({"patient", "date", "agent", "entity", "outcome"})
_OUTCOMES: Final = {"0": False, "8": True}
_USUAL: Final = 50
_MOST: Final = 1000
_NEWEST: Final = 2**62
_PREFIXES: Final = frozenset({"ge", "gt", "le", "lt", "eq"})


def is_about_the_trail(asked: list[tuple[str, str]]) -> bool:
    """Whether a search of AuditEvents is one of the trail: by nothing but what a row tells."""
    names = {name for name, _ in asked} - _SHAPE
    return bool(names) and names <= _ACROSS


async def read(doors: Doors, request: Request, resource_id: str) -> Stored:
    """The event. Raises `NotFound` or `Refused`."""
    return await Events(doors.gate).read(request.actor, resource_id)


async def search(doors: Doors, request: Request, asked: list[tuple[str, str]]) -> Answer:
    """A searchset of who has touched what, newest first, what systems sent us left aside."""
    given = dict(asked)
    if given.get("_sort", "-date") != "-date":
        raise bad_request("The trail is told newest first: _sort=-date.", "not-supported", "_sort")
    if not ({name for name, _ in asked} - _SHAPE <= _OF_ONE and "patient" in given):
        return await _search_across(doors, request, asked)
    patients = [value for name, value in asked if name == "patient"]
    patient = patients[0].rsplit("/", 1)[-1]
    if len(patients) != 1 or not patient or "," in patient:
        raise bad_request("Name one patient.", "not-supported", "patient")
    count = _whole(given.get("_count", str(_USUAL)), "_count")
    start, end = _bounds([value for name, value in asked if name == "date"])
    cursor = given.get("_cursor")
    before = _NEWEST if cursor is None else _whole(cursor, "_cursor")
    limit = max(1, min(count, _MOST))
    found = await Events(doors.gate).of_patient(
        request.actor, patient, start=start, end=end, before=before, limit=limit
    )
    following = str(int(found[-1].id.rpartition("-")[2], 16)) if len(found) == limit else ""
    return _answer(request, asked, found, following)


async def _search_across(doors: Doors, request: Request, asked: list[tuple[str, str]]) -> Answer:
    given = dict(asked)
    for name in _ACROSS - {"date", "outcome"}:
        if sum(each == name for each, _ in asked) > 1 or "," in given.get(name, ""):
            raise bad_request(f"Name one {name}.", "not-supported", name)
    patient = given.get("patient", "")
    if patient and "entity" in given:
        raise bad_request("Name a patient or an entity.", "not-supported", "entity")
    outcomes = _outcomes(request, asked)
    start, end = _bounds([value for name, value in asked if name == "date"])
    before = _place(given.get("_cursor"))
    if not outcomes:
        # Nothing ended like that: a time in which nothing was, for whom the trail is open.
        start, before = end, None
    wanted = Asked(
        agent=_reference(given.get("agent", ""), "Practitioner"),
        entity=_reference(patient or given.get("entity", ""), "Patient"),
        refused=None if len(outcomes) == 2 else True in outcomes, start=start, end=end,
        before=before,
    )  # fmt: skip
    limit = max(1, min(_whole(given.get("_count", str(_USUAL)), "_count"), _MOST))
    found, following = await TrailSearch(doors.gate).events(request.actor, wanted, limit)
    return _answer(request, asked, found, "" if following is None else cursor_of(following))


def _outcomes(request: Request, asked: list[tuple[str, str]]) -> set[bool]:
    """Whether what was refused and what was done is asked for. Raises `SearchError`."""
    pairs = [pair for pair in asked if pair[0] == "outcome"]
    found = {False, True}
    for condition in parse(TYPE, pairs, base=request.base).conditions:
        terms = [term for term in condition.terms if isinstance(term, TokenTerm)]
        found &= {
            refused
            for code, refused in _OUTCOMES.items()
            if any(not term.system and term.code in (None, code) for term in terms)
        }
    return found


def _answer(
    request: Request, asked: list[tuple[str, str]], found: list[Stored], following: str
) -> Answer:
    path, given = f"{request.base}/{TYPE}", dict(asked)
    links = [("self", bundle_text.url(path, asked))]
    if following:
        rest = [pair for pair in asked if pair[0] != "_cursor"]
        links.append(("next", bundle_text.url(path, [*rest, ("_cursor", following)])))
    names = [part.strip() for part in given.get("_elements", "").split(",") if part.strip()]
    shape = shape_of(given.get("_summary"), names)
    return Answer(200, bundle_text.searchset(request.base, links, None, [(MATCH, found)], shape))


def _reference(text: str, usual: str) -> str:
    """`Type/id` of a reference, which may be an address or an id alone."""
    parts = text.rstrip("/").split("/")[-2:]
    return "" if not text else "/".join(parts if len(parts) == 2 else (usual, parts[-1]))


def _place(cursor: str | None) -> Place | None:
    try:
        return None if cursor is None else place_of(cursor)
    except ValueError:
        raise bad_request("_cursor is not one that a page gave.", "value", "_cursor") from None


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise bad_request(f"{name} is a whole number.", "value", name)
    return int(text)


def _bounds(values: list[str]) -> tuple[datetime, datetime]:
    start, end = EVER
    for value in values:
        prefix = value[:2] if value[:2] in _PREFIXES else "eq"
        span = dates.bounds(value.removeprefix(prefix))
        if span is None:
            raise bad_request(f"{value} is no date.", "value", "date")
        low, high = (datetime.fromtimestamp(edge / 1e6, UTC) for edge in span)
        if prefix in ("ge", "eq"):
            start = max(start, low)
        if prefix == "gt":
            start = max(start, high)
        if prefix in ("le", "eq"):
            end = min(end, high)
        if prefix == "lt":
            end = min(end, low)
    return start, end
