"""The parameters that all histories share: `_since`, `_at`, `_count` and the server's `_cursor`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from helsevev.access.history import HistoryPage, Period
from helsevev.fhir import dates
from helsevev.fhir_api import bundle_text
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request
from helsevev.fhir_api.shaping import shape_of_entries

USUAL_COUNT: Final = 100
_KNOWN: Final = ("_since", "_at", "_count", "_cursor")

Open = Callable[[Period, int, str | None], Awaitable[HistoryPage]]


async def answer_page(request: Request, open_page: Open) -> Answer:
    """A history Bundle of the page that `open_page` gives. Raises `Problem` 400."""
    request.refuse_parameters(*_KNOWN)
    shape = shape_of_entries(request)
    period = Period(_since(request), _at(request))
    count = 0 if request.parameter("_summary") == "count" else _count(request)
    page = await open_page(period, count, request.parameter("_cursor"))
    path = "/".join((request.base, *request.segments))
    asked = [(name, value) for name, value in request.parameters if name != "_cursor"]
    links = [("self", bundle_text.url(path, request.parameters))]
    if page.next_cursor is not None:
        following = [*asked, ("_cursor", page.next_cursor)]
        links.append(("next", bundle_text.url(path, following)))
    body = bundle_text.history(request.base, links, page.total, page.versions, shape)
    return Answer(200, body)


def _count(request: Request) -> int:
    text = request.parameter("_count")
    if text is None:
        return USUAL_COUNT
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise bad_request("_count is a whole number.", "value", "_count")
    return int(text)


def _since(request: Request) -> datetime | None:
    bounds = _bounds(request, "_since")
    return None if bounds is None else bounds[0]


def _at(request: Request) -> tuple[datetime, datetime] | None:
    return _bounds(request, "_at")


def _bounds(request: Request, name: str) -> tuple[datetime, datetime] | None:
    text = request.parameter(name)
    if text is None:
        return None
    # A plus sign before the zone that was not escaped has become a space.
    found = dates.bounds(text.strip().replace(" ", "+"))
    if found is None:
        raise bad_request(f"{name} is a date or a time: 2026-01-31T12:00:00Z.", "value", name)
    try:
        return dates.moment(found[0]), dates.moment(found[1])
    except OverflowError:
        raise bad_request(f"{name} is too far away.", "value", name) from None
