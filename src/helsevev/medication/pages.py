"""Prescribing, in few steps: what one types, the usual ways to order it, what it means, signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

from litestar import Request, Response, get, post
from litestar.response import Redirect

from helsevev.access.errors import AccessError, Refused
from helsevev.access.guard import actor_of_request
from helsevev.access.services import Services
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import objects
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.catalogue.choices import choices
from helsevev.medication.choosing import Choice, words_of
from helsevev.medication.opened import Opened, open_list
from helsevev.medication.order_checks import Unanswered, answered, checked
from helsevev.medication.order_entry import (
    FIELDS,
    answers_of,
    fields,
    today,
    typed,
    unanswered,
    with_answers,
)
from helsevev.medication.order_form import dosages_of, steps_of
from helsevev.medication.prescription import (
    NotPrescribable,
    Prescriber,
    prescribe,
)
from helsevev.medication.taper import drawn, total
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_MOST: Final = 12
_KEY_SYSTEM: Final = "urn:ietf:rfc:3986"


@get("/patient/{patient_id:str}/medications/new", opt=_RECORD)
async def new_order(request: _Request, patient_id: str) -> Response[Any]:
    """A field to type in: the medicine comes first."""
    opened = await _opened(request, patient_id, listed=False)
    return await order_page(request, opened, {"key": str(uuid4())}, None)


@post("/patient/{patient_id:str}/medications/find", opt=_RECORD, status_code=200)
async def find_medicine(request: _Request, patient_id: str) -> Response[Any]:
    """What the words may mean, with the usual ways to order it."""
    opened = await _opened(request, patient_id, listed=False)
    form = await typed(request)
    found = await choices(opened.services, opened.actor).find(form["words"], _MOST, today())
    return render(request, "medication/_hits.html", found=found, words=form["words"].strip())


@post("/patient/{patient_id:str}/medications/new", opt=_RECORD, status_code=200)
async def choose_order(request: _Request, patient_id: str) -> Response[Any]:
    """The order form for what was chosen, or for another way of taking it."""
    opened = await _opened(request, patient_id, listed=False)
    form = await typed(request)
    product, _sep, place = form["choice"].partition("~")
    choice = await _choice(opened, product or form["product"])
    if choice is None:
        return await order_page(request, opened, form, None, [_no_medicine()])
    if product:
        filled = choice.sentences[int(place)].form if place.isdigit() and int(place) < len(
            choice.sentences
        ) else {"how": "daily", "often": "1"}  # fmt: skip
        form = {**form, **filled, "product": product, "choice": ""}
    return await order_page(request, opened, form, choice)


@post("/patient/{patient_id:str}/medications/course", opt=_RECORD, status_code=200)
async def preview(request: _Request, patient_id: str) -> Response[Any]:
    """What the form means so far: in words, drawn, and checked."""
    opened = await _opened(request, patient_id, listed=False)
    form = await typed(request)
    choice = await _choice(opened, form["product"])
    shown = await _shown(opened, form, choice, check=False)
    return render(request, "medication/_course.html", opened=opened, form=form, **shown)


@post("/patient/{patient_id:str}/medications", opt=_RECORD, status_code=200)
async def sign_order(request: _Request, patient_id: str) -> Response[Any]:
    """Sign the order: it stands on the list, or the page says why it does not."""
    opened = await _opened(request, patient_id)
    form = await typed(request)
    choice = await _choice(opened, form["product"])
    if form["patient"] != patient_id:
        problem = _("This form belongs to another patient. Nothing was ordered.")
        issues: Sequence[Issue] = [Issue("error", "conflict", problem)]
        return await order_page(request, opened, {**form, "patient": patient_id}, choice, issues)
    answers = await answers_of(request)
    try:
        if choice is None:
            raise NotPrescribable([_no_medicine()])
        key = str(UUID(form["key"]))
        if not _is_signed(opened, key):
            order = _order(opened, form, choice)
            says = await checked(opened.services, opened.permit, order)
            if unanswered(says, answers):
                raise Unanswered(says)
            order = with_answers(order, says, answers)
            order["identifier"] = [{"system": _KEY_SYSTEM, "value": f"urn:uuid:{key}"}]
            await opened.services.writer.write(opened.actor, order, idempotency_key=key)
            await answered(opened.services, opened.permit, says, answers)
    except Refused:
        raise
    except (NotPrescribable, AccessError) as refusal:
        # A second press of the same button, at the same moment: ordered already is ordered.
        if not _is_signed(await _opened(request, patient_id), form["key"]):
            return await order_page(request, opened, form, choice, refusal.issues)
    except ValueError:
        problem = _("The form is not complete. Open it again.")
        return await order_page(request, opened, form, choice, [error("value", problem)])
    return Redirect(f"{opened.base}/medications", status_code=303)


def _order(opened: Opened, form: Mapping[str, str], choice: Choice) -> dict[str, Any]:
    return prescribe(
        choice.medicine,
        dosages_of(form, today()),
        patient_id=opened.patient_id,
        prescriber=Prescriber(opened.actor.id, opened.actor.name),
        at=clock.now(),
        reason=form["reason"],
        encounter=opened.encounter,
        multidose=bool(form["multidose"]),
        own_managed=bool(form["own_managed"]),
    )


def _is_signed(opened: Opened, key: str) -> bool:
    """Whether the order that was opened under this key stands on the list."""
    return any(
        each.get("value") == f"urn:uuid:{key}"
        for resource in opened.resources.values()
        for each in objects(resource.get("identifier"))
    )


async def order_page(
    request: _Request,
    opened: Opened,
    form: Mapping[str, str],
    choice: Choice | None,
    issues: Sequence[Issue] = (),
) -> Response[Any]:
    """The page of a new order: the field to type in, and the form once a medicine is chosen."""
    form = {**dict.fromkeys(FIELDS, ""), **form}
    shown = await _shown(opened, form, choice)
    return render(
        request, "medication/new_order.html", status_code=422 if issues else 200, opened=opened,
        form=form, choice=choice, place="patients", page_title=_("Prescribe"),
        **fields(form, issues), **shown,
    )  # fmt: skip


async def _shown(
    opened: Opened, form: Mapping[str, str], choice: Choice | None, *, check: bool = True
) -> dict[str, Any]:
    """The order in words, its course, and what the checks say, as far as the form is filled in."""
    empty = {"words": "", "bars": (), "steps": (), "sum": None, "says": None, "missing": ""}
    if choice is None:
        return empty
    try:
        dosages = dosages_of(form, today())
        steps = steps_of(form, today()) if form.get("how") == "taper" else ()
        order = _order(opened, form, choice)
    except NotPrescribable as incomplete:
        return {**empty, "missing": incomplete.issues[0].diagnostics}
    says = (
        await checked(opened.services, opened.permit, order, hook="order-select") if check else None
    )
    a_day = len(form.get("at", "").split()) or int(form.get("often") or 1)
    return {
        "words": words_of(dosages, "" if len(steps) < 2 else "taper"),
        "bars": drawn(steps), "steps": steps, "sum": total(steps, a_day) if steps else None,
        "says": says, "missing": "",
    }  # fmt: skip


async def _choice(opened: Opened, product: str) -> Choice | None:
    if not product:
        return None
    return await choices(opened.services, opened.actor).one(product, today())


def _no_medicine() -> Issue:
    return error("required", _("Choose the medicine."), "words")


async def _opened(request: _Request, patient_id: str, *, listed: bool = True) -> Opened:
    services: Services = request.app.state.services
    return await open_list(
        services, actor_of_request(request), patient_id, interaction="prescribe", listed=listed
    )
