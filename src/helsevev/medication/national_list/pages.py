"""The national list beside ours: fetched, taken over row by row, and sent with a receipt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from litestar import Request, Response, get, post
from litestar.response import Redirect

from helsevev.access.errors import AccessError, Refused
from helsevev.access.guard import staff_of_request
from helsevev.access.policy import may_write
from helsevev.access.services import Services
from helsevev.content import loading
from helsevev.fhir.outcome import Issue, error
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.national_list import exchange
from helsevev.medication.national_list.exchange import Desk, open_desk, open_state
from helsevev.medication.national_list.incoming import allergy_key, allergy_words, is_same_allergy
from helsevev.medication.national_list.kept import State
from helsevev.medication.national_list.message import NationalList
from helsevev.medication.national_list.outgoing import Message
from helsevev.medication.national_list.port import NationalService
from helsevev.medication.national_list.taking import act_of, take_allergy, take_over
from helsevev.medication.national_list.telling import told
from helsevev.medication.order_checks import Unanswered
from helsevev.medication.order_entry import answers_of
from helsevev.medication.prescription import NotPrescribable
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_PLACE: Final = "/patient/{patient_id:str}/medications/national"


@get(_PLACE, opt=_RECORD)
async def national_list(request: _Request, patient_id: str) -> Response[Any]:
    """What the national list said when it was fetched last, beside what we have."""
    return await _page(request, await _desk(request, patient_id))


@get(f"{_PLACE}/state", opt=_RECORD)
async def exchange_state(request: _Request, patient_id: str) -> Response[Any]:
    """In a line: when it was exchanged last, and whether it cannot be."""
    services: Services = request.app.state.services
    state = await open_state(services, staff_of_request(request), patient_id)
    base = f"/patient/{patient_id}"
    return render(
        request, "medication/_national_state.html", base=base, state=state,
        is_set_up=_service(request).is_set_up, is_old=_is_old(state),
    )  # fmt: skip


@post(f"{_PLACE}/fetch", opt=_RECORD, status_code=200)
async def fetch_list(request: _Request, patient_id: str) -> Response[Any]:
    """Fetch it now; the page says what came, or that nothing did."""
    desk = await _desk(request, patient_id)
    form = await request.form()
    try:
        _must_be(form, patient_id)
        await exchange.fetch(desk, str(form.get("key", "")))
    except Refused:
        raise
    except (NotPrescribable, AccessError) as refusal:
        return await _page(request, desk, refusal.issues)
    except ValueError:
        return await _page(request, desk, _incomplete())
    return _back(patient_id)


@post(f"{_PLACE}/take", opt=_RECORD, status_code=200)
async def take_row(request: _Request, patient_id: str) -> Response[Any]:
    """Take one row or allergy over; warnings are shown, and answered, before it is done."""
    desk = await _desk(request, patient_id)
    form = await request.form()
    row = str(form.get("row", ""))
    allergy = str(form.get("allergy", ""))
    try:
        _must_be(form, patient_id)
        seen, key = str(form.get("seen", "")), str(form.get("key", ""))
        if allergy:
            await take_allergy(desk, key, seen, allergy)
        else:
            await take_over(desk, key, seen, row, await answers_of(request))
    except Refused:
        raise
    except (NotPrescribable, AccessError) as refusal:
        says = {row: refusal.says} if isinstance(refusal, Unanswered) else {}
        desk = await _desk(request, patient_id)
        return await _page(request, desk, refusal.issues, says=says)
    except ValueError:
        return await _page(request, desk, _incomplete())
    return _back(patient_id)


@get(f"{_PLACE}/send", opt=_RECORD)
async def before_sending(request: _Request, patient_id: str) -> Response[Any]:
    """What would be sent, line by line, before it is."""
    desk = await _desk(request, patient_id)
    key = str(uuid4())
    try:
        made = await exchange.compose(desk, key)
    except NotPrescribable as refusal:
        return await _page(request, desk, refusal.issues)
    return _preview(request, desk, made, key, ())


@post(f"{_PLACE}/send", opt=_RECORD, status_code=200)
async def send_list(request: _Request, patient_id: str) -> Response[Any]:
    """Send it, once; the page tells what came of it."""
    desk = await _desk(request, patient_id)
    form = await request.form()
    try:
        _must_be(form, patient_id)
        await exchange.send(desk, str(form.get("key", "")), str(form.get("seen", "")))
    except Refused:
        raise
    except (NotPrescribable, AccessError) as refusal:
        return await _page(request, await _desk(request, patient_id), refusal.issues)
    except ValueError:
        return await _page(request, desk, _incomplete())
    return _back(patient_id)


@post(f"{_PLACE}/settle", opt=_RECORD, status_code=200)
async def settle_sending(request: _Request, patient_id: str) -> Response[Any]:
    """After a lost answer: see what became of it, or send the same message again."""
    desk = await _desk(request, patient_id)
    form = await request.form()
    which, again = str(form.get("exchange", "")), form.get("again")
    missing: tuple[str, ...] = ()
    try:
        _must_be(form, patient_id)
        if again:
            await exchange.send_again(desk, which)
        else:
            _found, missing = await exchange.settle(desk, which)
    except Refused:
        raise
    except (NotPrescribable, AccessError) as refusal:
        return await _page(request, await _desk(request, patient_id), refusal.issues)
    if missing:
        return await _page(request, desk, missing=missing)
    return _back(patient_id)


ROUTES: Final = (
    national_list, exchange_state, fetch_list, take_row, before_sending, send_list, settle_sending,
)  # fmt: skip


async def _page(
    request: _Request,
    desk: Desk,
    issues: Sequence[Issue] = (),
    *,
    says: dict[str, Any] | None = None,
    missing: Sequence[str] = (),
) -> Response[Any]:
    rows = desk.rows
    return render(
        request, "medication/national_list.html", status_code=422 if issues else 200,
        opened=desk.opened, state=desk.state, national=desk.national, unreadable=desk.unreadable,
        groups=_groups(rows), acts={row.key: act_of(row) for row in rows}, says=says or {},
        is_set_up=desk.service.is_set_up, is_old=_is_old(desk.state), new_key=lambda: str(uuid4()),
        problems=[issue.diagnostics for issue in issues], missing=missing, place="patients",
        allergies=_allergies(desk),
        may_tell=may_write(desk.opened.actor.profession, "AllergyIntolerance"),
        also=_also(desk.national) if desk.national else [], page_title=_("National list"),
    )  # fmt: skip


def _preview(
    request: _Request, desk: Desk, made: Message, key: str, issues: Sequence[Issue]
) -> Response[Any]:
    state = desk.state
    assert state.fetched is not None
    return render(
        request, "medication/national_send.html", opened=desk.opened, made=made, key=key,
        state=state, seen=state.fetched.id, place="patients", page_title=_("Send our list"),
        problems=[issue.diagnostics for issue in issues], is_old=_is_old(state),
    )  # fmt: skip


def _groups(rows: Sequence[Any]) -> list[tuple[str, str, list[Any]]]:
    titles = [
        ("differs", _("Otherwise in the two lists")),
        ("stopped-theirs", _("Stopped nationally, in use here")),
        ("stopped-ours", _("Stopped here, in use nationally")),
        ("only-theirs", _("Only in the national list")),
        ("only-ours", _("Only in ours")),
        ("same", _("The same in both")),
    ]
    made = [(kind, title, [row for row in rows if row.kind == kind]) for kind, title in titles]
    return [group for group in made if group[2]]


def _allergies(desk: Desk) -> list[tuple[str, str, bool]]:
    """Each allergy of the national list: its key, its words, and whether ours tells it too."""
    listed = desk.national.allergies if desk.national else ()
    return [
        (allergy_key(each), allergy_words(each),
         any(is_same_allergy(each, ours) for ours in desk.allergies))
        for each in listed
    ]  # fmt: skip


def _also(national: NationalList) -> list[tuple[str, list[Any]]]:
    """What else the message holds, so that nothing of it goes unseen."""
    stopped = [line for line in (*national.lines, *national.former) if not line.is_active]
    made: list[tuple[str, list[Any]]] = [
        (_("No longer in use nationally"), [(line.name, line.told) for line in stopped]),
        (_("Multidose and who is responsible"), [("", told(e)) for e in national.multidose]),
        (_("Other prescriptions"), [("", told(each)) for each in national.other]),
        (_("Handed out"), [("", told(each)) for each in national.dispensed]),
        (_("Allergies as received"), [("", told(each)) for each in national.allergies]),
        (_("People, places and the rest of the message"), [("", told(e)) for e in national.rest]),
    ]
    return [group for group in made if group[1]]


def _is_old(state: State) -> bool:
    if state.fetched is None:
        return False
    fresh = timedelta(minutes=loading.national_list().fresh_minutes)
    return clock.now() - state.fetched.at > fresh


def _must_be(form: Any, patient_id: str) -> None:
    if form.get("patient") != patient_id:
        problem = _("This form belongs to another patient. Nothing was done.")
        raise NotPrescribable([Issue("error", "conflict", problem)])


def _incomplete() -> list[Issue]:
    return [error("value", _("The form is not complete. Open it again."))]


def _back(patient_id: str) -> Redirect:
    return Redirect(f"/patient/{patient_id}/medications/national", status_code=303)


def _service(request: _Request) -> NationalService:
    service: NationalService = request.app.state.medication_service
    return service


async def _desk(request: _Request, patient_id: str) -> Desk:
    services: Services = request.app.state.services
    return await open_desk(services, _service(request), staff_of_request(request), patient_id)
