"""Writing: a new note, its draft, its signature, and a correction that loses nobody's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.actor import Actor
from helsevev.access.draft import Draft, StaleDraft
from helsevev.access.errors import AccessError, Conflict, Refused, Unprocessable
from helsevev.access.guard import actor_of_request
from helsevev.access.permit import Permit
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.content import loading
from helsevev.content.shapes import NoteType as OfferedType
from helsevev.documentation.headings import opening, split
from helsevev.documentation.note import (
    Author,
    NoteType,
    NotSignable,
    correct_note,
    note_text,
    note_title,
    sign_note,
)
from helsevev.documentation.panel import composition
from helsevev.fhir.encounters import the_ongoing
from helsevev.fhir.outcome import Issue
from helsevev.fhir.reading import full_name, mapping, moment, reference_key, text
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_KINDS: Final = frozenset({"note", "correction"})
_FIELDS: Final = ("patient", "text", "type", "key", "version")


@dataclass(frozen=True, slots=True)
class _Desk:
    """The patient that is written about, by the permit that opened the record."""

    permit: Permit
    services: Services
    name: str
    birth_date: str
    encounter: str | None
    notes: Sequence[Mapping[str, Any]]

    @property
    def actor(self) -> Actor:
        return self.permit.actor

    @property
    def base(self) -> str:
        return f"/patient/{self.permit.patient_id}"


@get("/patient/{patient_id:str}/notes/new", opt=_RECORD)
async def new_note(request: _Request, patient_id: str, draft: str = "") -> Response[Any]:
    """An empty note, or the draft that was begun: its address finds it again after a reload."""
    if not draft:
        return Redirect(f"{request.url.path}?draft={uuid4()}", status_code=303)
    desk = await _desk(request, patient_id)
    kept = await _draft(desk, "note", draft)
    types = _types(desk.actor)
    blank = opening(types[0].sections) if types else ""
    form = {"key": draft, "text": blank, **_content(kept)}
    return _note_page(request, desk, form, (), kept)


@post("/patient/{patient_id:str}/notes", opt=_RECORD, status_code=200)
async def sign_new_note(request: _Request, patient_id: str) -> Response[Any]:
    """Sign a note: it becomes part of the record, and its draft is gone."""
    desk = await _desk(request, patient_id)
    form = await _typed(request)
    if form["patient"] != patient_id:
        return _note_page(request, desk, form, [_wrong_patient()])
    chosen = next((t for t in _types(desk.actor) if t.key == form["type"]), None)
    try:
        if chosen is None:
            raise NotSignable([Issue("error", "required", _("Choose the kind of note."), "type")])
        note = sign_note(
            form["text"],
            patient_id=patient_id,
            kind=NoteType(loading.note_types().system, chosen.code, chosen.label),
            author=_author(desk.actor),
            at=clock.now(),
            encounter=desk.encounter,
            headings=chosen.sections,
        )
        await desk.services.writer.write(desk.actor, note, idempotency_key=_once(form))
    except Unprocessable as refusal:
        # A second press of the same button: signed already is signed, and nothing was lost.
        if not _is_signed(await _desk(request, patient_id), form["text"]):
            return _note_page(request, desk, form, refusal.issues)
    except (NotSignable, AccessError) as refusal:
        return _note_page(request, desk, form, refusal.issues)
    await desk.services.drafts.discard(desk.permit, "note", form["key"])
    return Redirect(f"{desk.base}#panel-notes", status_code=303)


@post("/patient/{patient_id:str}/drafts/{kind:str}/{key:str}", opt=_RECORD, status_code=200)
async def save_draft(request: _Request, patient_id: str, kind: str, key: str) -> Response[str]:
    """Keep what is written so far, for its author alone. Answers 409 when it is someone else's."""
    form = await _typed(request)
    if kind not in _KINDS or len(key) > 100 or form["patient"] != patient_id:
        return Response("", status_code=409)
    desk = await _desk(request, patient_id)
    permit, services = desk.permit, desk.services
    content = {name: form[name] for name in ("text", "type", "version") if form[name]}
    known = [d for d in await services.drafts.of(permit) if (d.kind, d.key) == (kind, key)]
    # A page that is left while its note is signed may still send the draft of it.
    says_something = bool(split(form["text"], _headings(desk.actor)))
    if not says_something or _is_signed(desk, form["text"]):
        await services.drafts.discard(permit, kind, key)
        return Response("")
    revision = known[0].revision if known else 0
    try:
        await services.drafts.save(permit, kind, key, content, revision)
    except StaleDraft as stale:
        await services.drafts.save(permit, kind, key, content, stale.current.revision)
    return Response("")


