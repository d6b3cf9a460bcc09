"""The pages of saved lists: those of the content and one's own, their rows, and making one."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

import msgspec
from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.actor import Actor
from helsevev.access.errors import AccessError
from helsevev.access.guard import staff_of_request
from helsevev.access.policy import may_treat
from helsevev.access.services import Services
from helsevev.content.loading import ward
from helsevev.content.packs.worklists import Worklist
from helsevev.desk.worklists import KIND, MOST, filled, made, offered, own_list
from helsevev.fhir.reading import full_name, text
from helsevev.fhir.search_query import SearchError, parse
from helsevev.follow_up.listing import row
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_SIGNED_IN: Final = {"decision": "signed-in"}
_MOST_OWN: Final = 50


@get("/lists", opt=_SIGNED_IN)
async def lists_page(request: _Request) -> Response[Any]:
    """The lists that the reader can open, and a form to make one's own."""
    return await _lists(request, "", {})


@post("/lists", opt=_SIGNED_IN, status_code=200)
async def keep_list(request: _Request) -> Response[Any]:
    """Keep a list of one's own."""
    services, actor = _services(request), staff_of_request(request)
    form = await request.form()
    names = ("title", "type", "search")
    typed = {name: str(form.get(name, "")).strip()[:500] for name in names}
    if not typed["title"]:
        return await _lists(request, _("Say what the list is called."), typed)
    search = f"{typed['type']}?{typed['search'].lstrip('?')}"
    try:
        worklist = made("own", typed["title"], search)
        parse(worklist.type, filled(worklist.search, actor, clock.now()), base="")
    except (ValueError, SearchError) as problem:
        return await _lists(request, _("It cannot be searched so: %(why)s") % {"why": problem},
                            typed)  # fmt: skip
    if len(await services.waiting.own(actor, KIND)) >= _MOST_OWN:
        return await _lists(request, _("You have too many lists already."), typed)
    key = uuid4().hex[:12]
    body = msgspec.json.encode({"title": typed["title"], "search": search}).decode()
    await services.waiting.keep_own(actor, KIND, key, body)
    return Redirect(f"/lists/own/{key}", status_code=303)


@post("/lists/own/{key:str}/drop", opt=_SIGNED_IN, status_code=200)
async def drop_list(request: _Request, key: str) -> Response[Any]:
    """Take a list of one's own away."""
    await _services(request).waiting.drop_own(staff_of_request(request), KIND, key)
    return Redirect("/lists", status_code=303)


@get("/lists/own/{key:str}", opt=_SIGNED_IN)
async def own_page(request: _Request, key: str) -> Response[Any]:
    """A list of one's own."""
    services, actor = _services(request), staff_of_request(request)
    kept = await services.waiting.own(actor, KIND)
    if key not in kept:
        raise NotFoundException("There is no such list.")
    return await _list(request, actor, own_list(key, kept[key]), is_own=True)


@get("/lists/{key:str}", opt=_SIGNED_IN)
async def list_page(request: _Request, key: str) -> Response[Any]:
    """A list of the content."""
    services, actor = _services(request), staff_of_request(request)
    found = (await services.packs.current()).one(Worklist, key)
    if found is None:
        raise NotFoundException("There is no such list.")
    return await _list(request, actor, found, is_own=False)


async def _list(
    request: _Request, actor: Actor, worklist: Worklist, *, is_own: bool
) -> Response[Any]:
    services, problem, stored, more = _services(request), "", [], False
    try:
        if may_treat(actor):
            asking = parse(worklist.type, filled(worklist.search, actor, clock.now()), base="")
            page = await services.searcher.search(actor, asking)
            stored, more = page.matches, page.next_cursor is not None
    except (SearchError, AccessError) as refused:
        problem = str(refused)
    rows = [row(each.resource, worklist.column) for each in stored if each.type == worklist.type]
    wanted = sorted({("Patient", each.patient_id) for each in rows if each.patient_id})
    people = await services.gate.open_many(actor, wanted, interaction="worklist") if wanted else {}
    persons = {
        key: (full_name(each.get("name")), text(each.get("birthDate")))
        for (_kind, key), each in people.items()
    }
    return render(
        request, "desk/worklist.html", worklist=worklist, rows=rows, persons=persons, more=more,
        is_own=is_own, problem=problem, most=MOST, place="my-day", live_url="/desk/live",
        page_title=worklist.title,
    )  # fmt: skip


async def _lists(request: _Request, problem: str, typed: dict[str, str]) -> Response[Any]:
    services, actor = _services(request), staff_of_request(request)
    shelf = await services.packs.current()
    own = [own_list(key, body) for key, body in (await services.waiting.own(actor, KIND)).items()]
    return render(
        request, "desk/lists.html", status_code=422 if problem else 200,
        lists=offered(shelf.all(Worklist).values(), actor), own=own, problem=problem, typed=typed,
        types=[{"value": each.type, "label": each.label} for each in ward().own], place="my-day",
        page_title=_("Lists"),
    )  # fmt: skip


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (lists_page, keep_list, drop_list, own_page, list_page)
