"""The discharge letter: course and plan are typed, all else is the record's; and reading it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.entries import kept, transaction
from helsevev.access.errors import AccessError, Refused
from helsevev.access.guard import staff_of_request
from helsevev.access.services import Services
from helsevev.fhir.outcome import Issue
from helsevev.fhir.reading import mapping, objects, reference_key, text
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.prescription import NotPrescribable, Prescriber
from helsevev.medication.reconciliation.form import issue
from helsevev.medication.reconciliation.letter import (
    Section,
    compose,
    document,
    fingerprint,
    hash_of,
)
from helsevev.medication.reconciliation.letter_keeping import (
    Grounds,
    grounds_of,
    home_lines,
    is_signed,
)
from helsevev.medication.reconciliation.letter_reading import parts_of
from helsevev.medication.reconciliation.table import Table, open_table
from helsevev.screens.rendering import environment, render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_DRAFT: Final = "letter"
_TYPED: Final = ("course", "plan")
_LONGEST: Final = 50_000


@get("/patient/{patient_id:str}/medications/letter", opt=_RECORD)
async def letter_form(request: _Request, patient_id: str) -> Response[Any]:
    """The letter as it will be, with what is still to be written."""
    table = await _opened(request, patient_id)
    grounds = await grounds_of(table)
    drafts, place = table.services.drafts, grounds.encounter or "home"
    draft = await drafts.one(table.permit, _DRAFT, place)
    blank = {"course": "", "plan": "\n".join(grounds.coming), "key": str(uuid4())}
    form = {**blank, **({k: str(v) for k, v in draft.content.items()} if draft else {})}
    return _form(request, table, grounds, form, saved_at=draft.updated_at if draft else None)


@post("/patient/{patient_id:str}/medications/letter/draft", opt=_RECORD, status_code=200)
async def keep_letter(request: _Request, patient_id: str) -> Response[Any]:
    """Keep what is written so far."""
    table, form = await _typed(request, patient_id)
    if form["patient"] != patient_id or await is_signed(table, form["key"]):
        return Response("", status_code=409)
    grounds = await grounds_of(table)
    content = {name: form[name] for name in (*_TYPED, "key")}
    place = grounds.encounter or "home"
    saved = await table.services.drafts.keep(table.permit, _DRAFT, place, content)
    return render(request, "medication/_reconcile_saved.html", saved_at=saved.updated_at)


@post("/patient/{patient_id:str}/medications/letter", opt=_RECORD, status_code=200)
async def sign_letter(request: _Request, patient_id: str) -> Response[Any]:
    """Sign: the letter and the page that was read, with the hash of the list it was made from."""
    table, form = await _typed(request, patient_id)
    grounds = await grounds_of(table)
    done = f"{table.base}/medications/reconciled"
    if form["patient"] != patient_id:
        problem = _("This form belongs to another patient. Nothing was signed.")
        return _form(request, table, grounds, form, [Issue("error", "conflict", problem)])
    if await is_signed(table, form["key"]):
        return Redirect(done, status_code=303)
    if form["seen"] != fingerprint(home_lines(table)):
        problem = _(
            "Somebody changed the medicines meanwhile. See what stands now, and sign again."
        )
        return _form(request, table, grounds, form, [Issue("error", "conflict", problem)])
    try:
        key = str(UUID(form["key"]))
        sections = _sections(grounds, form)
        letter = compose(
            sections, patient_id=patient_id, author=Prescriber(table.actor.id, table.actor.name),
            custodian=(table.actor.organisation, table.actor.organisation_name), at=clock.now(),
            encounter=grounds.encounter, key=key,
        )  # fmt: skip
        url = f"urn:uuid:{uuid4()}"
        page = environment().get_template("medication/letter_document.html").render(
            table=table, sections=sections, letter=letter
        )  # fmt: skip
        bundle = transaction(map(kept, [{**letter, "id": url}, document(letter, url, page)]))
        await table.services.bundles.transact(table.actor, bundle, idempotency_key=key)
    except Refused:
        raise
    except (NotPrescribable, AccessError) as refusal:
        if not await is_signed(await _opened(request, patient_id), form["key"]):
            return _form(request, table, grounds, form, refusal.issues)
    except ValueError:
        said = issue(_("The form is not complete. Open it again."))
        return _form(request, table, grounds, form, [said])
    await table.services.drafts.discard(table.permit, _DRAFT, grounds.encounter or "home")
    return Redirect(done, status_code=303)


@get("/patient/{patient_id:str}/medications/letters/{letter_id:str}", opt=_RECORD)
async def read_letter(request: _Request, patient_id: str, letter_id: str) -> Response[Any]:
    """A signed letter, and whether the list has changed since it was written."""
    table = await _opened(request, patient_id)
    stored = await table.services.gate.open_resource(table.actor, "Composition", letter_id)
    letter = stored.resource
    if reference_key(letter.get("subject")) != f"Patient/{patient_id}" or not hash_of(letter):
        raise NotFoundException("There is no such letter about this patient.")
    sections = [
        (text(each.get("title")), parts_of(text(mapping(each.get("text")).get("div"))))
        for each in objects(letter.get("section"))
    ]
    return render(
        request, "medication/letter.html", opened=table, table=table, letter=letter,
        sections=sections,
        is_changed=hash_of(letter) != fingerprint(home_lines(table)), list_hash=hash_of(letter),
        place="patients", page_title=text(letter.get("title")),
    )  # fmt: skip


def _sections(grounds: Grounds, form: Mapping[str, str]) -> list[Section]:
    for name, problem in (("course", _("Write the course.")), ("plan", _("Write the plan."))):
        if not form[name].strip():
            raise NotPrescribable([issue(problem, name)])
    return [
        *grounds.before, Section(_("Course"), _paragraphs(form["course"])), *grounds.medicines,
        Section(_("Plan and follow-up"), _paragraphs(form["plan"])), grounds.told,
    ]  # fmt: skip


def _paragraphs(said: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in said.replace("\r\n", "\n").split("\n\n") if part.strip())


def _form(
    request: _Request,
    table: Table,
    grounds: Grounds,
    form: Mapping[str, str],
    issues: Sequence[Issue] = (),
    *,
    saved_at: Any = None,
) -> Response[Any]:
    is_conflict = any(each.code == "conflict" for each in issues)
    return render(
        request, "medication/letter_form.html", opened=table, table=table, grounds=grounds,
        status_code=409 if is_conflict else 422 if issues else 200, form=form, saved_at=saved_at,
        seen=fingerprint(home_lines(table)), issues=[each.diagnostics for each in issues],
        place="patients", page_title=_("Discharge letter"),
    )  # fmt: skip


async def _typed(request: _Request, patient_id: str) -> tuple[Table, dict[str, str]]:
    form = await request.form()
    names = (*_TYPED, "patient", "key", "seen")
    found = {name: str(form.get(name, ""))[:_LONGEST] for name in names}
    return await _opened(request, patient_id), found


async def _opened(request: _Request, patient_id: str) -> Table:
    services: Services = request.app.state.services
    return await open_table(
        services, staff_of_request(request), patient_id, interaction="letter"
    )  # fmt: skip


ROUTES: Final = (letter_form, keep_letter, sign_letter, read_letter)
