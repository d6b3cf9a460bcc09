"""Correcting a signed form, and taking back one that should not have been signed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.errors import AccessError, Conflict, NotFound, Refused
from helsevev.access.guard import staff_of_request
from helsevev.access.services import Services
from helsevev.documentation.forms.answered import named_by
from helsevev.documentation.forms.correcting import correct, draft_key, withdraw
from helsevev.documentation.forms.opened import Opened
from helsevev.documentation.forms.opening import open_form
from helsevev.documentation.forms.sheet import Sheet
from helsevev.documentation.forms.shown import shown_sheet, typed_in
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import mapping, text
from helsevev.locale import gettext as _
from helsevev.screens.addresses import answers_link

_Request = Request[Any, Any, Any]
RECORD: Final = {"decision": "record"}


@get("/patient/{patient_id:str}/answers/{response_id:str}/correct", opt=RECORD)
async def correction(request: _Request, patient_id: str, response_id: str) -> Response[Any]:
    """A signed form opened for correction, with what one has changed so far."""
    opened = await _opened(request, patient_id, response_id)
    reason = text(opened.draft.content.get("reason")) if opened.draft else ""
    return _page(request, opened, opened.sheet(opened.typed()), reason)


@post("/patient/{patient_id:str}/answers/{response_id:str}/correct", opt=RECORD, status_code=200)
async def sign_correction(request: _Request, patient_id: str, response_id: str) -> Response[Any]:
    """Sign the correction, with the reason, on the version that was seen."""
    opened = await _opened(request, patient_id, response_id)
    typed, said = await typed_in(request)
    reason = said.get("reason", "").strip()[:2000]
    sheet = opened.sheet(typed, whole=True)
    if said.get("patient") != patient_id:
        problem = _("This form belongs to another patient. Nothing was signed.")
        return _page(request, opened, sheet, reason, [error("conflict", problem)])
    version = int(said["version"]) if said.get("version", "").isdigit() else 0
    try:
        issues = (
            await withdraw(opened, version, reason)
            if said.get("act") == "withdraw"
            else await correct(opened, sheet, version, reason)
        )
    except Conflict:
        told = _("Somebody corrected this form meanwhile. Open it again to see what it says now.")
        return _page(request, opened, sheet, reason, [error("conflict", told)])
    except Refused:
        raise
    except AccessError as refusal:
        issues = refusal.issues
    if issues:
        return _page(request, opened, sheet, reason, issues)
    return Redirect(answers_link(patient_id, response_id), status_code=303)


async def _opened(request: _Request, patient_id: str, response_id: str) -> Opened:
    services: Services = request.app.state.services
    actor = staff_of_request(request)
    try:
        stored = await services.gate.open_resource(actor, "QuestionnaireResponse", response_id)
        key, _version = named_by(stored.resource)
        if stored.resource.get("status") == "entered-in-error":
            raise NotFoundException("It is marked as a mistake, and is not corrected any more.")
        return await open_form(
            services, actor, patient_id, key, draft_key(response_id), response_id
        )
    except NotFound as problem:
        raise NotFoundException("There is no such form.") from problem


def _page(
    request: _Request, opened: Opened, sheet: Sheet, reason: str, issues: Sequence[Issue] = ()
) -> Response[Any]:
    response = opened.corrects
    return shown_sheet(
        request, opened, sheet, issues, reason=reason, corrects=text(response.get("id")),
        version=text(mapping(response.get("meta")).get("versionId")),
        action=f"{answers_link(opened.permit.patient_id, text(response.get('id')))}/correct",
    )  # fmt: skip


ROUTES: Final = (correction, sign_correction)
