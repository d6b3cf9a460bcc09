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
from helsevev.content import loading
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import objects
from helsevev.locale import gettext as _
from helsevev.medication.catalogue.choices import choices
from helsevev.medication.choosing import Choice, words_of
from helsevev.medication.dose_suggestions import DoseAdvice, dose_advice
from helsevev.medication.opened import Opened, open_list
from helsevev.medication.order_checks import Unanswered, answered, checked
from helsevev.medication.order_entry import (
    FIELDS,
    answers_of,
    fields,
    order_of,
    routes_of,
    today,
    typed,
    unanswered,
    with_answers,
)
from helsevev.medication.order_form import dosages_of, steps_of
from helsevev.medication.prescription import NotPrescribable
from helsevev.medication.taper import drawn, total
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_MOST: Final = 12


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
    words = form["words"].strip()
    sets = loading.order_sets().find(words) if len(words) > 1 else loading.order_sets().set
    return render(
        request, "medication/_hits.html", opened=opened, found=found, words=words, sets=sets
    )


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
        form = {**form, "unit": choice.unit, **filled, "product": product, "choice": ""}
    elif form["take"].isdigit():
        form = await _with_advice(opened, form, choice)
    return await order_page(request, opened, form, choice)


@post("/patient/{patient_id:str}/medications/course", opt=_RECORD, status_code=200)
async def preview(request: _Request, patient_id: str) -> Response[Any]:
    """What the form means so far: in words, drawn, and checked."""
    opened = await _opened(request, patient_id, listed=False)
    form = await typed(request)
    choice = await _choice(opened, form["product"])
    shown = await _shown(opened, form, choice)
    answers = await answers_of(request)
    return render(
        request, "medication/_meaning.html", opened=opened, form=form, answers=answers, **shown
    )


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
            order = order_of(opened, form, choice)
            says = await checked(opened.services, opened.permit, order, showing=key)
            if unanswered(says, answers):
                raise Unanswered(says)
            order = with_answers(order, says, answers)
            await opened.services.writer.write(opened.actor, order, idempotency_key=key)
            await answered(opened.services, opened.permit, says, answers, order)
    except Refused:
        raise
    except (NotPrescribable, AccessError) as refusal:
        # A second press of the same button, at the same moment: ordered already is ordered.
        if not _is_signed(await _opened(request, patient_id), form["key"]):
            return await order_page(request, opened, form, choice, refusal.issues, answers=answers)
    except ValueError:
        problem = _("The form is not complete. Open it again.")
        return await order_page(request, opened, form, choice, [error("value", problem)])
    return Redirect(f"{opened.base}/medications", status_code=303)


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
    *,
    answers: Mapping[str, str] | None = None,
) -> Response[Any]:
    """The page of a new order: the field to type in, and the form once a medicine is chosen."""
    form = {**dict.fromkeys(FIELDS, ""), **form}
    shown = await _shown(opened, form, choice)
    advice = await _advice(opened, choice) if choice else None
    return render(
        request, "medication/new_order.html", status_code=422 if issues else 200, opened=opened,
        form=form, choice=choice, place="patients", page_title=_("Prescribe"), advice=advice,
        answers=answers or {}, routes=routes_of(choice) if choice else (),
        sets=() if choice else loading.order_sets().set,
        **fields(form, issues), **shown,
    )  # fmt: skip


async def _advice(opened: Opened, choice: Choice) -> DoseAdvice:
    return await dose_advice(
        opened.services, opened.permit, choice.medicine, opened.birth_date
    )  # fmt: skip


async def _with_advice(
    opened: Opened, form: Mapping[str, str], choice: Choice
) -> dict[str, str]:  # fmt: skip
    """The form with the proposed dose that was taken, whose place among them it holds."""
    advice = await _advice(opened, choice)
    place = int(form["take"])
    taken = advice.suggested[place].form if place < len(advice.suggested) else {}
    return {**form, **taken, "at": "" if taken else form["at"], "take": ""}


async def _shown(
    opened: Opened, form: Mapping[str, str], choice: Choice | None
) -> dict[str, Any]:  # fmt: skip
    """The order in words, its course, and what the checks say, as far as the form is filled in."""
    empty = {"words": "", "bars": (), "steps": (), "sum": None, "says": None, "missing": ""}
    if choice is None:
        return empty
    try:
        dosages = dosages_of(form, today())
        steps = steps_of(form, today()) if form.get("how") == "taper" else ()
        order = order_of(opened, form, choice)
    except NotPrescribable as incomplete:
        return {**empty, "missing": incomplete.issues[0].diagnostics}
    says = await checked(
        opened.services, opened.permit, order, hook="order-select", showing=form["key"]
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
