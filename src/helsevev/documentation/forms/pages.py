"""Filling in a form: opened, worked out while it is written, kept by itself, signed whole."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, urlencode
from uuid import UUID, uuid4

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.errors import AccessError, NotFound, Refused
from helsevev.access.guard import staff_of_request
from helsevev.access.policy import may_write
from helsevev.access.services import Services
from helsevev.documentation.forms.opened import DRAFT, Opened
from helsevev.documentation.forms.opening import open_form
from helsevev.documentation.forms.shown import followed, shown_sheet, typed_in
from helsevev.documentation.forms.signing_in import Signed, sign, signed_before
from helsevev.documentation.forms.typed import realigned, repeated
from helsevev.fhir.outcome import Issue
from helsevev.locale import gettext as _
from helsevev.screens.addresses import answers_link

_Request = Request[Any, Any, Any]
RECORD: Final = {"decision": "record"}


@get("/patient/{patient_id:str}/forms/{key:str}", opt=RECORD)
async def new_form(
    request: _Request, patient_id: str, key: str, draft: str = "", task: str = ""
) -> Response[Any]:
    """A form to fill in, with what the record has already, or where one left it.

    The address names the draft, so that it is found again after a reload. Whoever has begun on
    this form about this person goes on with it.
    """
    if not may_write(staff_of_request(request).profession, "QuestionnaireResponse"):
        # Who fills in no forms reads those that are signed.
        return Redirect(f"/patient/{quote(patient_id, safe='')}/forms", status_code=303)
    if not _is_key(draft):
        begun = await _begun(request, patient_id, key, task)
        said = urlencode({"draft": begun or str(uuid4()), **({"task": task} if task else {})})
        return Redirect(f"{request.url.path}?{said}", status_code=303)
    opened = await _opened(request, patient_id, key, draft)
    if opened.draft is None and (before := await signed_before(opened)) is not None:
        return Redirect(answers_link(patient_id, before["id"]), status_code=303)
    return shown_sheet(request, opened, opened.sheet(opened.typed()), task=_task(opened, task))


@post("/patient/{patient_id:str}/forms/{key:str}/drafts/{draft:str}", opt=RECORD, status_code=200)
async def change(request: _Request, patient_id: str, key: str, draft: str) -> Response[Any]:
    """Keep what is typed so far, and tell what follows from it."""
    typed, said = await typed_in(request)
    if said.get("patient") != patient_id or not _is_key(draft):
        return Response({"refused": True}, status_code=409)
    opened = await _opened(request, patient_id, key, draft, said.get("corrects", ""))
    row = said.get("row", "")
    if row:
        typed = _with_row(realigned(opened.prepared, opened.typed(), typed), row)
    at = int(said["at"]) if said.get("at", "").isdigit() and len(said["at"]) < 16 else 0
    await opened.keep(typed, at, task=said.get("task", ""), reason=said.get("reason", "")[:2000])
    return followed(opened.sheet(typed), rows=bool(row))


@post("/patient/{patient_id:str}/forms/{key:str}", opt=RECORD, status_code=200)
async def sign_form(request: _Request, patient_id: str, key: str) -> Response[Any]:
    """Sign the form: its answers and what follows from them become part of the record, at once."""
    typed, said = await typed_in(request)
    draft, task = said.get("draft", ""), said.get("task", "")
    if not _is_key(draft):
        raise NotFoundException("There is no such form.")
    opened = await _opened(request, patient_id, key, draft)
    sheet = opened.sheet(typed, whole=True)
    if said.get("patient") != patient_id:
        problem = _("This form belongs to another patient. Nothing was signed.")
        return shown_sheet(request, opened, sheet, [Issue("error", "conflict", problem)], task=task)
    try:
        signed = await sign(opened, sheet, task)
    except Refused:
        raise
    except AccessError as refusal:
        return shown_sheet(request, opened, sheet, refusal.issues, task=task)
    if not isinstance(signed, Signed):
        return shown_sheet(request, opened, sheet, signed, task=task)
    await opened.discard()
    return Redirect(answers_link(patient_id, signed.response_id), status_code=303)


async def _opened(
    request: _Request, patient_id: str, key: str, draft: str, corrects: str = ""
) -> Opened:
    services: Services = request.app.state.services
    actor = staff_of_request(request)
    try:
        return await open_form(services, actor, patient_id, key, draft, corrects)
    except NotFound as problem:
        raise NotFoundException("There is no such form.") from problem


async def _begun(request: _Request, patient_id: str, key: str, task: str) -> str:
    """The key of the reader's newest draft of this form for this patient, "" for none."""
    services: Services = request.app.state.services
    permit = await services.gate.open_chart(
        staff_of_request(request), patient_id, interaction="draft"
    )
    for each in await services.drafts.of(permit):
        is_this = each.kind == DRAFT and each.content.get("form") == key
        is_this = is_this and not each.content.get("corrects")
        if is_this and str(each.content.get("task", "")) == task:
            return each.key
    return ""


def _task(opened: Opened, task: str) -> str:
    """The Task that signing completes: the address's, else the one it was begun for."""
    return task or (str(opened.draft.content.get("task", "")) if opened.draft else "")


def _with_row(typed: dict[str, list[str]], row: str) -> dict[str, list[str]]:
    """The answers with a repetition more ("add:visit") or less ("remove:visit[1]")."""
    act, _colon, name = row.partition(":")
    if act == "add":
        return repeated(typed, name)
    group, _bracket, index = name.removesuffix("]").rpartition("[")
    if act == "remove" and index.isdigit() and len(index) < 4:
        return repeated(typed, group, without=int(index))
    return typed


def _is_key(draft: str) -> bool:
    try:
        return str(UUID(draft)) == draft
    except ValueError:
        return False


ROUTES: Final = (new_form, change, sign_form)
