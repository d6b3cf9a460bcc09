"""The page of the day's visits: their order, the way there, and that one has been there."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.actor import Actor
from helsevev.access.errors import AccessError
from helsevev.access.guard import staff_of_request
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.desk.visits import Visit, reordered, visits
from helsevev.desk.ward import everyone
from helsevev.fhir.reading import OSLO
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_SLICES: Final = (Slice("Appointment", 50), Slice("Flag", 50))
_KIND: Final = "visits"


@get("/visits", opt={"decision": "signed-in"})
async def visits_page(request: _Request, on: str = "") -> Response[Any]:
    """The reader's visits of a day, today when none is said."""
    return await _page(request, _day(on), "")


@post("/visits/order", opt={"decision": "signed-in"}, status_code=200)
async def move_visit(request: _Request) -> Response[Any]:
    """Move a visit up or down; the order is the reader's own."""
    services, actor = _services(request), staff_of_request(request)
    form = await request.form()
    day = _day(str(form.get("on", "")))
    by = {"up": -1, "down": 1}.get(str(form.get("way", "")), 0)
    order = reordered(await _listed(services, actor, day), str(form.get("visit", "")), by)
    body = msgspec.json.encode(order).decode()
    await services.waiting.keep_own(actor, _KIND, day.isoformat(), body)
    return await _page(request, day, "")


@post("/visits/{visit_id:str}/done", opt={"decision": "record"}, status_code=200)
async def visit_done(request: _Request, visit_id: str) -> Response[Any]:
    """Say that one has been there."""
    services, actor = _services(request), staff_of_request(request)
    form = await request.form()
    day = _day(str(form.get("on", "")))
    found = next((v for v in await _listed(services, actor, day) if v.id == visit_id), None)
    if found is None or form.get("patient") != found.who.patient_id:
        raise NotFoundException("There is no such visit.")
    if not found.is_done:
        stored = await services.gate.open_resource(actor, "Appointment", visit_id)
        after = {**stored.resource, "status": "fulfilled"}
        try:
            await services.writer.write(actor, after, if_match=int(found.version))
        except AccessError:
            return await _page(request, day, _("Somebody changed it just now. Look again."))
    return Redirect(f"/visits?on={day.isoformat()}", status_code=303)


async def _page(request: _Request, day: date, problem: str) -> Response[Any]:
    services, actor = _services(request), staff_of_request(request)
    listed = await _listed(services, actor, day)
    return render(
        request, "desk/visits.html", status_code=422 if problem else 200, visits=listed,
        day=day.isoformat(), problem=problem, left=sum(not each.is_done for each in listed),
        place="my-day", live_url="/desk/live", page_title=_("Home visits"),
    )  # fmt: skip


async def _listed(services: Services, actor: Actor, day: date) -> list[Visit]:
    people = await everyone(services, actor, _SLICES, "visits")
    kept = (await services.waiting.own(actor, _KIND)).get(day.isoformat(), "[]")
    order = msgspec.json.decode(kept, type=list[str])
    # A unit's own place is called as the unit is.
    units = [*actor.unit, *(f"Location/{each.partition('/')[2]}" for each in actor.unit)]
    return visits(people, actor.person, units, day, order)


def _day(said: str) -> date:
    try:
        return date.fromisoformat(said)
    except ValueError:
        return clock.now().astimezone(OSLO).date()


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (visits_page, move_visit, visit_done)
