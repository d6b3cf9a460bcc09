"""Correcting a signed note, with the reason; every version of it; nobody's words are lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect
from msgspec import Struct

from helsevev.access.draft import Draft
from helsevev.access.entries import replaced, transaction
from helsevev.access.errors import AccessError, Conflict, Refused
from helsevev.access.guard import actor_of_request
from helsevev.access.services import Services
from helsevev.documentation.note import AWAITS, NotSignable, correct_note, note_text, note_title
from helsevev.documentation.notes import cosigning
from helsevev.documentation.notes.desk import LEAST, Desk, open_desk
from helsevev.documentation.notes.offered import FACTS, tracer
from helsevev.documentation.panel import Document, composition
from helsevev.fhir.outcome import Issue
from helsevev.fhir.reading import mapping, reference_key, text
from helsevev.follow_up.answering import handed_on
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_FIELDS: Final = ("patient", "text", "version", "why")
_MOST: Final = 50


class Version(Struct, frozen=True):
    """One version of a note, beside the text of the one before it ("" for the first)."""

    document: Document
    text: str
    before: str


@get("/patient/{patient_id:str}/notes/{note_id:str}/correct", opt=_RECORD)
async def correction(request: _Request, patient_id: str, note_id: str) -> Response[Any]:
    """A signed note opened for correction, with the words of an unfinished one."""
    desk = await _desk(request, patient_id)
    stored = await desk.services.gate.open_resource(desk.actor, "Composition", note_id)
    _about_same_patient(desk, stored.resource)
    kept = await desk.draft("correction", note_id)
    form = {
        "version": str(stored.version), "text": note_text(stored.resource), "key": str(uuid4()),
        "why": "", **_content(kept),
    }  # fmt: skip
    return _correction_page(request, desk, stored.resource, form, (), kept)


@post("/patient/{patient_id:str}/notes/{note_id:str}/correct", opt=_RECORD, status_code=200)
async def sign_correction(request: _Request, patient_id: str, note_id: str) -> Response[Any]:
    """Sign the correction, on the version that was seen; else show both texts to be merged."""
    desk = await _desk(request, patient_id)
    form = await _typed(request)
    gate = desk.services.gate
    seen = int(form["version"]) if form["version"].isdigit() else 0
    stored = await gate.open_version(desk.actor, "Composition", note_id, seen)
    _about_same_patient(desk, stored.resource)
    if form["patient"] != patient_id:
        return _correction_page(request, desk, stored.resource, form, [_wrong_patient()])
    try:
        now = clock.now()
        corrected = correct_note(
            stored.resource, form["text"], author=desk.author, at=now, why=form["why"],
            headings=desk.headings, tracer=tracer(desk.found, desk.shelf, now, without=note_id),
        )  # fmt: skip
        await _keep(desk, corrected, seen)
    except Conflict as conflict:
        if conflict.current is None or conflict.current.deleted:
            return _correction_page(request, desk, stored.resource, form, conflict.issues)
        return _conflict_page(request, desk, conflict.current.resource, form)
    except Refused:
        raise
    except (NotSignable, AccessError) as refusal:
        return _correction_page(request, desk, stored.resource, form, refusal.issues)
    await desk.services.drafts.discard(desk.permit, "correction", note_id)
    return Redirect(f"{desk.base}#panel-notes", status_code=303)


@get("/patient/{patient_id:str}/notes/{note_id:str}/versions", opt=_RECORD)
async def note_versions(request: _Request, patient_id: str, note_id: str) -> Response[Any]:
    """Every version of a note, the newest first: who changed what, when and why."""
    services = _services(request)
    desk = await open_desk(
        services, actor_of_request(request), patient_id, LEAST, interaction="open"
    )
    page = await services.history.of_instance(desk.actor, "Composition", note_id, count=_MOST)
    found = [stored.resource for stored in page.versions if not stored.deleted]
    if not found:
        raise NotFoundException("There is no such note about this patient.")
    for each in found:
        _about_same_patient(desk, each)
    texts = [note_text(each) for each in found]
    versions = [
        Version(composition(each), texts[at], texts[at + 1] if at + 1 < len(texts) else "")
        for at, each in enumerate(found)
    ]
    return render(
        request, "documentation/versions.html", desk=desk, base=desk.base, versions=versions,
        title=note_title(found[0]), place="patients", page_title=_("Versions of a note"),
    )  # fmt: skip


async def _keep(desk: Desk, corrected: dict[str, Any], seen: int) -> None:
    """Keep the correction; who was to sign it, and sent it back, is asked again."""
    services = desk.services
    task = None
    if text(corrected.get("status")) == AWAITS:
        task = cosigning.task_of(text(corrected.get("id")), desk.found.get("Task", ()))
    sent_back = task is not None and reference_key(task.get("owner")) == desk.actor.id
    back_to = cosigning.who_sent_back(task) if task is not None else ("", "")
    if task is None or not sent_back or not back_to[0]:
        await services.writer.write(desk.actor, corrected, if_match=seen)
        return
    again = handed_on(task, (desk.actor.id, desk.actor.name), back_to, clock.now())
    bundle = transaction([replaced(corrected, seen), replaced(again)])
    await services.bundles.transact(desk.actor, bundle)


def _correction_page(
    request: _Request,
    desk: Desk,
    note: Mapping[str, Any],
    form: Mapping[str, str],
    issues: Sequence[Issue],
    kept: Draft | None = None,
) -> Response[Any]:
    return _page(
        request, "documentation/correction.html", desk, form, issues, kept,
        note=composition(note), note_id=text(note.get("id")), title=note_title(note),
        page_title=_("Correct a note"),
    )  # fmt: skip


def _conflict_page(
    request: _Request, desk: Desk, current: Mapping[str, Any], form: Mapping[str, str]
) -> Response[Any]:
    """Both texts side by side; signing what is merged follows the version now shown."""
    theirs = composition(current)
    last = theirs.signatures[-1] if theirs.signatures else None
    return _page(
        request, "documentation/conflict.html", desk,
        {**form, "version": text(mapping(current.get("meta")).get("versionId"))}, (), None,
        status_code=409, note_id=text(current.get("id")), theirs=note_text(current),
        their_author=last.name if last and last.name else _("A colleague"),
        their_time=last.at.text if last and last.at else None,
        title=note_title(current), page_title=_("Two versions"),
    )  # fmt: skip


def _page(
    request: _Request,
    template: str,
    desk: Desk,
    form: Mapping[str, str],
    issues: Sequence[Issue],
    kept: Draft | None,
    *,
    status_code: int = 200,
    **context: Any,
) -> Response[Any]:
    return render(
        request, template, status_code=422 if issues else status_code, desk=desk, base=desk.base,
        patient_id=desk.permit.patient_id, form=form, issues=[i.diagnostics for i in issues],
        saved_at=kept.updated_at if kept else None, place="patients", **context,
    )  # fmt: skip


async def _desk(request: _Request, patient_id: str) -> Desk:
    slices = (*FACTS, cosigning.TASKS)
    return await open_desk(_services(request), actor_of_request(request), patient_id, slices)


def _about_same_patient(desk: Desk, note: Mapping[str, Any]) -> None:
    if not desk.is_about(note):
        raise NotFoundException("There is no such note about this patient.")


def _content(draft: Draft | None) -> dict[str, str]:
    if draft is None:
        return {}
    return {name: str(value) for name, value in draft.content.items() if name in _FIELDS}


def _wrong_patient() -> Issue:
    problem = _("This note belongs to another patient. Nothing was signed.")
    return Issue("error", "conflict", problem)


async def _typed(request: _Request) -> dict[str, str]:
    form = await request.form()
    return {name: str(form.get(name, "")) for name in _FIELDS}


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (correction, sign_correction, note_versions)
