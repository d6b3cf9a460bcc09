"""Reconciling on a page: lists side by side, a decision a row, kept as a draft, signed at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.draft import Draft
from helsevev.access.errors import AccessError, Conflict, Refused
from helsevev.access.guard import staff_of_request
from helsevev.access.services import Services
from helsevev.content import loading
from helsevev.fhir.outcome import Issue
from helsevev.fhir.reading import text
from helsevev.fhir.search_query import parse
from helsevev.fhir.serialization import decode, encode
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.catalogue.choices import choices
from helsevev.medication.order_checks import Checked, Unanswered
from helsevev.medication.order_entry import answers_of, today
from helsevev.medication.prescription import NotPrescribable, Prescriber
from helsevev.medication.reconciliation.choices import list_names, state_words
from helsevev.medication.reconciliation.deciding import LEAVE, Signing
from helsevev.medication.reconciliation.form import (
    decisions,
    fields_of,
    issue,
    patients_word,
    shown,
)
from helsevev.medication.reconciliation.receivers import Receiver
from helsevev.medication.reconciliation.record import excuse
from helsevev.medication.reconciliation.signing import sign
from helsevev.medication.reconciliation.table import (
    DRAFT,
    Table,
    open_table,
)
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_AT: Final = ("admission", "transfer", "discharge", "home")
_MOST_UNITS: Final = 6


@get("/patient/{patient_id:str}/medications/reconcile", opt=_RECORD)
async def reconcile_page(request: _Request, patient_id: str, at: str = "") -> Response[Any]:
    """The lists side by side, with what was begun and not signed."""
    if at not in _AT:
        table = await _table(request, patient_id, "home")
        at = "home" if table.stay is None else table.missing or "discharge"
        return Redirect(f"{table.base}/medications/reconcile?at={at}", status_code=303)
    table, draft = await _with_draft(request, patient_id, at)
    form = {"key": str(uuid4()), **_fields(draft)}
    return _page(request, table, form, saved_at=draft.get("saved_at"))


@post("/patient/{patient_id:str}/medications/reconcile/draft", opt=_RECORD, status_code=200)
async def keep_reconciliation(request: _Request, patient_id: str) -> Response[Any]:
    """Keep what is decided so far."""
    table, form, said = await _typed(request, patient_id)
    if form.get("patient") != patient_id or _is_signed(table, form.get("key", "")):
        # A page that is left while it is signed may still send its draft.
        return Response("", status_code=409)
    saved = await _keep(table, form, said)
    return render(request, "medication/_reconcile_saved.html", saved_at=saved.updated_at)


@post("/patient/{patient_id:str}/medications/reconcile/find", opt=_RECORD, status_code=200)
async def find_said(request: _Request, patient_id: str) -> Response[Any]:
    """Products by the patient's words, each to be added to what they say they take."""
    table, form, _said = await _typed(request, patient_id)
    words = form.get("said_words", "")
    found = await choices(table.services, table.actor).find(words, 8, today())
    return render(request, "medication/_reconcile_said.html", found=found, base=table.base)


@post("/patient/{patient_id:str}/medications/reconcile/said", opt=_RECORD, status_code=200)
async def add_said(request: _Request, patient_id: str) -> Response[Any]:
    """Add what the patient says they take, or take it away; all else that was filled in is kept."""
    table, form, said = await _typed(request, patient_id)
    left = [each for each in said if each["id"] != form.get("said_not", "")]
    problem: Sequence[Issue] = ()
    if product := form.get("said_product", ""):
        try:
            choice = await choices(table.services, table.actor).one(product, today())
            if choice is None:
                raise NotPrescribable([issue(_("Choose the medicine."), "said_words")])
            left.append(patients_word(choice.medicine, form, patient_id, today()))
            form = {k: v for k, v in form.items() if not k.startswith(("said.", "said_"))}
        except NotPrescribable as refusal:
            problem = refusal.issues
    await _keep(table, form, left)
    if problem:
        return _page(request, table, form, problem)
    return Redirect(f"{table.base}/medications/reconcile?at={table.at}", status_code=303)


