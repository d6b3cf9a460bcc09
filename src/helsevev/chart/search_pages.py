"""Searching in one chart: the page, and what is found while one types."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get, post

from helsevev.access.guard import actor_of_request
from helsevev.access.permit import Permit
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.chart.search import grouped, words_of
from helsevev.content import loading
from helsevev.fhir.reading import birth_date, full_name
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_LONGEST: Final = 100


@get("/patient/{patient_id:str}/search", opt=_RECORD)
async def search_page(request: _Request, patient_id: str) -> Response[Any]:
    """A field to type in."""
    return await _answer(request, patient_id, "")


@post("/patient/{patient_id:str}/search", opt=_RECORD, status_code=200)
async def search_chart(request: _Request, patient_id: str) -> Response[Any]:
    """What holds the words, which stand in the body, never in an address."""
    form = await request.form()
    return await _answer(request, patient_id, str(form.get("words", ""))[:_LONGEST])


async def _answer(request: _Request, patient_id: str, words: str) -> Response[Any]:
    services: Services = request.app.state.services
    actor = actor_of_request(request)
    is_part = bool(request.headers.get("hx-request"))
    permit = await services.gate.open_chart(actor, patient_id, interaction="search-chart")
    words = words.strip()
    shown = len(words) > 1
    hits = await services.chart_search.find(
        permit, words if shown else "", loading.search_words().also, words_of
    )
    groups = grouped(hits.said, hits.measured, f"/patient/{patient_id}")
    context: dict[str, Any] = {
        "groups": groups, "words": words, "searched": shown, "is_cut": hits.is_cut,
        "count": sum(len(group.rows) for group in groups),
    }  # fmt: skip
    if is_part:
        return render(request, "chart/_search_hits.html", **context)
    return render(
        request, "chart/search.html", about=await _about(services, permit), **context,
        base=f"/patient/{patient_id}", place="patients", page_title=_("Search in the chart"),
    )  # fmt: skip


async def _about(services: Services, permit: Permit) -> dict[str, str]:
    found = await services.gate.open_slices(permit, [Slice("Patient", 1)], interaction="read")
    patient = next(iter(found["Patient"]), {})
    return {"name": full_name(patient.get("name")), "birth_date": birth_date(patient)}


ROUTES: Final = (search_page, search_chart)
