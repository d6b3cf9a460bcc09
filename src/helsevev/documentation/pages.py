"""Writing: a new note by a template, its draft, what it draws on, and its signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

from litestar import Request, Response, get, post
from litestar.enums import MediaType
from litestar.response import Redirect

from helsevev.access.draft import Draft
from helsevev.access.errors import AccessError, Unprocessable
from helsevev.access.guard import actor_of_request, staff_of_request
from helsevev.access.services import Services
from helsevev.documentation.headings import split
from helsevev.documentation.note import NotSignable, note_text
from helsevev.documentation.notes import cosigning
from helsevev.documentation.notes.desk import Desk, open_desk
from helsevev.documentation.notes.drawn_on import drawn_on
from helsevev.documentation.notes.offered import FACTS, phrases, tracer
from helsevev.documentation.notes.signing import keep_note
from helsevev.documentation.notes.template import as_text, laid_over
from helsevev.documentation.panel import composition
from helsevev.documentation.tracing import COPY
from helsevev.fhir.outcome import Issue
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_KINDS: Final = frozenset({"note", "correction"})
_FIELDS: Final = ("patient", "text", "type", "key", "version", "why", "cosigner")
_KEPT: Final = ("text", "type", "version", "why", "cosigner")
_DICTATES: Final = {
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(self), payment=(), usb=()"
}
"""The page on which somebody may speak instead of typing."""


@get("/patient/{patient_id:str}/notes/new", opt=_RECORD)
async def new_note(
    request: _Request, patient_id: str, draft: str = "", template: str = "", copy: str = ""
) -> Response[Any]:
    """A note as a template opens it, or the draft that was begun: its address finds it again.

    `copy` is the id of an earlier note whose text is taken along.
    """
    if not draft:
        more = "".join(f"&{k}={v}" for k, v in (("template", template), ("copy", copy)) if v)
        return Redirect(f"{request.url.path}?draft={uuid4()}{more}", status_code=303)
    desk = await open_desk(_services(request), actor_of_request(request), patient_id, FACTS)
    kept = await desk.draft("note", draft)
    kinds = desk.kinds
    chosen = next((k for k in kinds if k.key == template), kinds[0] if kinds else None)
    form = {"key": draft, "type": chosen.key if chosen else "", "text": ""}
    if chosen and kept is None:
        opened = chosen.opened(desk.found, clock.now())
        form["text"] = as_text(opened)
        earlier = next((n for n in desk.notes if copy and n.get("id") == copy), None)
        if earlier is not None:
            form["text"] = laid_over(note_text(earlier), opened, desk.headings)
    return await _note_page(request, desk, {**form, **_content(kept)}, (), kept)


@post("/patient/{patient_id:str}/notes", opt=_RECORD, status_code=200)
async def sign_new_note(request: _Request, patient_id: str) -> Response[Any]:
    """Sign a note: it becomes part of the record, and its draft is gone."""
    services, actor = _services(request), actor_of_request(request)
    desk = await open_desk(services, actor, patient_id, FACTS)
    form = await _typed(request)
    if form["patient"] != patient_id:
        return await _note_page(request, desk, form, [_wrong_patient()])
    chosen = next((kind for kind in desk.kinds if kind.key == form["type"]), None)
    try:
        if chosen is None:
            raise NotSignable([Issue("error", "required", _("Choose the kind of note."), "type")])
        await keep_note(
            desk, form["text"], chosen, draft=form["key"], cosigner=form["cosigner"],
            once=_once(form),
        )  # fmt: skip
    except Unprocessable as refusal:
        # A second press of the same button: signed already is signed, and nothing was lost.
        if not _is_signed(await open_desk(services, actor, patient_id), form["text"]):
            return await _note_page(request, desk, form, refusal.issues)
    except (NotSignable, AccessError) as refusal:
        return await _note_page(request, desk, form, refusal.issues)
    await services.drafts.discard(desk.permit, "note", form["key"])
    await services.draft_files.drop(desk.permit, form["key"])
    return Redirect(f"{desk.base}#panel-notes", status_code=303)


@post("/patient/{patient_id:str}/notes/template", opt=_RECORD, status_code=200)
async def lay_template(request: _Request, patient_id: str) -> Response[str]:
    """What is written with another template laid over it, with the record's facts as they are."""
    form = await _typed(request)
    desk = await open_desk(
        _services(request), staff_of_request(request), patient_id, FACTS, interaction="form"
    )
    chosen = next((kind for kind in desk.kinds if kind.key == form["type"]), None)
    before = next((kind for kind in desk.kinds if kind.key == form["version"]), None)
    now = clock.now()
    written = form["text"]
    if before is not None and _same(written, as_text(before.opened(desk.found, now))):
        # Nobody has written anything: the facts of one template are no words of the next.
        written = ""
    laid = written
    if chosen is not None:
        laid = laid_over(written, chosen.opened(desk.found, now), desk.headings)
    return Response(laid, media_type=MediaType.TEXT)


