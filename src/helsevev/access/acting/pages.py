"""The page where an inhabitant chooses whom to act for, and sees who may act for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER

from helsevev.access.acting.choosing import (
    acting_for,
    end_representation,
    own,
    representatives,
    represented,
)
from helsevev.access.acting.giving import NotGiven, give, may_give
from helsevev.access.errors import NotFound, Refused
from helsevev.access.guard import actor_of_request, session_of_request
from helsevev.access.identity.door import door_of
from helsevev.access.services import Services
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_SIGNED_IN: Final = {"decision": "signed-in"}


@get("/acting", opt=_SIGNED_IN)
async def acting_page(request: _Request, ended: int = 0) -> Response[str]:
    """Whom one may act for, for whom one acts now, and who may act for oneself."""
    return await _page(request, ended=ended)


@post("/acting/give", opt=_SIGNED_IN)
async def give_acting(request: _Request) -> Response[Any]:
    """Give somebody a power of attorney; what is wrong with the form is told beside it."""
    actor = actor_of_request(request)
    if actor.kind != "inhabitant":
        raise NotFoundException("Only inhabitants act for others here.")
    form = {name: str(value) for name, value in (await request.form()).items()}
    try:
        await give(_services(request).writer, actor, form)
    except NotGiven as wrong:
        page = await _page(request, form=form, problems=wrong.problems)
        page.status_code = 422
        return page
    return Redirect("/acting", status_code=HTTP_303_SEE_OTHER)


async def _page(
    request: _Request,
    *,
    ended: int = 0,
    form: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> Response[Any]:
    actor = actor_of_request(request)
    if actor.kind != "inhabitant":
        raise NotFoundException("Only inhabitants act for others here.")
    gate = _services(request).gate
    try:
        mine = await representatives(gate, actor)
    except Refused:
        # One who is too young to open the record may still be told whom they act for.
        mine = []
    return render(
        request, "access/acting.html", page_title=_("Whom you act for"), place="patients",
        me=own(actor), now_for=(actor.patient or actor.id).removeprefix("Patient/"),
        others=await represented(gate, actor), mine=mine, ended=ended,
        kinds={"parent": _("as a parent"), "guardian": _("as a guardian"),
               "power-of-attorney": _("by a power of attorney")},
        may_give=await may_give(_services(request).writer, actor),
        form=form or {}, problems=problems or {}, key=str(uuid4()),
        scopes={"communicate": _("only messages"), "read": _("may read"),
                "full": _("may read, and decide for you")},
    )  # fmt: skip


@post("/acting", opt=_SIGNED_IN)
async def choose_acting(request: _Request) -> Response[Any]:
    """Go on acting for the one who was chosen; the trail says so."""
    session = session_of_request(request)
    wanted = str((await request.form()).get("patient", ""))
    if session.actor.kind != "inhabitant":
        raise NotFoundException("Only inhabitants act for others here.")
    door = door_of(request)
    try:
        actor = await acting_for(door.services.gate, session.actor, wanted)
    except NotFound:
        raise NotFoundException("You do not act for this person.") from None
    return await door.switch(request, session, actor)


@post("/acting/{person_id:str}/end", opt=_SIGNED_IN)
async def withdraw_acting(request: _Request, person_id: str) -> Response[Any]:
    """Take back a power of attorney that one has given."""
    actor = actor_of_request(request)
    if actor.kind != "inhabitant":
        raise NotFoundException("Only inhabitants act for others here.")
    await end_representation(_services(request).writer, actor, person_id)
    return Redirect("/acting", status_code=HTTP_303_SEE_OTHER)


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services
