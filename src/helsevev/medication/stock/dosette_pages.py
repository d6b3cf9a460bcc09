"""Dosettes, multidose bags and own supplies on the screen: filling, checking, and what changed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final
from uuid import uuid4

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.actor import Actor
from helsevev.access.errors import AccessError, Refused
from helsevev.access.guard import staff_of_request
from helsevev.access.people import Found
from helsevev.access.services import Services
from helsevev.access.stock import Stock
from helsevev.content import loading
from helsevev.fhir.reading import OSLO
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.shelf.book import day_typed
from helsevev.medication.shelf.dispensing import (
    BAGS,
    DOSETTE,
    KINDS,
    OWN,
    Filling,
    FillingRefused,
)
from helsevev.medication.stock.filled import Filled, open_filled, tell_of_changes
from helsevev.medication.stock.filling import Wish, check_filling, fill, fillable, take_apart
from helsevev.medication.stock.opened import Texts, short
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_DECIDED: Final = {"decision": "record"}
_AT_ONCE: Final = 4


@get("/stock/dosettes", opt=_DECIDED)
async def dosettes(request: _Request) -> Response[Any]:
    """Patients for whom something is filled or may be, those with something to change first."""
    services, actor = _services(request), staff_of_request(request)
    await Stock(services.gate, actor).open("dosettes")
    people = [each for each in await services.people.mine(actor) if each.may_open]
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(person: Found) -> Filled | None:
        async with turns:
            try:
                return await open_filled(services, actor, person.patient_id)
            except Refused:
                return None  # It was closed while the list was drawn.

    opened = [each for each in await asyncio.gather(*map(one, people)) if each is not None]
    opened.sort(key=lambda each: (not each.needs_change, not each.in_use, each.name.casefold()))
    return render(
        request, "medication/stock/dosettes.html", opened=opened, place="stock", part="dosettes",
        unit=actor.unit_name, kinds=_kinds(), page_title=_("Dosettes and multidose"),
    )  # fmt: skip


@get("/stock/dosettes/{patient_id:str}", opt=_DECIDED)
async def dosette(request: _Request, patient_id: str, done: str = "") -> Response[Any]:
    """What is filled for one patient beside the list as it stands, and filling anew."""
    filled = await _open(request, patient_id)
    if filled.needs_change and await tell_of_changes(
        _services(request), staff_of_request(request), filled
    ):
        filled = await _open(request, patient_id)
    return _page(request, filled, Texts(), "", done=_done(done))


@post("/stock/dosettes/{patient_id:str}/fill", opt=_DECIDED, status_code=200)
async def fill_dosette(request: _Request, patient_id: str) -> Response[Any]:
    """Keep what was filled, received or handed out."""
    filled = await _open(request, patient_id)
    raw = await request.form()
    form = short(raw)
    if form["patient"] != patient_id or form["kind"] not in KINDS:
        raise NotFoundException("There is no such form.")
    chosen = frozenset(str(each)[:64] for each in raw.getall("take", []))
    try:
        await fill(_services(request), staff_of_request(request), filled, _wish(form, chosen))
    except FillingRefused as refused:
        return _page(request, filled, form, str(refused))
    except AccessError as problem:
        said = " ".join(issue.diagnostics for issue in problem.issues)
        return _page(request, filled, form, said)
    return Redirect(f"/stock/dosettes/{patient_id}?done={form['kind']}", status_code=303)


@post("/stock/dosettes/{patient_id:str}/check", opt=_DECIDED, status_code=200)
async def check_dosette(request: _Request, patient_id: str) -> Response[Any]:
    """Sign as the second that a dosette was filled right."""
    return await _act(request, patient_id, "checked")


@post("/stock/dosettes/{patient_id:str}/undo", opt=_DECIDED, status_code=200)
async def undo_dosette(request: _Request, patient_id: str) -> Response[Any]:
    """Take a filling apart, with why."""
    return await _act(request, patient_id, "undone")


ROUTES: Final = (dosettes, dosette, fill_dosette, check_dosette, undo_dosette)


async def _act(request: _Request, patient_id: str, act: str) -> Response[Any]:
    services, actor = _services(request), staff_of_request(request)
    filled, form = await _open(request, patient_id), short(await request.form())
    filling = _filling(filled, form["filling"])
    try:
        if act == "checked":
            await check_filling(services, actor, filling)
        else:
            await take_apart(services, actor, filling, form["why"])
    except FillingRefused as refused:
        return _page(request, filled, form, str(refused))
    except AccessError as problem:
        said = " ".join(issue.diagnostics for issue in problem.issues)
        return _page(request, filled, form, said)
    return Redirect(f"/stock/dosettes/{patient_id}?done={act}", status_code=303)


def _wish(form: Mapping[str, str], chosen: frozenset[str]) -> Wish:
    start = day_typed(form.get("start", ""))
    days = form.get("days", "")
    if start is None or not days.isascii() or not days.isdigit():
        raise FillingRefused(_("Say from which day, and for how many days."))
    packed = day_typed(form.get("packed", ""))
    return Wish(
        kind=form["kind"], key=form.get("key", ""), start=start, days=int(days[:3]),
        orders=chosen, from_stock=form.get("source") == "stock", packed=packed,
        words={name.removeprefix("words-"): said for name, said in form.items()
               if name.startswith("words-")},
        amounts={name.removeprefix("amount-"): said for name, said in form.items()
                 if name.startswith("amount-")},
    )  # fmt: skip


def _page(
    request: _Request, filled: Filled, form: Texts, problem: str, *, done: str = ""
) -> Response[Any]:
    actor, days = staff_of_request(request), loading.stock_rules().dosette_days
    start = day_typed(form["start"]) or _next_monday()
    listed = {kind: fillable(filled, kind, start, days, actor.organisations) for kind in KINDS}
    return render(
        request, "medication/stock/dosette.html", status_code=422 if problem else 200,
        filled=filled, form=form, problem=problem, done=done, listed=listed, start=start,
        days=days, key=str(uuid4()), me=actor.id, place="stock", part="dosettes",
        unit=actor.unit_name, kinds=_kinds(), tomorrow=clock.now().astimezone(OSLO).date(),
        base=f"/patient/{filled.patient_id}", DOSETTE=DOSETTE, BAGS=BAGS, OWN=OWN,
        page_title=_("Dosettes and multidose"),
    )  # fmt: skip


def _next_monday() -> date:
    today = clock.now().astimezone(OSLO).date()
    return today + timedelta(days=(7 - today.weekday()) % 7)


def _filling(filled: Filled, name: str) -> Filling:
    found = next((each for each in filled.fillings if each.id == name), None)
    if found is None:
        raise NotFoundException("There is no such filling for this patient.")
    return found


async def _open(request: _Request, patient_id: str) -> Filled:
    services, actor = _services(request), staff_of_request(request)
    await _may(services, actor)
    return await open_filled(services, actor, patient_id)


async def _may(services: Services, actor: Actor) -> None:
    """That the actor handles medicines. Raises `Refused`, audited."""
    await Stock(services.gate, actor).open("dosettes")


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


def _kinds() -> dict[str, str]:
    return {DOSETTE: _("Dosette"), BAGS: _("Multidose"), OWN: _("Own supply")}


def _done(code: str) -> str:
    return {
        DOSETTE: _("The dosette is filled. Somebody else checks it."),
        BAGS: _("The multidose is received."), OWN: _("It is handed out."),
        "checked": _("It is checked and signed."), "undone": _("It is taken apart."),
    }.get(code, "")  # fmt: skip
