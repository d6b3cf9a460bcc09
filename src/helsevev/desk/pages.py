"""The desk's pages: my patients, finding a patient, the palette, and opening in an emergency."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.actor import Actor
from helsevev.access.administration.places import home_of
from helsevev.access.errors import Invalid, Refused
from helsevev.access.guard import actor_of_request
from helsevev.access.policy import (
    CLINICIANS,
    may_follow_up,
    may_register_blocks,
    may_write,
)
from helsevev.access.services import Services
from helsevev.content import loading
from helsevev.desk.opening import all_tasks, watch_of
from helsevev.desk.palette import groups
from helsevev.desk.patient_lists import Row, fitting, rows
from helsevev.desk.task_pages import grouped
from helsevev.fhir.reading import full_name
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_SIGNED_IN: Final = {"decision": "signed-in"}
_RECORD: Final = {"decision": "record"}
_SHORTEST: Final = 2


@get("/", opt=_SIGNED_IN)
async def my_patients(request: _Request) -> Response[Any]:
    """My patients, what is new first; an inhabitant is shown their own record."""
    actor = actor_of_request(request)
    if actor.kind == "inhabitant" and actor.patient:
        patient_id = actor.patient.removeprefix("Patient/")
        if (
            actor.acting
            and not (await _services(request).gate.why_closed(actor, patient_id)).allowed
        ):
            # The representation has ended: back to oneself, or on to somebody else.
            return Redirect("/acting?ended=1", status_code=303)
        return Redirect(f"/patient/{patient_id}", status_code=303)
    if may_follow_up(actor):
        return Redirect("/privacy", status_code=303)
    if place := home_of(actor):
        return Redirect(place, status_code=303)
    if may_register_blocks(actor):
        return Redirect("/blocks", status_code=303)
    services = _services(request)
    found, waiting, watch = await asyncio.gather(
        services.people.mine(actor), all_tasks(services, actor), watch_of(services, actor)
    )
    return render(
        request, "desk/my_patients.html", rows=rows(found), words="", place="my-day",
        waiting=waiting, groups=grouped(waiting), watch=watch,
        may_prescribe=may_write(actor.profession, "MedicationRequest"), live_url="/desk/live",
        page_title=_("My patients"),
    )  # fmt: skip


@post("/", opt=_SIGNED_IN, status_code=200)
async def filter_my_patients(request: _Request) -> Response[Any]:
    """My patients that fit what was typed; the words stand in the body, never in an address."""
    words = str((await request.form()).get("words", ""))[:100]
    listed = rows(await _services(request).people.mine(actor_of_request(request)))
    fits = fitting(listed, words)
    if request.headers.get("hx-request"):
        return render(request, "desk/_patient_rows.html", rows=fits, words=words)
    return render(
        request, "desk/my_patients.html", rows=fits, words=words, place="my-day",
        may_prescribe=False, page_title=_("My patients"),
    )  # fmt: skip


@get("/patients", opt=_SIGNED_IN)
async def find_page(request: _Request) -> Response[Any]:
    """The page to find anyone in the region."""
    return render(
        request, "desk/find.html", rows=None, words="", problem="", place="patients",
        page_title=_("Find a patient"),
    )  # fmt: skip


@post("/patients", opt=_SIGNED_IN, status_code=200)
async def find(request: _Request) -> Response[Any]:
    """Those who fit a name, a birth date or a national number, which never stands in an address."""
    words = str((await request.form()).get("words", ""))[:100].strip()
    found, problem = await _found(request, actor_of_request(request), words)
    template = "desk/_found.html" if request.headers.get("hx-request") else "desk/find.html"
    return render(
        request, template, rows=found, words=words, problem=problem, place="patients",
        page_title=_("Find a patient"),
    )  # fmt: skip


@post("/palette", opt=_SIGNED_IN, status_code=200)
async def palette(request: _Request) -> Response[Any]:
    """Hits for the command palette: my patients, anyone else, and places to go."""
    form = await request.form()
    words, at = str(form.get("q", ""))[:100].strip(), str(form.get("at", ""))
    actor = actor_of_request(request)
    if actor.kind == "inhabitant":
        return render(request, "desk/_palette.html", groups=[])
    mine = fitting(rows(await _services(request).people.mine(actor)), words)
    found, _problem = await _found(request, actor, words)
    writes = may_write(actor.profession, "Composition")
    shown = groups(words, mine, found or [], at, may_write=writes)
    return render(request, "desk/_palette.html", groups=shown)


@get("/emergency/{patient_id:str}", opt=_RECORD)
async def emergency_page(request: _Request, patient_id: str, more: int = 0) -> Response[Any]:
    """Why the record is closed, or (`more`) a part of it, and what stating a ground will do."""
    actor = actor_of_request(request)
    if more:
        return await _emergency(request, actor, patient_id, "", "", "")
    try:
        await _services(request).gate.open_chart(actor, patient_id)
    except Refused as refusal:
        if not refusal.decision.may_break_glass:
            raise
    else:
        return Redirect(f"/patient/{patient_id}", status_code=303)
    return await _emergency(request, actor, patient_id, "", "", "")


@post("/emergency/{patient_id:str}", opt=_RECORD, status_code=200)
async def open_in_emergency(request: _Request, patient_id: str) -> Response[Any]:
    """Open the record by a coded ground and a reason in words; it is logged and shown."""
    actor = actor_of_request(request)
    form = await request.form()
    ground, reason = str(form.get("ground", "")), str(form.get("reason", ""))[:2000]
    if str(form.get("patient", "")) != patient_id:
        raise NotFoundException("The form belongs to another patient.")
    chosen = next((each for each in loading.grounds().ground if each.code == ground), None)
    if chosen is None:
        problem = _("Choose a ground.")
        return await _emergency(request, actor, patient_id, ground, reason, problem)
    gate = _services(request).gate
    try:
        if chosen.relation and await gate.may_state_relation(actor, patient_id):
            await gate.state_relation(actor, patient_id, ground, reason)
        else:
            await gate.break_glass(actor, patient_id, ground, reason)
    except Invalid:
        problem = _("Write why, in at least ten characters.")
        return await _emergency(request, actor, patient_id, ground, reason, problem)
    return Redirect(f"/patient/{patient_id}", status_code=303)


async def _emergency(
    request: _Request, actor: Actor, patient_id: str, ground: str, reason: str, problem: str
) -> Response[Any]:
    # What a stranger may know of whom they are about to open: the name, as in a search.
    found = await _services(request).people.named(actor, patient_id)
    if found is None:
        raise NotFoundException("There is no such patient.")
    (person,) = rows([found])
    decision = await _services(request).gate.why_closed(actor, patient_id)
    grounds = loading.grounds().ground
    return render(
        request,
        "desk/emergency.html",
        status_code=422 if problem else 403,
        person=person,
        name=full_name(found.resource.get("name")),
        grounds=grounds,
        ground=ground or grounds[0].code,
        reason=reason,
        problem=problem,
        may=actor.profession in CLINICIANS,
        states=decision.may_state_relation,
        # A rule that shuts a record says it better than that there is no relation.
        closed=_(decision.reason) if decision.rule else "",
        hours=loading.relations().stated_hours,
        place="patients",
        page_title=_("Closed record"),
    )


async def _found(request: _Request, actor: Actor, words: str) -> tuple[list[Row] | None, str]:
    """(rows, problem): no rows and no problem when too little was typed to search by."""
    if len(words) < _SHORTEST:
        return None, ""
    try:
        return rows(await _services(request).people.find(actor, words)), ""
    except Invalid:
        return None, _("Give at least two letters of a name, a birth date or a national number.")


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services
