"""The page on which a dose that was given outside the plan is recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from litestar import Request, Response, get, post
from litestar.response import Redirect
from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.guard import staff_of_request
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.content import loading
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import (
    OSLO,
    concept_text,
    first,
    mapping,
    reference_key,
    reference_text,
    text,
)
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.catalogue.choices import choices
from helsevev.medication.dosage import dose_amount, plain
from helsevev.medication.order_entry import today
from helsevev.medication.order_form import number_of, quantity
from helsevev.medication.outside_plan import (
    Outside,
    faults,
    give_outside_plan,
)
from helsevev.medication.round import name_of
from helsevev.medication.round_opening import OpenedRound, open_round
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_UNWRITTEN: Final = ("draft", "cancelled", "entered-in-error")
_FIELDS: Final = (
    "patient", "key", "order", "product", "words", "amount", "unit", "route", "at", "kind", "why",
    "due", "prescriber",
)  # fmt: skip
_OF_FIELD: Final = {"words": "why"}
BESIDES: Final = "besides"
"""The answer that a dose was given besides those that are planned."""
_MOST_HITS: Final = 12


class _Chosen(Struct, frozen=True):
    """What was given: an order, or a medicine that nobody has ordered."""

    name: str
    order: Mapping[str, Any] = {}
    medicine: Mapping[str, Any] = {}
    filled: Mapping[str, str] = {}


@get("/rounds/{patient_id:str}/outside-plan", opt=_RECORD)
async def outside_plan_page(request: _Request, patient_id: str, order: str = "") -> Response[Any]:
    """Choose what was given; of an order that the address names, say how."""
    opened = await open_round(_services(request), staff_of_request(request), patient_id)
    orders = await _orders(_services(request), opened)
    chosen = _of_order(orders, order)
    return await _page(request, opened, orders, chosen, {"order": order}, ())


@post("/rounds/{patient_id:str}/outside-plan/find", opt=_RECORD, status_code=200)
async def find_outside(request: _Request, patient_id: str) -> Response[Any]:
    """What the words may mean."""
    services, actor = _services(request), staff_of_request(request)
    await services.gate.open_chart(actor, patient_id, interaction="round")
    words = str((await request.form()).get("words", ""))[:100].strip()
    found = await choices(services, actor).find(words, _MOST_HITS, today())
    return render(request, "medication/_outside_hits.html", found=found, words=words)


@post("/rounds/{patient_id:str}/outside-plan/medicine", opt=_RECORD, status_code=200)
async def choose_outside(request: _Request, patient_id: str) -> Response[Any]:
    """Say how a medicine was given that nobody has ordered."""
    services, actor = _services(request), staff_of_request(request)
    opened = await open_round(services, actor, patient_id)
    form = await _typed(request)
    chosen = await _of_words(services, actor, form)
    problems = () if chosen else (error("required", _("Choose the medicine."), "words"),)
    orders = await _orders(services, opened)
    return await _page(request, opened, orders, chosen, form, problems)


@post("/rounds/{patient_id:str}/outside-plan", opt=_RECORD, status_code=200)
async def sign_outside_plan(request: _Request, patient_id: str) -> Response[Any]:
    """Keep what was given, or say what is missing."""
    services, actor = _services(request), staff_of_request(request)
    opened = await open_round(services, actor, patient_id)
    form = await _typed(request)
    orders = await _orders(services, opened)
    chosen = _of_order(orders, form["order"]) or await _of_words(services, actor, form)
    if form["patient"] != patient_id:
        said = _("This form belongs to another patient. Nothing was signed.")
        issues: Sequence[Issue] = (error("conflict", said),)
        return await _page(request, opened, orders, chosen, form, issues)
    given, issues = _read(opened, chosen, form)
    if given is None:
        return await _page(request, opened, orders, chosen, form, issues)
    end = await give_outside_plan(services, actor, given, form["key"])
    if end.problem:
        return await _page(request, opened, orders, chosen, form, (error("value", end.problem),))
    return Redirect(f"{opened.href}?signed=1", status_code=303)


async def _orders(services: Services, opened: OpenedRound) -> list[Mapping[str, Any]]:
    """The orders that a dose may have been given by, those in force first."""
    wanted = (Slice("MedicationRequest", 300, _UNWRITTEN),)
    found = await services.gate.open_slices(opened.permit, wanted, interaction="round")
    orders: list[Mapping[str, Any]] = list(found["MedicationRequest"])
    orders.sort(key=lambda each: (each.get("status") != "active", name_of(each).casefold()))
    return orders


def _of_order(orders: Sequence[Mapping[str, Any]], key: str) -> _Chosen | None:
    order = next((each for each in orders if key and each.get("id") == key), None)
    if order is None:
        return None
    dosage = first(order.get("dosageInstruction"))
    dose = mapping(first(dosage.get("doseAndRate")).get("doseQuantity"))
    filled = {
        "amount": plain(dose.get("value")) if dose else "",
        "unit": text(dose.get("unit")) or text(dose.get("code")),
        "route": concept_text(dosage.get("route")),
    }
    return _Chosen(name_of(order), order, {}, filled)


async def _of_words(services: Services, actor: Actor, form: Mapping[str, str]) -> _Chosen | None:
    product, _sep, place = form["product"].partition("~")
    choice = await choices(services, actor).one(product, today()) if product else None
    if choice is None:
        words = form["words"].strip()
        return _Chosen(words, {}, {"text": words}) if len(words) > 1 else None
    sentence = choice.sentences[int(place)].form if place.isdigit() and int(place) < len(
        choice.sentences
    ) else {}  # fmt: skip
    filled = {name: sentence[name] for name in ("amount", "unit") if name in sentence}
    return _Chosen(choice.name, {}, choice.medicine, filled)


def _read(
    opened: OpenedRound, chosen: _Chosen | None, form: Mapping[str, str]
) -> tuple[Outside | None, list[Issue]]:
    """What the form says was given, or what is wrong with it."""
    issues: list[Issue] = []
    if chosen is None:
        return None, [error("required", _("Choose the medicine."), "words")]
    amount = number_of(form["amount"])
    if amount is None or amount <= 0:
        issues.append(error("value", _("Say how much was given."), "amount"))
    if not form["unit"].strip():
        issues.append(error("required", _("This must be filled in."), "unit"))
    at = _moment(form["at"])
    if at is None:
        issues.append(error("value", _("Say when it was given."), "at"))
    planned = _planned(opened, chosen)
    if planned and form["due"] not in {BESIDES, *planned}:
        issues.append(error("required", _("Choose which dose it was."), "due"))
    if issues or at is None or amount is None:
        return None, issues
    dose = quantity(amount, form["unit"].strip()[:40])
    ordered = mapping(first(first(chosen.order.get("dosageInstruction")).get("doseAndRate")).get(
        "doseQuantity"
    ))  # fmt: skip
    if ordered.get("unit") == dose["unit"]:
        dose = {**ordered, "value": amount}
    dosage: dict[str, Any] = {"doseAndRate": [{"doseQuantity": dose}]}
    if form["route"].strip():
        dosage["route"] = _route(chosen, form["route"].strip()[:80])
    names = dict(_prescribers(opened, chosen))
    prescriber = form["prescriber"] if form["prescriber"] in names else ""
    given = Outside(
        patient=opened.patient_id, at=at, kind=form["kind"], words=form["why"],
        order=chosen.order,
        medicine=chosen.medicine, dosage=dosage, due="" if form["due"] == BESIDES else form["due"],
        prescriber=(prescriber, names.get(prescriber, "")),
    )  # fmt: skip
    found = faults(given, clock.now())
    named = [error(i.code, i.diagnostics, _OF_FIELD.get(i.expression, i.expression)) for i in found]
    return (None if found else given), named


def _route(chosen: _Chosen, words: str) -> Mapping[str, Any]:
    """The route of the order where it is the same, else the words."""
    ordered = mapping(first(chosen.order.get("dosageInstruction")).get("route"))
    return ordered if concept_text(ordered) == words else {"text": words}


def _planned(opened: OpenedRound, chosen: _Chosen) -> dict[str, datetime]:
    """The doses of the order that nobody has signed: key -> when they are due."""
    key = chosen.order.get("id")
    return {
        row.key: row.at
        for row in opened.round.rows
        if key and row.order.get("id") == key and row.signed is None
    }


def _prescribers(opened: OpenedRound, chosen: _Chosen) -> list[tuple[str, str]]:
    """(reference, name) of those who may be asked to acknowledge it."""
    found: dict[str, str] = {}
    for order in (chosen.order, *(row.order for row in opened.round.rows)):
        who = mapping(order.get("requester"))
        if reference_key(who).startswith(("Practitioner/", "PractitionerRole/")):
            found.setdefault(reference_key(who), reference_text(who))
    return [(key, name) for key, name in found.items() if name]


async def _page(
    request: _Request,
    opened: OpenedRound,
    orders: Sequence[Mapping[str, Any]],
    chosen: _Chosen | None,
    form: Mapping[str, str],
    issues: Sequence[Issue],
) -> Response[Any]:
    shown = {**dict.fromkeys(_FIELDS, ""), **(chosen.filled if chosen else {})}
    shown |= {name: value for name, value in form.items() if value}
    now = clock.now()
    shown["at"] = shown["at"] or f"{now.astimezone(OSLO):%Y-%m-%dT%H:%M}"
    planned = _planned(opened, chosen) if chosen else {}
    known = set(_FIELDS)
    return render(
        request,
        "medication/outside_plan.html",
        status_code=422 if issues else 200,
        opened=opened,
        orders=[(each, name_of(each), dose_amount(first(each.get("dosageInstruction"))))
                for each in orders],
        chosen=chosen,
        form=shown,
        key=shown["key"] or str(uuid4()),
        content=loading.rounds(),
        planned=planned,
        besides=BESIDES,
        prescribers=[
            {"value": who, "label": name}
            for who, name in (_prescribers(opened, chosen) if chosen else ())
        ],
        errors={i.expression: i.diagnostics for i in issues if i.expression in known},
        problems=[i.diagnostics for i in issues if i.expression not in known],
        place="rounds",
        base=f"/patient/{opened.patient_id}",
        page_title=_("Given outside the plan"),
    )  # fmt: skip


async def _typed(request: _Request) -> dict[str, str]:
    form = await request.form()
    return {name: str(form.get(name, ""))[:500] for name in _FIELDS}


def _moment(said: str) -> datetime | None:
    try:
        return datetime.fromisoformat(said).replace(tzinfo=OSLO) if said else None
    except ValueError:
        return None


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (outside_plan_page, find_outside, choose_outside, sign_outside_plan)
