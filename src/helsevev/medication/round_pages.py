"""The round on the phone: my patients with doses due, one patient's doses, and their signing."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException

from helsevev.access.actor import Actor
from helsevev.access.errors import Refused
from helsevev.access.guard import staff_of_request
from helsevev.access.people import Found
from helsevev.access.services import Services
from helsevev.content import loading
from helsevev.fhir import dates
from helsevev.fhir.reading import reference_key
from helsevev.kit.web import WITH_WASM
from helsevev.locale import gettext as _
from helsevev.medication.round import Round, name_of
from helsevev.medication.round_filters import choices_of, filters_of
from helsevev.medication.round_opening import OpenedRound, open_round
from helsevev.medication.round_page import after, page
from helsevev.medication.round_signing import RoundSigning, Signed
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_AT_ONCE: Final = 4


@get("/rounds", opt={"decision": "signed-in"})
async def rounds_page(request: _Request) -> Response[Any]:
    """My patients with doses, those with something late first."""
    services, actor = _services(request), staff_of_request(request)
    found = [each for each in await services.people.mine(actor) if each.may_open]
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(person: Found) -> OpenedRound | None:
        async with turns:
            try:
                return await open_round(services, actor, person.patient_id)
            except Refused:
                return None  # It was closed while the list was drawn.

    opened = [each for each in await asyncio.gather(*map(one, found)) if each is not None]
    filters = filters_of(request.query_params)
    with_doses = [each for each in opened if each.round.rows or each.round.contradictions]
    choices = choices_of(with_doses)
    shown = [filters.narrow(each) for each in with_doses if filters.fits(each)]
    shown.sort(key=lambda each: (_first_open(each.round), each.name.casefold()))
    return render(
        request, "medication/rounds.html", opened=shown, unit=actor.unit_name,
        filters=filters, choices=choices, place="rounds", page_title=_("Medicine round"),
        headers=WITH_WASM,
    )  # fmt: skip


@get("/rounds/{patient_id:str}", opt={"decision": "record"})
async def round_page(request: _Request, patient_id: str, signed: int = 0) -> Response[Any]:
    """One patient's doses, to be signed."""
    opened = await open_round(_services(request), staff_of_request(request), patient_id)
    return page(request, opened, (), signed=signed)


@post("/rounds/{patient_id:str}", opt={"decision": "record"}, status_code=200)
async def sign_round(request: _Request, patient_id: str) -> Response[Any]:
    """Sign the doses that were given, and those that were not, each by itself."""
    services, actor = _services(request), staff_of_request(request)
    opened = await open_round(services, actor, patient_id)
    form = await request.form()
    if form.get("patient") != patient_id:
        problem = _("This form belongs to another patient. Nothing was signed.")
        return page(request, opened, [Signed("", problem)])
    withheld = {
        name.removeprefix("not-"): str(reason)
        for name, reason in form.multi_items()
        if name.startswith("not-") and reason
    }
    given = [str(key) for key in form.getall("give", [])]
    # Of a bag all is given but what is said not to be.
    bagged = [key for bag in form.getall("bag", []) for key in str(bag).split()]
    given += [key for key in bagged if key not in withheld and key not in given]
    scan = str(form.get("scan", ""))
    if given and scan not in {each.code for each in loading.rounds().not_scanned}:
        return page(request, opened, [Signed("", _("Choose why nothing was scanned."))])
    if both := withheld.keys() & set(given):
        names = ", ".join(row.name for row in opened.round.rows if row.key in both)
        return page(request, opened, [Signed(names, _("Given or not given: choose one."))])
    if not given and not withheld:
        return page(request, opened, [Signed("", _("Choose at least one dose."))])
    signing = RoundSigning(services, actor, str(form.get("key", "")))
    known = {row.key: row for row in opened.round.rows}
    gone = (withheld.keys() | set(given)) - known.keys()
    ends = [await signing.give(known[key], scan) for key in given if key in known]
    ends += [
        await signing.withhold(known[key], reason)
        for key, reason in withheld.items()
        if key in known
    ]
    ends += [await _no_longer(services, actor, patient_id, key) for key in sorted(gone)]
    return await after(request, patient_id, ends)


@post("/rounds/{patient_id:str}/as-needed", opt={"decision": "record"}, status_code=200)
async def sign_as_needed(request: _Request, patient_id: str) -> Response[Any]:
    """Give a dose that is taken when there is need, with what it is for."""
    services, actor = _services(request), staff_of_request(request)
    opened = await open_round(services, actor, patient_id)
    form = await request.form()
    chosen = next(
        (each for each in opened.round.as_needed
         if form.get("order") == f"{each.order['id']}.{each.place}"), None,
    )  # fmt: skip
    if chosen is None or form.get("patient") != patient_id:
        raise NotFoundException("There is no such order to give by for this patient.")
    signing = RoundSigning(services, actor, str(form.get("key", ""))[:64])
    reason = str(form.get("reason", ""))[:500]
    end = await signing.give_as_needed(chosen, reason, str(form.get("scan", ""))[:40])
    return await after(request, patient_id, [end])


@post("/rounds/{patient_id:str}/effect", opt={"decision": "record"}, status_code=200)
async def tell_effect(request: _Request, patient_id: str) -> Response[Any]:
    """Say how an as-needed dose worked."""
    services, actor = _services(request), staff_of_request(request)
    opened = await open_round(services, actor, patient_id)
    form = await request.form()
    task = next((t for t in opened.round.effects if t["id"] == form.get("task")), None)
    if task is None:
        return await after(request, patient_id, [Signed("", _("It has been told already."))])
    end = await RoundSigning(services, actor, "").tell_effect(task, str(form.get("effect", "")))
    return await after(request, patient_id, [end])


@post("/rounds/{patient_id:str}/settle", opt={"decision": "record"}, status_code=200)
async def settle(request: _Request, patient_id: str) -> Response[Any]:
    """Say what happened when two have signed the same dose."""
    services, actor = _services(request), staff_of_request(request)
    opened = await open_round(services, actor, patient_id)
    form = await request.form()
    found = next(
        (c for c in opened.round.contradictions if c.second["id"] == form.get("second")), None
    )
    if found is None or form.get("happened") not in ("once", "twice"):
        problem = _("This has been settled already.")
        return await after(request, patient_id, [Signed("", problem)])
    signing = RoundSigning(services, actor, "")
    end = await signing.settle(found.second, both=form.get("happened") == "twice")
    return await after(request, patient_id, [end])


ROUTES: Final = (rounds_page, round_page, sign_round, sign_as_needed, tell_effect, settle)


async def _no_longer(services: Services, actor: Actor, patient_id: str, key: str) -> Signed:
    """What is told of a dose that the plan had when the page was opened, and has no longer."""
    place = "MedicationRequest", key.partition("/")[0]
    order = (await services.gate.open_many(actor, [place], interaction="round")).get(place, {})
    mine = reference_key(order.get("subject")) == f"Patient/{patient_id}"
    said = _("The plan has changed since the page was opened. This dose was not signed.")
    return Signed(name_of(order) if mine else "", said)


def _first_open(found: Round) -> datetime:
    opens = [row.at for row in found.open_rows]
    rest = [row.at for row in found.rows if row.state == "upcoming"]
    return min(opens) if opens else min(rest, default=dates.moment(dates.MAX - 1))


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services