@post("/patient/{patient_id:str}/notes/sources", opt=_RECORD, status_code=200)
async def show_sources(request: _Request, patient_id: str) -> Response[Any]:
    """What of the text comes from the record and from earlier notes, as it will be marked."""
    form = await _typed(request)
    desk = await open_desk(
        _services(request), staff_of_request(request), patient_id, FACTS, interaction="form"
    )
    found = tracer(desk.found, desk.shelf, clock.now()).of(form["text"])
    copied: dict[str, int] = {}
    for trace in found:
        if trace.kind == COPY:
            copied[trace.said] = copied.get(trace.said, 0) + 1
    return render(
        request, "documentation/_sources.html", copied=copied,
        facts=[trace for trace in found if trace.kind != COPY],
    )  # fmt: skip


@post("/patient/{patient_id:str}/drafts/{kind:str}/{key:str}", opt=_RECORD, status_code=200)
async def save_draft(request: _Request, patient_id: str, kind: str, key: str) -> Response[str]:
    """Keep what is written so far, for its author alone. Answers 409 when it is someone else's."""
    form = await _typed(request)
    if kind not in _KINDS or len(key) > 100 or form["patient"] != patient_id:
        return Response("", status_code=409)
    desk = await open_desk(_services(request), actor_of_request(request), patient_id)
    permit, services = desk.permit, desk.services
    content = {name: form[name] for name in _KEPT if form[name]}
    # A page that is left while its note is signed may still send the draft of it.
    says_something = bool(split(form["text"], desk.headings))
    if not says_something and await services.draft_files.of(permit, key):
        says_something = True
    if not says_something or _is_signed(desk, form["text"]):
        await services.drafts.discard(permit, kind, key)
        return Response("")
    await services.drafts.keep(permit, kind, key, content)
    return Response("")


@post("/patient/{patient_id:str}/drafts/{kind:str}/{key:str}/discard", opt=_RECORD)
async def discard_draft(request: _Request, patient_id: str, kind: str, key: str) -> Response[Any]:
    """Drop a draft, because its author says so."""
    services = _services(request)
    permit = await services.gate.open_chart(
        actor_of_request(request), patient_id, interaction="draft"
    )
    await services.drafts.discard(permit, kind, key)
    await services.draft_files.drop(permit, key)
    return Redirect(f"/patient/{patient_id}", status_code=303)


async def _note_page(
    request: _Request,
    desk: Desk,
    form: Mapping[str, str],
    issues: Sequence[Issue],
    kept: Draft | None = None,
) -> Response[Any]:
    kinds, key = desk.kinds, form.get("key", "")
    must = cosigning.must_be_cosigned(desk.actor)
    wanted = must or bool(form.get("cosigner"))
    return render(
        request, "documentation/new_note.html", status_code=422 if issues else 200,
        headers=_DICTATES, desk=desk, base=desk.base, patient_id=desk.permit.patient_id, form=form,
        issues=[each.diagnostics for each in issues], saved_at=kept.updated_at if kept else None,
        types=[{"value": kind.key, "label": kind.label} for kind in kinds],
        chosen=form.get("type") or (kinds[0].key if kinds else ""),
        drawn=drawn_on(desk, clock.now()), phrases=phrases(desk.shelf, desk.actor.profession),
        files=await desk.services.draft_files.of(desk.permit, key) if key else (),
        must_be_cosigned=must,
        colleagues=await cosigning.colleagues(desk.services, desk.actor) if wanted else (),
        dictation=request.app.state.dictation, place="patients", page_title=_("New note"),
    )  # fmt: skip


def _once(form: Mapping[str, str]) -> str:
    """What makes two presses one note; other words under the same address are another note."""
    return sha256("\n".join(form[name] for name in ("key", "type", "text")).encode()).hexdigest()


def _is_signed(desk: Desk, plain: str) -> bool:
    """True when the newest notes hold this very text by this very author."""
    headings = desk.headings
    wanted = split(plain, headings)
    return any(
        desk.actor.id in composition(note).author_keys
        and split(note_text(note), headings) == wanted
        for note in desk.notes
    )


def _same(one: str, other: str) -> bool:
    return "".join(one.split()) == "".join(other.split())


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


ROUTES: Final = (new_note, sign_new_note, lay_template, show_sources, save_draft, discard_draft)
