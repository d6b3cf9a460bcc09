"""A signed note as a PDF, for paper."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException

from helsevev.access.guard import actor_of_request
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.documentation.notes import files
from helsevev.documentation.notes.desk import open_desk
from helsevev.documentation.notes.paper import pdf_of_note
from helsevev.documentation.panel import composition
from helsevev.kit import clock

_Request = Request[Any, Any, Any]
_SLICES: Final = (Slice("Patient", 1), Slice("Encounter", 1))


@get("/patient/{patient_id:str}/notes/{note_id:str}/pdf", opt={"decision": "record"})
async def note_pdf(request: _Request, patient_id: str, note_id: str) -> Response[bytes]:
    """The note with its photos, with where its lines are from and who has signed it."""
    services: Services = request.app.state.services
    actor = actor_of_request(request)
    desk = await open_desk(services, actor, patient_id, _SLICES, interaction="print")
    stored = await services.gate.open_resource(actor, "Composition", note_id)
    if not desk.is_about(stored.resource):
        raise NotFoundException("There is no such note about this patient.")
    document = composition(stored.resource)
    wanted = [("Media", f.id) for f in document.attached if f.source == "Media"]
    found = await services.gate.open_many(actor, wanted, interaction="print") if wanted else {}
    photos = [
        (file.title, held.content)
        for file in document.attached
        if (media := found.get(("Media", file.id))) and (held := files.held(media))
    ]
    written = await asyncio.to_thread(pdf_of_note, document, desk.patient, photos, clock.now())
    return Response(
        written, media_type=files.PDF,
        headers={"Content-Disposition": 'inline; filename="notat.pdf"'},
    )  # fmt: skip


ROUTES: Final = (note_pdf,)
