"""The list of medicines: by group, with what is new, each with its story, and on paper."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any, Final

from litestar import Request, Response, get
from litestar.background_tasks import BackgroundTask
from litestar.response import Redirect

from helsevev.access.errors import Refused
from helsevev.access.guard import actor_of_request
from helsevev.access.services import Services
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.opened import Change, Opened, changes_since, looked_at, open_list
from helsevev.medication.panel import Medicine
from helsevev.medication.patient_list import plain_list
from helsevev.medication.patient_pdf import day_of, pdf_of
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_PART: Final = "medications"
"""What the list is called as a part of the chart that is looked at by itself."""


@get("/patient/{patient_id:str}/medications", opt=_RECORD)
async def medicine_list(request: _Request, patient_id: str, since: int = 0) -> Response[Any]:
    """The whole list. `since` keeps what was new when the reader came from the overview."""
    try:
        opened = await open_list(_services(request), actor_of_request(request), patient_id)
    except Refused as refusal:
        if refusal.decision.may_break_glass:
            return Redirect(f"/emergency/{patient_id}", status_code=303)
        raise
    at = clock.now()
    answer = await _list(request, opened, since, "medication/list.html")
    answer.background = BackgroundTask(opened.services.live.look, opened.permit, at, _PART)
    return answer


@get("/patient/{patient_id:str}/medications/list", opt=_RECORD)
async def medicine_rows(request: _Request, patient_id: str, since: int = 0) -> Response[Any]:
    """The list by itself, as the page fetches it again when the record changes."""
    opened = await open_list(
        _services(request), actor_of_request(request), patient_id, interaction="refresh"
    )
    return await _list(request, opened, since, "medication/_list.html")


@get("/patient/{patient_id:str}/medications/print", opt=_RECORD)
async def medicine_print(request: _Request, patient_id: str) -> Response[Any]:
    """The list for the patient, in plain words, made to be printed."""
    opened = await open_list(
        _services(request), actor_of_request(request), patient_id, interaction="print"
    )
    return render(
        request, "medication/print.html", opened=opened, parts=plain_list(opened.listed),
        place="patients", page_title=_("Your medicines"),
    )  # fmt: skip


@get("/patient/{patient_id:str}/medications/list.pdf", opt=_RECORD)
async def medicine_pdf(request: _Request, patient_id: str) -> Response[bytes]:
    """The list for the patient as a PDF to keep or send."""
    opened = await open_list(
        _services(request), actor_of_request(request), patient_id, interaction="print"
    )
    born = day_of(opened.birth_date)
    made = await asyncio.to_thread(
        pdf_of, opened.name, born, plain_list(opened.listed), clock.now()
    )  # fmt: skip
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": 'attachment; filename="legemidler.pdf"',
    }
    return Response(made, media_type="application/pdf", headers=headers)


async def _list(request: _Request, opened: Opened, since: int, template: str) -> Response[Any]:
    looked: datetime | None = looked_at(since)
    if looked is None:
        # Whoever comes by the menu has seen the overview just now, and not the list.
        live = opened.services.live
        looked = await live.last_look(opened.permit, _PART) or await live.last_look(opened.permit)
    changed: dict[str, Change] = await changes_since(opened, looked)
    mark = int(looked.timestamp() * 1e6) if looked else 0
    return render(
        request, template, opened=opened, listed=opened.listed, changed=changed,
        groups=_groups(opened), place="patients", page_title=opened.name,
        live_url=f"{opened.base}/live", mark=mark, printed=clock.now(),
    )  # fmt: skip


def _groups(opened: Opened) -> list[tuple[str, str, tuple[Medicine, ...], str]]:
    listed = opened.listed
    every = [
        ("regular", _("Regular"), listed.regular, "active"),
        ("as-needed", _("As needed"), listed.as_needed, "active"),
        ("course", _("For a time"), listed.course, "active"),
        ("paused", _("On hold"), listed.paused, "on-hold"),
        ("uncertain", _("Not known whether in use"), listed.uncertain, "active"),
        ("planned", _("Planned"), listed.planned, "active"),
        ("stopped", _("Stopped"), listed.stopped, "stopped"),
    ]
    return [group for group in every if group[2]]


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services
