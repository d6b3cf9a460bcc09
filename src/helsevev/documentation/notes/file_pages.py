"""Photos and files: taken into an unsigned note, and read again when it is signed."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final
from uuid import uuid4

from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.exceptions import NotFoundException

from helsevev.access.draft import StaleDraft
from helsevev.access.draft_files import DraftFile
from helsevev.access.guard import actor_of_request, staff_of_request
from helsevev.access.permit import Permit
from helsevev.access.services import Services
from helsevev.documentation.notes import files
from helsevev.fhir.reading import mapping, objects, reference_key, text
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.screens.formatting import clinical_time
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_LARGEST: Final = files.MOST_BYTES + 1_000_000
_LONGEST_TITLE: Final = 100


@post(
    "/patient/{patient_id:str}/draft-files/{key:str}", opt=_RECORD, status_code=200,
    request_max_body_size=_LARGEST,
)  # fmt: skip
async def attach_file(request: _Request, patient_id: str, key: str) -> Response[Any]:
    """Keep a photo or a file with a note that is not signed; answers with the list of them."""
    services, actor = _services(request), staff_of_request(request)
    permit = await services.gate.open_chart(actor, patient_id, interaction="write")
    form = await request.form()
    sent = form.get("file")
    if str(form.get("patient", "")) != patient_id or not isinstance(sent, UploadFile):
        return await _listed(request, permit, key, _("The file did not arrive. Send it again."))
    if len(await services.draft_files.of(permit, key)) >= files.MOST_FILES:
        return await _listed(request, permit, key, _("A note has at most twelve files."))
    content = await sent.read()
    try:
        # Drawing the picture anew takes a moment; others are answered meanwhile.
        taken = await asyncio.to_thread(files.taken, content)
    except files.NotTaken as refusal:
        return await _listed(request, permit, key, str(refusal))
    once = str(form.get("id", ""))[:64] or str(uuid4())
    title = str(form.get("title", "")).strip()[:_LONGEST_TITLE] or _title(taken.media_type)
    kept = DraftFile(once, title, taken.media_type, len(taken.content))
    await services.draft_files.keep(permit, key, kept, taken.content)
    await _remember(services, permit, key, str(form.get("type", "")))
    return await _listed(request, permit, key)


@post("/patient/{patient_id:str}/draft-files/{key:str}/{file_id:str}/drop", opt=_RECORD,
      status_code=200)  # fmt: skip
async def drop_file(request: _Request, patient_id: str, key: str, file_id: str) -> Response[Any]:
    """Take a file away from a note that is not signed."""
    services, actor = _services(request), staff_of_request(request)
    permit = await services.gate.open_chart(actor, patient_id, interaction="draft")
    await services.draft_files.drop(permit, key, file_id)
    return await _listed(request, permit, key)


@get("/patient/{patient_id:str}/draft-files/{key:str}/{file_id:str}", opt=_RECORD)
async def draft_file(request: _Request, patient_id: str, key: str, file_id: str) -> Response[bytes]:
    """A file of one's own unsigned note."""
    services, actor = _services(request), staff_of_request(request)
    permit = await services.gate.open_chart(actor, patient_id, interaction="draft")
    held = await services.draft_files.content(permit, key, file_id)
    if held is None:
        raise NotFoundException("There is no such file.")
    return _shown(files.Taken(*held))


@get("/patient/{patient_id:str}/files/{kind:str}/{file_id:str}", opt=_RECORD)
async def signed_file(request: _Request, patient_id: str, kind: str, file_id: str) -> Response[Any]:
    """A photo, or the first file of a document, about this very person."""
    services, actor = _services(request), actor_of_request(request)
    if kind not in ("Media", "DocumentReference"):
        raise NotFoundException("There is no such file.")
    stored = await services.gate.open_resource(actor, kind, file_id)
    resource: dict[str, Any] = stored.resource
    if reference_key(resource.get("subject")) != f"Patient/{patient_id}":
        raise NotFoundException("There is no such file.")
    if kind == "DocumentReference":
        first = next(iter(objects(resource.get("content"))), {})
        url = text(mapping(first.get("attachment")).get("url"))
        if not url.startswith("Binary/"):
            raise NotFoundException("There is no such file.")
        held = await services.gate.open_resource(actor, "Binary", url.removeprefix("Binary/"))
        resource = held.resource
    found = files.held(resource)
    if found is None or found.media_type not in (files.JPEG, files.PDF, "image/png"):
        raise NotFoundException("There is no such file.")
    return _shown(found)


async def _remember(services: Services, permit: Permit, key: str, kind: str) -> None:
    """A note that so far is a photo alone is found again among what is not signed."""
    with contextlib.suppress(StaleDraft):  # Its words were kept already: there it is.
        await services.drafts.save(permit, "note", key, {"type": kind} if kind else {})


async def _listed(request: _Request, permit: Permit, key: str, problem: str = "") -> Response[Any]:
    services = _services(request)
    return render(
        request, "documentation/_files.html", status_code=422 if problem else 200,
        files=await services.draft_files.of(permit, key), problem=problem,
        patient_id=permit.patient_id, base=f"/patient/{permit.patient_id}", draft=key,
    )  # fmt: skip


def _title(media_type: str) -> str:
    now = clinical_time(clock.now())
    return (_("Photo") if media_type == files.JPEG else _("Document")) + f" {now}"


def _shown(file: files.Taken) -> Response[bytes]:
    # A PDF may hold scripts: it is shown as a document of its own that reaches nothing of ours.
    return Response(
        file.content, media_type=file.media_type,
        headers={"Content-Security-Policy": "sandbox; default-src 'none'",
                 "Content-Disposition": "inline", "Cache-Control": "private, no-store"},
    )  # fmt: skip


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (attach_file, drop_file, draft_file, signed_file)
