"""AuditEvents of the record's own trail: read by id, searched by patient and date, newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from helsevev.access.audit.events import Events
from helsevev.access.stored import Stored
from helsevev.access.touch import EVER
from helsevev.fhir import dates
from helsevev.fhir_api import bundle_text
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.bundle_text import MATCH
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request
from helsevev.fhir_api.shaping import shape_of

TYPE: Final = "AuditEvent"
_KNOWN: Final = frozenset({"patient", "date", "_count", "_cursor", "_sort", "_elements", "_summary",
                           "_format", "_pretty"})  # fmt: skip
_USUAL: Final = 50
_MOST: Final = 1000
_NEWEST: Final = 2**62
_PREFIXES: Final = frozenset({"ge", "gt", "le", "lt", "eq"})


def is_about_the_trail(asked: list[tuple[str, str]]) -> bool:
    """Whether a search of AuditEvents is one of the trail: by patient, and date at most."""
    names = {name for name, _ in asked}
    return "patient" in names and names <= _KNOWN


async def read(doors: Doors, request: Request, resource_id: str) -> Stored:
    """The event. Raises `NotFound` or `Refused`."""
    return await Events(doors.gate).read(request.actor, resource_id)


async def search(doors: Doors, request: Request, asked: list[tuple[str, str]]) -> Answer:
    """A searchset of who has touched one record, newest first, what systems sent us left aside."""
    given = dict(asked)
    if given.get("_sort", "-date") != "-date":
        raise bad_request("The trail is told newest first: _sort=-date.", "not-supported", "_sort")
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
    path = f"{request.base}/{TYPE}"
    links = [("self", bundle_text.url(path, asked))]
    if len(found) == limit:
        following = [pair for pair in asked if pair[0] != "_cursor"]
        last = int(found[-1].id.rpartition("-")[2], 16)
        links.append(("next", bundle_text.url(path, [*following, ("_cursor", str(last))])))
    names = [part.strip() for part in given.get("_elements", "").split(",") if part.strip()]
    shape = shape_of(given.get("_summary"), names)
    return Answer(200, bundle_text.searchset(request.base, links, None, [(MATCH, found)], shape))


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
