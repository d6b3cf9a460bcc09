"""The page where an inhabitant chooses whom to act for: themselves, a child, somebody else."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException

from helsevev.access.acting.choosing import acting_for, own, represented
from helsevev.access.errors import NotFound
from helsevev.access.guard import actor_of_request, session_of_request
from helsevev.access.identity.door import door_of
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_SIGNED_IN: Final = {"decision": "signed-in"}


@get("/acting", opt=_SIGNED_IN)
async def acting_page(request: _Request) -> Response[str]:
    """Whom one may act for, and for whom one acts now."""
    actor = actor_of_request(request)
    if actor.kind != "inhabitant":
        raise NotFoundException("Only inhabitants act for others here.")
    gate = request.app.state.services.gate
    kinds = {
        "parent": _("as a parent"), "guardian": _("as a guardian"),
        "power-of-attorney": _("by a power of attorney"),
    }  # fmt: skip
    return render(
        request, "access/acting.html", page_title=_("Whom you act for"), place="patients",
        me=own(actor), now_for=(actor.patient or actor.id).removeprefix("Patient/"),
        others=await represented(gate, actor), kinds=kinds,
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
