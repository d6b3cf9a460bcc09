"""The page on which a named colleague reads a note, and signs it too or sends it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.entries import replaced, transaction
from helsevev.access.errors import AccessError, Conflict, Refused
from helsevev.access.guard import staff_of_request
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.documentation.note import AWAITS, NotSignable, note_title
from helsevev.documentation.notes import cosigning
from helsevev.documentation.notes.desk import Desk, open_desk
from helsevev.documentation.panel import composition
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import mapping, objects, reference_key, text
from helsevev.follow_up.answering import CannotAnswer, answered, done
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_SLICES: Final = (Slice("Patient", 1), Slice("Encounter", 50), cosigning.TASKS)


@get("/patient/{patient_id:str}/notes/colleagues", opt=_RECORD)
async def choose_cosigner(request: _Request, patient_id: str) -> Response[Any]:
    """Whom one may ask to sign too, for a note that is being written."""
    services, actor = _services(request), staff_of_request(request)
    await services.gate.open_chart(actor, patient_id, interaction="form")
    found = await cosigning.colleagues(services, actor)
    return render(request, "documentation/_cosigner.html", colleagues=found, chosen="", must=False)


@get("/patient/{patient_id:str}/notes/{note_id:str}/cosign", opt=_RECORD)
async def cosign_page(request: _Request, patient_id: str, note_id: str) -> Response[Any]:
    """The note, and what one may do with it."""
    desk, note = await _opened(request, patient_id, note_id)
    return _page(request, desk, note, ())


@post("/patient/{patient_id:str}/notes/{note_id:str}/cosign", opt=_RECORD, status_code=200)
async def cosign(request: _Request, patient_id: str, note_id: str) -> Response[Any]:
    """Sign it too, or send it back to its author and say why."""
    desk, note = await _opened(request, patient_id, note_id)
    form = await request.form()
    version, words = str(form.get("version", "")), str(form.get("words", ""))[:2000]
    if str(form.get("patient", "")) != patient_id:
        told = _("This note belongs to another patient. Nothing was signed.")
        return _page(request, desk, note, [error("conflict", told)], words)
    if version != text(mapping(note.get("meta")).get("versionId")):
        told = _("The note was changed meanwhile. Read it again before you sign.")
        return _page(request, desk, note, [error("conflict", told)], words)
    try:
        if form.get("act") == "back":
            await _send_back(desk, note, words)
        else:
            await _sign(desk, note)
    except Refused:
        raise
    except Conflict as conflict:
        return _page(request, desk, note, conflict.issues, words)
    except (NotSignable, CannotAnswer, AccessError) as refusal:
        return _page(request, desk, note, refusal.issues, words)
    return Redirect(f"{desk.base}#panel-notes", status_code=303)


async def _sign(desk: Desk, note: Mapping[str, Any]) -> None:
    if cosigning.must_be_cosigned(desk.actor):
        told = _("Who is in training does not sign for others.")
        raise NotSignable([error("business-rule", told)])
    now = clock.now()
    made = cosigning.cosigned(note, desk.author, now)
    entries = [replaced(made)]
    if task := _task(desk, note):
        by = (desk.actor.id, desk.actor.name)
        entries.append(replaced(done(task, by, now, outcome=f"Composition/{note['id']}")))
    await desk.services.bundles.transact(desk.actor, transaction(entries))


async def _send_back(desk: Desk, note: Mapping[str, Any], words: str) -> None:
    task = _task(desk, note)
    if task is None:
        told = _("Nobody has asked for a signature on this note.")
        raise NotSignable([error("conflict", told)])
    by = (desk.actor.id, desk.actor.name)
    back = answered(task, "hand-back", by, clock.now(), words=words)
    version = int(text(mapping(task.get("meta")).get("versionId")))
    await desk.services.writer.write(desk.actor, back, if_match=version)


def _task(desk: Desk, note: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return cosigning.task_of(text(note.get("id")), desk.found.get("Task", ()))


async def _opened(request: _Request, patient_id: str, note_id: str) -> tuple[Desk, dict[str, Any]]:
    services, actor = _services(request), staff_of_request(request)
    desk = await open_desk(services, actor, patient_id, _SLICES)
    stored = await services.gate.open_resource(actor, "Composition", note_id)
    if not desk.is_about(stored.resource):
        raise NotFoundException("There is no such note about this patient.")
    return desk, stored.resource


def _page(
    request: _Request,
    desk: Desk,
    note: Mapping[str, Any],
    issues: Sequence[Issue],
    words: str = "",
) -> Response[Any]:
    task = _task(desk, note)
    authors = {reference_key(each) for each in objects(note.get("author"))}
    said = objects(task.get("note")) if task else []
    return render(
        request, "documentation/cosign.html", status_code=422 if issues else 200, desk=desk,
        base=desk.base, patient_id=desk.permit.patient_id, note=composition(note),
        title=note_title(note), issues=[each.diagnostics for each in issues], words=words,
        awaits=text(note.get("status")) == AWAITS, is_mine=desk.actor.id in authors,
        version=text(mapping(note.get("meta")).get("versionId")), asked=task is not None,
        said=[(text(mapping(n.get("authorReference")).get("display")), text(n.get("text")),
               text(n.get("time"))) for n in said],
        place="patients", page_title=_("Co-sign a note"),
    )  # fmt: skip


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (choose_cosigner, cosign_page, cosign)