@post("/patient/{patient_id:str}/drafts/{kind:str}/{key:str}/discard", opt=_RECORD)
async def discard_draft(request: _Request, patient_id: str, kind: str, key: str) -> Response[Any]:
    """Drop a draft, because its author says so."""
    services: Services = request.app.state.services
    permit = await services.gate.open_chart(
        actor_of_request(request), patient_id, interaction="draft"
    )
    await services.drafts.discard(permit, kind, key)
    return Redirect(f"/patient/{patient_id}", status_code=303)


@get("/patient/{patient_id:str}/notes/{note_id:str}/correct", opt=_RECORD)
async def correction(request: _Request, patient_id: str, note_id: str) -> Response[Any]:
    """A signed note opened for correction, with the words of an unfinished one."""
    desk = await _desk(request, patient_id)
    stored = await desk.services.gate.open_resource(desk.actor, "Composition", note_id)
    _about_same_patient(stored.resource, patient_id)
    kept = await _draft(desk, "correction", note_id)
    form = {
        "version": str(stored.version), "text": note_text(stored.resource), "key": str(uuid4()),
        **_content(kept),
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
    _about_same_patient(stored.resource, patient_id)
    if form["patient"] != patient_id:
        return _correction_page(request, desk, stored.resource, form, [_wrong_patient()])
    try:
        corrected = correct_note(
            stored.resource,
            form["text"],
            author=_author(desk.actor),
            at=clock.now(),
            headings=_headings(desk.actor),
        )
        await desk.services.writer.write(desk.actor, corrected, if_match=seen)
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


def _note_page(
    request: _Request,
    desk: _Desk,
    form: Mapping[str, str],
    issues: Sequence[Issue],
    kept: Draft | None = None,
) -> Response[Any]:
    types = _types(desk.actor)
    return _page(
        request, "documentation/new_note.html", desk, form, issues, kept,
        types=[{"value": t.key, "label": t.label} for t in types],
        chosen=form.get("type") or (types[0].key if types else ""),
        page_title=_("New note"),
    )  # fmt: skip


def _correction_page(
    request: _Request,
    desk: _Desk,
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
    request: _Request, desk: _Desk, current: Mapping[str, Any], form: Mapping[str, str]
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
    desk: _Desk,
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


async def _desk(request: _Request, patient_id: str) -> _Desk:
    services: Services = request.app.state.services
    permit = await services.gate.open_chart(
        actor_of_request(request), patient_id, interaction="write"
    )
    slices = [Slice("Patient", 1), Slice("Encounter", 50), Slice("Composition", 10)]
    found = await services.gate.open_slices(permit, slices, interaction="form")
    patient = next(iter(found["Patient"]), {})
    born = moment(patient.get("birthDate"))
    return _Desk(
        permit=permit,
        services=services,
        name=full_name(patient.get("name")),
        birth_date=born.text if born else "",
        encounter=the_ongoing(found["Encounter"]),
        notes=found["Composition"],
    )


def _once(form: Mapping[str, str]) -> str:
    """What makes two presses one note; other words under the same address are another note."""
    return sha256("\n".join(form[name] for name in ("key", "type", "text")).encode()).hexdigest()


def _is_signed(desk: _Desk, plain: str) -> bool:
    """True when the newest notes hold this very text by this very author."""
    headings = _headings(desk.actor)
    wanted = split(plain, headings)
    return any(
        desk.actor.id in composition(note).author_keys
        and split(note_text(note), headings) == wanted
        for note in desk.notes
    )


async def _draft(desk: _Desk, kind: str, key: str) -> Draft | None:
    kept = await desk.services.drafts.of(desk.permit)
    return next((d for d in kept if (d.kind, d.key) == (kind, key)), None)


def _content(draft: Draft | None) -> dict[str, str]:
    if draft is None:
        return {}
    return {name: str(value) for name, value in draft.content.items() if name in _FIELDS}


def _types(actor: Actor) -> tuple[OfferedType, ...]:
    return loading.note_types().for_profession(actor.profession)


def _headings(actor: Actor) -> list[str]:
    """Every heading of the notes that the actor writes."""
    return [heading for offered in _types(actor) for heading in offered.sections]


def _author(actor: Actor) -> Author:
    return Author(actor.id, actor.name, actor.organisation, actor.organisation_name)


def _about_same_patient(note: Mapping[str, Any], patient_id: str) -> None:
    if reference_key(note.get("subject")) != f"Patient/{patient_id}":
        raise NotFoundException("There is no such note about this patient.")


def _wrong_patient() -> Issue:
    problem = _("This note belongs to another patient. Nothing was signed.")
    return Issue("error", "conflict", problem)


async def _typed(request: _Request) -> dict[str, str]:
    form = await request.form()
    return {name: str(form.get(name, "")) for name in _FIELDS}
