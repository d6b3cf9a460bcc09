"""The page of a ward's beds, on which a patient is moved, isolated, and planned home."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from litestar import Request, Response, get, post
from litestar.response import Redirect

from helsevev.access.actor import Actor
from helsevev.access.entries import kept, replaced, transaction
from helsevev.access.errors import AccessError
from helsevev.access.guard import staff_of_request
from helsevev.access.policy import may_write
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.content.loading import ward
from helsevev.desk.board import Lying, Place, beds, isolated, lying, moved
from helsevev.desk.ward import resident, residents
from helsevev.fhir.reading import OSLO
from helsevev.fhir.search_query import parse
from helsevev.follow_up.coding import Who
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_SLICES: Final = (Slice("Flag", 50), Slice("Observation", 40), Slice("Task", 50))
_INTERACTION: Final = "board"
_MOST_PLACES: Final = 200


@get("/board", opt={"decision": "signed-in"})
async def board_page(request: _Request) -> Response[Any]:
    """The beds of the reader's unit, and those who lie in none of them."""
    return await _board(request, "")


@post("/board/{patient_id:str}", opt={"decision": "record"}, status_code=200)
async def change_stay(request: _Request, patient_id: str) -> Response[Any]:
    """Move a patient, isolate them, or say when they are to go home; all of it or nothing."""
    services, actor = _services(request), staff_of_request(request)
    form = await request.form()
    who = await resident(services, actor, patient_id, _SLICES, _INTERACTION)
    if form.get("patient") != patient_id or not who.stay:
        return await _board(request, _("This form belongs to another patient."))
    was, now = lying(who, clock.now()), clock.now()
    if str(form.get("version", "")) != was.version:
        return await _board(request, _("Somebody changed it just now. Look again."))
    home, bed = str(form.get("home", "")), str(form.get("bed", ""))
    try:
        home_at = datetime.fromisoformat(home).replace(tzinfo=OSLO) if home else None
    except ValueError:
        return await _board(request, _("Say when the patient is to go home."))
    places = await _places(services, actor)
    known = {f"Location/{each['id']}": str(each.get("name", "")) for each in places}
    to = Place(bed, known[bed]) if bed in known and bed != who.bed else None
    kinds = {each.code: each for each in ward().isolation}
    kind = kinds.get(str(form.get("isolation", "")))
    flag = isolated(was.isolation_flag, kind, patient_id, Who(actor.id, actor.name), now)
    entries = [replaced(moved(who.stay, to, home_at, now))]
    if flag is not None:
        entries.append(kept(flag))
    try:
        key = str(form.get("key", ""))[:64] or None
        await services.bundles.transact(actor, transaction(entries), idempotency_key=key)
    except AccessError:
        return await _board(request, _("Somebody changed it just now. Look again."))
    return Redirect("/board", status_code=303)


async def _board(request: _Request, problem: str) -> Response[Any]:
    services, actor = _services(request), staff_of_request(request)
    people, places = await asyncio.gather(
        residents(services, actor, _SLICES, _INTERACTION), _places(services, actor)
    )
    now = clock.now()
    placed, elsewhere = beds(places, [lying(each, now) for each in people])
    free = [bed for bed in placed if not bed.lying]
    return render(
        request, "desk/board.html", status_code=422 if problem else 200, beds=placed,
        elsewhere=elsewhere, free=free, problem=problem, unit=actor.unit_name,
        isolations=ward().isolation, new_key=lambda: str(uuid4()),
        local=_local, may_move=may_write(actor.profession, "Encounter"), count=len(people),
        place="my-day", live_url="/desk/live", page_title=_("Beds"),
    )  # fmt: skip


async def _places(services: Services, actor: Actor) -> Sequence[Mapping[str, Any]]:
    if not actor.unit:
        return []
    asking = [("organization", actor.unit[0]), ("_count", str(_MOST_PLACES))]
    page = await services.searcher.search(actor, parse("Location", asking, base=""))
    return [stored.resource for stored in page.matches]


def _local(each: Lying) -> str:
    """When the patient is planned home, as a field of a form writes it."""
    return f"{each.home_at.astimezone(OSLO):%Y-%m-%dT%H:%M}" if each.home_at else ""


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (board_page, change_stay)
