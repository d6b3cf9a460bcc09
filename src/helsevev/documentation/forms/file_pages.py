"""Photos and files that belong to an answer: taken in with the draft, kept when it is signed."""

from __future__ import annotations

import asyncio
from typing import Any, Final
from uuid import uuid4

from litestar import Request, Response, post
from litestar.datastructures import UploadFile

from helsevev.access.draft_files import DraftFile
from helsevev.access.guard import staff_of_request
from helsevev.access.services import Services
from helsevev.documentation.notes import files
from helsevev.locale import gettext as _

_Request = Request[Any, Any, Any]
_LARGEST: Final = files.MOST_BYTES + 1_000_000
_LONGEST_TITLE: Final = 100


@post(
    "/patient/{patient_id:str}/forms/{key:str}/drafts/{draft:str}/files",
    opt={"decision": "record"}, status_code=200, request_max_body_size=_LARGEST,
)  # fmt: skip
async def attach(request: _Request, patient_id: str, draft: str) -> Response[Any]:
    """Keep a photo or a PDF with a form that is not signed; answers with the name it is kept under.

    The name stands in the question's input. `title` is what the page shows: the file's name, or
    why it is not taken.
    """
    services: Services = request.app.state.services
    actor = staff_of_request(request)
    permit = await services.gate.open_chart(actor, patient_id, interaction="write")
    form = await request.form()
    sent = form.get("file")
    if str(form.get("patient", "")) != patient_id or not isinstance(sent, UploadFile):
        return Response({"title": _("The file did not arrive. Send it again.")}, status_code=422)
    if len(await services.draft_files.of(permit, draft)) >= files.MOST_FILES:
        return Response({"title": _("A form has at most twelve files.")}, status_code=422)
    try:
        # Drawing the picture anew takes a moment; others are answered meanwhile.
        taken = await asyncio.to_thread(files.taken, await sent.read())
    except files.NotTaken as refusal:
        return Response({"title": str(refusal)}, status_code=422)
    title = (sent.filename or "").strip()[:_LONGEST_TITLE] or _("Photo")
    kept = DraftFile(str(uuid4()), title, taken.media_type, len(taken.content))
    await services.draft_files.keep(permit, draft, kept, taken.content)
    return Response({"name": kept.id, "title": title})


ROUTES: Final = (attach,)