@post("/patient/{patient_id:str}/medications/reconcile/discard", opt=_RECORD)
async def discard_reconciliation(request: _Request, patient_id: str) -> Response[Any]:
    """Drop what was begun, because its author says so."""
    table, _form, _said = await _typed(request, patient_id)
    await table.services.drafts.discard(table.permit, DRAFT, table.at)
    return Redirect(f"{table.base}/medications", status_code=303)


@post("/patient/{patient_id:str}/medications/reconcile", opt=_RECORD, status_code=200)
async def sign_reconciliation(request: _Request, patient_id: str) -> Response[Any]:
    """Sign it all at once; else the page says what is missing, and keeps what was filled in."""
    table, form, said = await _typed(request, patient_id)
    answers = await answers_of(request)
    done = f"{table.base}/medications/reconciled"
    if form.get("patient") != patient_id:
        problem = _("This form belongs to another patient. Nothing was signed.")
        return _page(request, table, form, [Issue("error", "conflict", problem)])
    if _is_signed(table, form.get("key", "")):
        return Redirect(done, status_code=303)
    if not table.may_sign:
        problem = _("Going home ends the ward's orders: a doctor signs it. Your draft is kept.")
        return _page(request, table, form, [issue(problem)])
    if form.get("seen") != table.seen:
        return await _changed_meanwhile(request, table, form, said)
    decided, problems = decisions(table, form, today())
    if problems:
        return _page(request, table, form, (), problems)
    is_open = any(decision.verb == LEAVE for _row, decision in decided)
    told, nobody, missing = await _who_is_told(table, form)
    if missing:
        return _page(request, table, form, [missing])
    signing = Signing(
        table.at, patient_id, Prescriber(table.actor.id, table.actor.name), clock.now(),
        table.encounter, table.resources, table.products,
    )  # fmt: skip
    try:
        key = str(UUID(form.get("key", "")))
        receives = told if is_open or table.at in loading.reconciliation().told_at else ()
        await sign(table, decided, signing, key, answers, receives, nobody)
    except Refused:
        raise
    except Unanswered as unanswered:
        return _page(request, table, form, unanswered.issues, says=unanswered.says)
    except Conflict:
        return await _changed_meanwhile(request, table, form, said)
    except (NotPrescribable, AccessError) as refusal:
        # A second press of the same button, at the same moment: signed already is signed.
        table = await _table(request, patient_id, table.at, said)
        if not _is_signed(table, form.get("key", "")):
            return _page(request, table, form, refusal.issues)
    except ValueError:
        return _page(request, table, form, [issue(_("The form is not complete. Open it again."))])
    await table.services.drafts.discard(table.permit, DRAFT, table.at)
    return Redirect(done, status_code=303)


async def _changed_meanwhile(
    request: _Request, table: Table, form: Mapping[str, str], said: Sequence[dict[str, Any]]
) -> Response[Any]:
    await _keep(table, form, said)
    table = await _table(request, table.patient_id, table.at, said)
    if _is_signed(table, form.get("key", "")):
        return Redirect(f"{table.base}/medications/reconciled", status_code=303)
    problem = _("Somebody changed the medicines meanwhile. See what stands now, and sign again.")
    return _page(request, table, form, [Issue("error", "conflict", problem)])


async def _who_is_told(
    table: Table, form: Mapping[str, str]
) -> tuple[tuple[Receiver, ...], tuple[str, str], Issue | None]:
    """(those who are told, why nobody is, what is missing): never silently nobody."""
    told = list(table.receivers)
    words = form.get("unit", "").strip()
    if words:
        found = await _units(table, words)
        exact = [each for each in found if each.name.casefold() == words.casefold()]
        if len(exact or found) != 1:
            names = ", ".join(each.name for each in found[:_MOST_UNITS])
            said = _("Which unit do you mean? %(names)s") % {"names": names or "–"}
            return (), ("", ""), issue(said, "unit")
        (chosen,) = exact or found
        if chosen.reference not in {each.reference for each in told}:
            told.append(chosen)
    nobody = excuse(form.get("nobody", ""))
    if told or table.at not in loading.reconciliation().told_at or nobody[0]:
        return tuple(told), ("", "") if told else nobody, None
    said = _("No unit is known that takes over. Say which, or why nobody is told.")
    return (), ("", ""), issue(said, "unit")


async def _units(table: Table, words: str) -> list[Receiver]:
    query = parse("Organization", [("name", words.replace(",", "\\,")), ("_count", "20")], base="")
    page = await table.services.searcher.search(table.actor, query)
    return [
        Receiver(each.reference, text(each.resource.get("name")), "chosen") for each in page.matches
    ]


def _is_signed(table: Table, key: str) -> bool:
    return any(each.key == f"urn:uuid:{key}" for each in table.done)


def _page(
    request: _Request,
    table: Table,
    form: Mapping[str, str],
    issues: Sequence[Issue] = (),
    problems: Mapping[str, str] | None = None,
    *,
    says: Checked | None = None,
    saved_at: Any = None,
) -> Response[Any]:
    rows = shown(table, form, problems or {})
    is_conflict = any(each.code == "conflict" for each in issues)
    status = 409 if is_conflict else 422 if issues or problems else 200
    content = loading.reconciliation()
    return render(
        request, "medication/reconcile.html", status_code=status, opened=table, table=table,
        form=form, unchanged=[row for row in rows if row.unchanged],
        changed=[row for row in rows if not row.unchanged],
        issues=[each.diagnostics for each in issues], says=says, saved_at=saved_at,
        titles=_headings(), list_names=list_names(), state_words=state_words,
        reasons=[{"value": "", "label": _("the usual")}]
        + [{"value": each.code, "label": each.label} for each in content.reason],
        tells=table.at in content.told_at, hours=content.hours,
        excuses=[{"value": "", "label": ""}]
        + [{"value": each.code, "label": each.label} for each in content.nobody_told],
        units=loading.order_sentences().units, failed=len(problems or {}),
        place="patients", page_title=_headings()[table.at],
    )  # fmt: skip


def _headings() -> dict[str, str]:
    return {
        "admission": _("Reconcile at admission"), "transfer": _("Reconcile at transfer"),
        "discharge": _("Reconcile at discharge"), "home": _("Reconcile at home"),
    }  # fmt: skip


async def _typed(
    request: _Request, patient_id: str
) -> tuple[Table, dict[str, str], list[dict[str, Any]]]:
    """The table, what the form holds, and what the patient was said to say."""
    form = fields_of(await request.form())
    at = form.get("at", "")
    if at not in _AT:
        raise NotFoundException("There is no such transition.")
    table, draft = await _with_draft(request, patient_id, at)
    return table, form, _said(draft)


async def _with_draft(
    request: _Request, patient_id: str, at: str
) -> tuple[Table, dict[str, Any]]:  # fmt: skip
    services: Services = request.app.state.services
    actor = staff_of_request(request)
    permit = await services.gate.open_chart(actor, patient_id, interaction="reconcile")
    kept = await services.drafts.one(permit, DRAFT, at)
    draft = {**kept.content, "saved_at": kept.updated_at} if kept else {}
    return await _table(request, patient_id, at, _said(draft)), draft


async def _table(
    request: _Request, patient_id: str, at: str, said: Sequence[dict[str, Any]] = ()
) -> Table:  # fmt: skip
    services: Services = request.app.state.services
    return await open_table(services, staff_of_request(request), patient_id, at, said)


async def _keep(
    table: Table, form: Mapping[str, str], said: Sequence[dict[str, Any]]
) -> Draft:  # fmt: skip
    """Keep what is decided so far, for the reader alone."""
    # As text: a dose keeps its digits.
    content = {"form": dict(form), "said": [encode(each).decode() for each in said]}
    return await table.services.drafts.keep(table.permit, DRAFT, table.at, content)


def _said(draft: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [decode(str(each).encode()) for each in draft.get("said", ())]


def _fields(draft: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in draft.get("form", {}).items()}


ROUTES: Final = (
    reconcile_page, keep_reconciliation, find_said, add_said, discard_reconciliation,
    sign_reconciliation,
)  # fmt: skip
